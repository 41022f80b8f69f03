using System.Text;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart;

namespace FhirIomt.Api.Bundles;

/// <param name="Id">Of the resource, made of what it is about.</param>
/// <param name="Condition">How it can be searched for; null for what is only ever submitted.</param>
internal readonly record struct SubmissionKey(string Id, string? Condition);

/// <summary>
/// By what the entries of a submission are known again: persons and devices by their first identifier; readings and reports by subject, code, time, device and their own
/// identifiers. The value is never part of it, so that a corrected value is the same reading.
/// </summary>
internal sealed class SubmissionKeys
{
    private const string System = "https://fhiriomt.org/identifiers/submission";

    private readonly Dictionary<string, BundleEntry> _entries = new(StringComparer.Ordinal);
    private readonly ServerAddress _address;

    public SubmissionKeys(IReadOnlyList<BundleEntry> entries, ServerAddress address)
    {
        _address = address;
        foreach (var entry in entries)
        {
            if (entry.FullUrl is { } fullUrl)
            {
                _entries.TryAdd(fullUrl, entry);
            }
        }
    }

    /// <summary>Null when nothing says what the resource is about.</summary>
    public SubmissionKey? KeyOf(BundleEntry entry)
    {
        var resource = entry.Node["resource"u8];
        var type = resource["resourceType"u8].AsString();
        if (type is "Patient" or "Device")
        {
            return Identifiers(resource).FirstOrDefault() is { } identifier
                ? new SubmissionKey(IdOf($"{type}\n{identifier.System}|{identifier.Value}\n{About(resource["patient"u8], entry)}"), $"identifier={Uri.EscapeDataString($"{SearchQueryParser.Escape(identifier.System)}|{SearchQueryParser.Escape(identifier.Value)}")}")
                : null;
        }

        var (subject, code, time) = (About(resource["subject"u8], entry), Code(resource["code"u8]), Time(resource));
        if (subject is null || code.Length == 0 || time.Length == 0)
        {
            return null;
        }

        var identifiers = string.Join(' ', Identifiers(resource).Select(one => $"{one.System}|{one.Value}").Order(StringComparer.Ordinal));
        return new SubmissionKey(IdOf($"{type}\n{subject}\n{code}\n{time}\n{About(resource["device"u8], entry)}\n{identifiers}"), null);
    }

    private static string IdOf(string key) => SourceKey.IdOf(System, key);

    // Whom or what a reference means, so that it means the same when it is sent again: an entry by its key, everything else by its text.
    private string? About(ResourceNode reference, BundleEntry from)
    {
        if (reference["reference"u8].AsString() is not { Length: > 0 } text)
        {
            return Identifiers(reference).Select(one => $"{one.System}|{one.Value}").FirstOrDefault();
        }

        if (!_entries.TryGetValue(text, out var entry) && from.FullUrl is { } own && own.LastIndexOf('/') is > 0 and var id && own.LastIndexOf('/', id - 1) is > 0 and var type)
        {
            _entries.TryGetValue(own[..(type + 1)] + text, out entry);
        }

        if (entry is null)
        {
            return text.StartsWith(_address.FhirBase + "/", StringComparison.Ordinal) ? text[(_address.FhirBase.Length + 1)..] : text;
        }

        return Identifiers(entry.Node["resource"u8]).Select(one => $"{one.System}|{one.Value}").FirstOrDefault() ?? entry.Node["request"u8]["ifNoneExist"u8].AsString();
    }

    private static List<Identifier> Identifiers(ResourceNode owner)
    {
        var found = new List<Identifier>();
        foreach (var identifier in owner["identifier"u8].Items)
        {
            if (identifier["system"u8].AsString() is { Length: > 0 } system && identifier["value"u8].AsString() is { Length: > 0 } value)
            {
                found.Add(new Identifier(system, value));
            }
        }

        return found;
    }

    private static string Code(ResourceNode code)
    {
        var text = new StringBuilder();
        foreach (var coding in code["coding"u8].Items)
        {
            text.Append(coding["system"u8].AsString()).Append('|').Append(coding["code"u8].AsString()).Append(' ');
        }

        return text.Length > 0 ? text.ToString() : code["text"u8].AsString() ?? "";
    }

    private static string Time(ResourceNode resource) => resource["effectiveDateTime"u8].AsString() ?? resource["effectiveInstant"u8].AsString()
        ?? (resource["effectivePeriod"u8]["start"u8].AsString() is { } start ? $"{start}/{resource["effectivePeriod"u8]["end"u8].AsString()}" : "");

    private sealed record Identifier(string System, string Value);
}
