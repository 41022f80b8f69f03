using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// The links in a resource of a transaction: references, elements of type uri, url, oid and uuid, and links in the narrative (R4 §3.1.0.11.2: "Elements of type
/// canonical are not replaced"). Only what is typed as a link is touched: an identifier whose value looks like one stays.
/// </summary>
internal sealed class BundleReferences
{
    private const string VersionPart = "/_history/";

    private readonly List<(ResourceNode Node, string Text)> _changes = [];
    private readonly Func<string, bool, string?> _change;

    private BundleReferences(Func<string, bool, string?> change) => _change = change;

    /// <summary>References such as <c>Patient?identifier=…</c>, each with its place.</summary>
    public static IReadOnlyList<(string Reference, string Expression)> Conditional(JsonTree resource)
    {
        if (resource.Utf8.Span.IndexOf((byte)'?') < 0)
        {
            return [];
        }

        var found = new List<(string, string)>();
        var type = resource.Root["resourceType"u8].AsString() ?? "";
        new BundleReferences((text, isReference) =>
        {
            if (isReference && IsConditional(text))
            {
                found.Add((text, type));
            }

            return null;
        }).Walk(resource);
        return found;
    }

    /// <param name="fullUrl">The resource's own: relative references are relative to its base.</param>
    /// <param name="targets">What each full URL has become.</param>
    /// <param name="resolved">What each conditional reference has become.</param>
    public static JsonTree Rewrite(JsonTree resource, string? fullUrl, IReadOnlyDictionary<string, BundleTarget> targets, IReadOnlyDictionary<string, string> resolved)
    {
        if (targets.Count == 0 && resolved.Count == 0)
        {
            return resource;
        }

        var ownBase = BaseOf(fullUrl);
        BundleTarget? Target(string url, bool isReference) =>
            targets.TryGetValue(url, out var target) || (isReference && ownBase is not null && targets.TryGetValue(ownBase + url, out target)) ? target : null;

        var references = new BundleReferences((text, isReference) =>
        {
            if (isReference && resolved.TryGetValue(text, out var found))
            {
                return found;
            }

            // A fragment belongs to what is referred to, and stays.
            var end = text.IndexOf('#', StringComparison.Ordinal);
            var (head, tail) = end < 0 ? (text, "") : (text[..end], text[end..]);
            if (Target(head, isReference) is { } target)
            {
                return target.Reference + tail;
            }

            // A reference to a version stays one; which version the client wrote says nothing.
            var version = isReference ? head.IndexOf(VersionPart, StringComparison.Ordinal) : -1;
            return version > 0 && Target(head[..version], isReference: true) is { Version: { } stored } versioned
                ? string.Create(CultureInfo.InvariantCulture, $"{versioned.Reference}{VersionPart}{stored}{tail}")
                : null;
        });
        references.Walk(resource);
        return references._changes.Count == 0 ? resource : references.Apply(resource);
    }

    private static bool IsConditional(string text)
    {
        var question = text.IndexOf('?', StringComparison.Ordinal);
        return question > 0 && FhirDefinitions.R4.IsResourceType(text[..question]);
    }

    // http://server/fhir/Patient/1 → http://server/fhir/
    private static string? BaseOf(string? fullUrl)
    {
        if (fullUrl is null || !fullUrl.Contains("://", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = fullUrl.Split('/');
        return parts.Length > 4 && FhirDefinitions.R4.IsResourceType(parts[^2]) ? string.Join('/', parts[..^2]) + "/" : null;
    }

    private void Walk(JsonTree resource)
    {
        if (FhirDefinitions.R4.Type(resource.Root["resourceType"u8].AsString() ?? "") is { } type)
        {
            Walk(resource.Root, type);
        }
    }

    private void Walk(ResourceNode node, FhirType type)
    {
        foreach (var member in node.Children)
        {
            if (type.Find(member.NameSpan) is not { } found)
            {
                continue;
            }

            foreach (var item in member.Items)
            {
                Visit(item, type, found);
            }
        }
    }

    private void Visit(ResourceNode item, FhirType owner, FhirMember member)
    {
        if (item.IsObject)
        {
            // A contained resource names its own type.
            var type = member.Type.Kind == FhirTypeKind.Resource ? FhirDefinitions.R4.Type(item["resourceType"u8].AsString() ?? "") : member.Type;
            if (type is not null)
            {
                Walk(item, type);
            }
        }
        else if (item.IsString)
        {
            var isReference = owner.Name == "Reference" && member.JsonName == "reference";
            if (isReference || member.Type.Name is "uri" or "url" or "oid" or "uuid")
            {
                Change(item, _change(item.AsString()!, isReference));
            }
            else if (member.Type.Name == "xhtml")
            {
                Change(item, Narrative(item.AsString()!));
            }
        }
    }

    private void Change(ResourceNode node, string? text)
    {
        if (text is not null)
        {
            _changes.Add((node, text));
        }
    }

    // href="…" and src="…", quoted either way.
    private string? Narrative(string xhtml)
    {
        var changed = xhtml;
        foreach (var attribute in (ReadOnlySpan<string>)["href=\"", "src=\"", "href='", "src='"])
        {
            for (var at = changed.IndexOf(attribute, StringComparison.Ordinal); at >= 0; at = changed.IndexOf(attribute, at + attribute.Length, StringComparison.Ordinal))
            {
                var start = at + attribute.Length;
                var end = changed.IndexOf(attribute[^1], start);
                if (end > start && _change(changed[start..end], false) is { } target)
                {
                    changed = string.Concat(changed.AsSpan(0, start), target, changed.AsSpan(end));
                }
            }
        }

        return ReferenceEquals(changed, xhtml) ? null : changed;
    }

    private JsonTree Apply(JsonTree resource)
    {
        var output = new ArrayBufferWriter<byte>(resource.Utf8.Length + 256);
        var copied = 0;
        foreach (var (node, text) in _changes)
        {
            output.Write(resource.Utf8.Span[copied..node.Start]);
            output.Write(JsonSerializer.SerializeToUtf8Bytes(text, TextOnly.Default.String));
            copied = node.Start + node.Length;
        }

        output.Write(resource.Utf8.Span[copied..]);
        return JsonTree.Parse(output.WrittenMemory, JsonLimits.Default with { MaxBytes = int.MaxValue }).Require();
    }
}

/// <summary>What a full URL has become.</summary>
/// <param name="Version">Where it is known before anything is written: of what is created, and of what a condition found.</param>
internal readonly record struct BundleTarget(string Reference, long? Version);

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class TextOnly : System.Text.Json.Serialization.JsonSerializerContext;
