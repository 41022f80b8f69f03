using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>Takes references apart (R4 §2.3.0.1): <c>Patient/1</c>, <c>Patient/1/_history/2</c>, an absolute URL of either, <c>urn:…</c>, <c>#id</c>.</summary>
internal static class ReferenceText
{
    /// <summary>The type that a literal reference names, by its last segments; empty when it names none.</summary>
    public static ReadOnlySpan<char> TypeOf(ReadOnlySpan<char> text)
    {
        SplitVersion(ref text);
        var slash = text.LastIndexOf('/');
        if (slash <= 0)
        {
            return default;
        }

        var before = text[..slash];
        var type = before[(before.LastIndexOf('/') + 1)..];
        return type.Length > 0 && char.IsAsciiLetterUpper(type[0]) ? type : default;
    }

    public static IndexValue.Reference? Read(SearchParameter parameter, ResourceNode reference, string? serverBase)
    {
        var text = reference["reference"u8].AsString();
        var (system, value) = (reference["identifier"u8]["system"u8].AsString(), reference["identifier"u8]["value"u8].AsString());

        // A contained resource cannot be found by itself, so a reference to it is not either.
        if (string.IsNullOrEmpty(text) || text[0] == '#')
        {
            return value is null ? null : new IndexValue.Reference(parameter, reference["type"u8].AsString(), Id: null, Version: null, Url: null, system, value);
        }

        var local = serverBase is not null && text.StartsWith(serverBase, StringComparison.Ordinal) ? text.AsSpan(serverBase.Length) : text.AsSpan();
        var version = SplitVersion(ref local);
        var type = TypeOf(local);
        if (type.Length > 0 && local.Length > type.Length + 1 && local.StartsWith(type) && local[type.Length] == '/')
        {
            return new IndexValue.Reference(parameter, CommonTexts.Of(type), local[(type.Length + 1)..].ToString(), version, Url: null, system, value);
        }

        return new IndexValue.Reference(parameter, type.Length > 0 ? type.ToString() : reference["type"u8].AsString(), Id: null, Version: null, text, system, value);
    }

    public static IndexValue.Reference Canonical(SearchParameter parameter, string canonical)
    {
        var bar = canonical.IndexOf('|', StringComparison.Ordinal);
        return new IndexValue.Reference(parameter, Type: null, Id: null, bar < 0 ? null : canonical[(bar + 1)..], bar < 0 ? canonical : canonical[..bar], IdentifierSystem: null, IdentifierValue: null);
    }

    private static string? SplitVersion(ref ReadOnlySpan<char> text)
    {
        const string History = "/_history/";
        var at = text.IndexOf(History, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var version = text[(at + History.Length)..].ToString();
        text = text[..at];
        return version;
    }
}
