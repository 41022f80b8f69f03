using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>A body with its media type, lower case and without parameters; "" when none was sent.</summary>
internal sealed record FhirBody(string MediaType, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>It stands in an entry of a Bundle: it is a resource, whichever it is.</summary>
    public bool IsEntry { get; init; }

    /// <summary>
    /// Whether it is the content of a Binary and no Binary itself: what is sent there is taken as it is, in FHIR's own formats too, "except for the special case where the content is actually a Binary
    /// resource" (R4, Binary).
    /// </summary>
    public bool IsBinaryContent => !IsEntry && MediaType.Length > 0
        && (!MediaTypes.TryFormat(MediaType, out var format) || ReadAs(format)?.Root["resourceType"u8].TextEquals("Binary"u8) != true);

    /// <summary>The body as one resource.</summary>
    public Outcome<JsonTree, FhirAnswer> Resource()
    {
        if (!MediaTypes.TryFormat(MediaType, out var format))
        {
            return FhirAnswer.Refused(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(MediaType));
        }

        var parsed = format == FhirFormat.Xml ? FhirXml.Parse(Bytes, FhirDefinitions.R4) : JsonTree.Parse(Bytes);
        return parsed.TryGetValue(out var tree, out var issues) ? tree : FhirAnswer.Refused(StatusCodes.Status400BadRequest, issues);
    }

    // As far as it can be read: a Binary with faults is refused for them.
    private JsonTree? ReadAs(FhirFormat format) =>
        format == FhirFormat.Xml ? FhirXml.Read(Bytes, FhirDefinitions.R4).Tree : JsonTree.Parse(Bytes).TryGetValue(out var tree, out _) ? tree : null;
}

internal enum FhirFormat
{
    Json,
    Xml,
}

/// <summary>The names of FHIR's formats (R4 §3.1.0.1.11), and those that older clients use.</summary>
internal static class MediaTypes
{
    public const string Json = "application/fhir+json";
    public const string Xml = "application/fhir+xml";
    public const string JsonPatch = "application/json-patch+json";
    public const string Form = "application/x-www-form-urlencoded";

    public static bool TryFormat(string mediaType, out FhirFormat format)
    {
        switch (mediaType)
        {
            case Json or "application/json" or "application/json+fhir" or "text/json" or "json":
                format = FhirFormat.Json;
                return true;
            case Xml or "application/xml" or "application/xml+fhir" or "text/xml" or "xml":
                format = FhirFormat.Xml;
                return true;
            default:
                format = default;
                return false;
        }
    }

    /// <summary>Whether an Accept header names a FHIR format, not merely takes one.</summary>
    public static bool NamesFormat(string accept) => accept.Split(',').Any(range => TryFormat(Plain(range), out _));

    /// <summary>The type without its parameters, in lower case.</summary>
    public static string Plain(string? header)
    {
        var text = header ?? "";
        var end = text.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).Trim().ToLowerInvariant();
    }

    /// <summary>Whether the <c>fhirVersion</c> parameter, when there is one, names R4.</summary>
    public static bool IsR4(string? header)
    {
        const string Name = "fhirversion=";
        var text = (header ?? "").Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        var at = text.IndexOf(Name, StringComparison.Ordinal);
        return at < 0 || text[(at + Name.Length)..].TrimStart('"').StartsWith("4.0", StringComparison.Ordinal);
    }
}
