using System.Text.Json;
using System.Text.Unicode;
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
    // The base and the longest type and id; longer ones are written as texts.
    private const int MaxUrl = 512;

    private static readonly JsonEncodedText FullUrl = JsonEncodedText.Encode("fullUrl");
    private static readonly JsonEncodedText Resource = JsonEncodedText.Encode("resource");
    private static readonly JsonEncodedText SearchMember = JsonEncodedText.Encode("search");
    private static readonly JsonEncodedText Mode = JsonEncodedText.Encode("mode");
    private static readonly JsonEncodedText Match = JsonEncodedText.Encode("match");
    private static readonly JsonEncodedText Include = JsonEncodedText.Encode("include");
    private static readonly JsonEncodedText Outcome = JsonEncodedText.Encode("outcome");

    private readonly string _base = address.FhirBase;

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
            WriteEntries(writer, page.Matches, Match);
            WriteEntries(writer, page.Included, Include);
            WriteWarnings(writer);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    // Addresses as bytes, names escaped once for all: as texts they were a seventh of what a search allocates.
    private void WriteEntries(Utf8JsonWriter writer, IReadOnlyList<StoredResource> resources, JsonEncodedText mode)
    {
        Span<byte> url = stackalloc byte[MaxUrl];
        foreach (var resource in resources)
        {
            writer.WriteStartObject();
            if (Utf8.TryWrite(url, $"{_base}/{resource.Type}/{resource.Id}", out var length))
            {
                writer.WriteString(FullUrl, url[..length]);
            }
            else
            {
                writer.WriteString(FullUrl, $"{_base}/{resource.Type}/{resource.Id}");
            }

            writer.WritePropertyName(Resource);
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
        WriteMode(writer, Outcome);
        writer.WriteEndObject();
    }

    private static void WriteMode(Utf8JsonWriter writer, JsonEncodedText mode)
    {
        writer.WriteStartObject(SearchMember);
        writer.WriteString(Mode, mode);
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

        return $"{_base}{path}?{string.Join('&', parts)}";
    }
}
