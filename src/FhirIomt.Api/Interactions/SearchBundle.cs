using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart;

namespace FhirIomt.Api.Interactions;

/// <summary>The answer to a search: matches, what was included with them, and what is to be said about it, each under its search mode.</summary>
/// <param name="path">Of the search, below the base.</param>
/// <param name="containers">In which matches stand that are answered alone.</param>
/// <param name="used">The arguments that were followed.</param>
internal sealed class SearchBundle(ServerAddress address, string path, SearchQuery query, IReadOnlyList<SearchArgument> used, SearchPage page, IReadOnlyList<StoredResource> containers, IReadOnlyList<Issue> warnings)
{
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        new BundleLabels().Add(page.Matches).Add(page.Included).Add(containers).Write(writer);
        writer.WriteString("type"u8, "searchset"u8);
        if (page.Total is { } total)
        {
            writer.WriteNumber("total"u8, total);
        }

        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", Url(query.Cursor));
        if (page.Next is { } next)
        {
            BundleWriter.Link(writer, "next", Url(next));
        }

        writer.WriteEndArray();
        if (page.Matches.Count + page.Included.Count + warnings.Count > 0)
        {
            writer.WriteStartArray("entry"u8);
            WriteEntries(writer, page.Matches, "match"u8);
            WriteEntries(writer, page.Included, "include"u8);
            WriteWarnings(writer);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private void WriteEntries(Utf8JsonWriter writer, IReadOnlyList<StoredResource> resources, ReadOnlySpan<byte> mode)
    {
        foreach (var resource in resources)
        {
            writer.WriteStartObject();
            writer.WriteString("fullUrl"u8, $"{address.FhirBase}/{resource.Type}/{resource.Id}");
            writer.WritePropertyName("resource"u8);
            writer.WriteRawValue(resource.Body.Span, skipInputValidation: true);
            WriteMode(writer, mode);
            writer.WriteEndObject();
        }
    }

    private void WriteWarnings(Utf8JsonWriter writer)
    {
        if (warnings.Count == 0)
        {
            return;
        }

        writer.WriteStartObject();
        writer.WritePropertyName("resource"u8);
        OperationOutcome.Write(writer, warnings);
        WriteMode(writer, "outcome"u8);
        writer.WriteEndObject();
    }

    private static void WriteMode(Utf8JsonWriter writer, ReadOnlySpan<byte> mode)
    {
        writer.WriteStartObject("search"u8);
        writer.WriteString("mode"u8, mode);
        writer.WriteEndObject();
    }

    // Says what was used (R4 §3.1.1.5.6): ignored parameters are gone, _count is what it was limited to.
    private string Url(string? cursor)
    {
        var parts = used.Where(argument => argument.Name is not ("_cursor" or "_count"))
            .Select(argument => $"{Uri.EscapeDataString(argument.Name)}={Uri.EscapeDataString(argument.Value)}")
            .Append($"_count={(query.CountOnly ? 0 : query.Count)}");
        if (cursor is not null)
        {
            parts = parts.Append($"_cursor={Uri.EscapeDataString(cursor)}");
        }

        return $"{address.FhirBase}{path}?{string.Join('&', parts)}";
    }
}
