using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>search-type (R4 §3.1.0.12): <c>GET /fhir/{type}?…</c> and <c>POST /fhir/{type}/_search</c>.</summary>
internal sealed class Search(ResourceRepository repository, SearchQueryParser parser, ServerAddress address)
{
    private const int MaxFormBytes = 64 * 1024;

    public Task<FhirAnswer> GetAsync(FhirCall call) => RunAsync(call, call.Arguments);

    public async Task<FhirAnswer> PostAsync(FhirCall call)
    {
        if (!(await call.ReadAsync().ConfigureAwait(false)).TryGetValue(out var body, out var refusal))
        {
            return refusal;
        }

        // A search without a body is one by its address.
        if (body.MediaType != MediaTypes.Form && body.Bytes.Length > 0)
        {
            return FhirAnswer.Refused(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(body.MediaType) with { Fix = "Send application/x-www-form-urlencoded." });
        }

        if (body.Bytes.Length > MaxFormBytes)
        {
            return FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, ApiIssues.TooLarge(MaxFormBytes));
        }

        IReadOnlyList<SearchArgument> arguments = [.. call.Arguments, .. SearchCondition.Arguments(Encoding.UTF8.GetString(body.Bytes.Span))];
        return call.Reshape(arguments) is { } badShape ? badShape : await RunAsync(call, arguments).ConfigureAwait(false);
    }

    private async Task<FhirAnswer> RunAsync(FhirCall call, IReadOnlyList<SearchArgument> arguments)
    {
        if (!parser.Parse(call.Type, arguments, call.Prefers("handling=lenient")).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        var result = await repository.SearchAsync(query, call.Scope, call.Cancelled).ConfigureAwait(false);
        if (result is not SearchResult.Found { Page: var page })
        {
            return FhirAnswer.Refused(((SearchResult.Refused)result).Refusal);
        }

        var used = arguments.Where(argument => !issues.Any(issue => issue.Expression == argument.Name.Split(':')[0])).ToList();
        return FhirAnswer.Written(writer => WriteBundle(writer, call.Type, query, used, page, issues));
    }

    private void WriteBundle(Utf8JsonWriter writer, string type, SearchQuery query, List<SearchArgument> used, SearchPage page, IReadOnlyList<Issue> warnings)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        writer.WriteString("type"u8, "searchset"u8);
        if (page.Total is { } total)
        {
            writer.WriteNumber("total"u8, total);
        }

        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", Url(type, query, used, query.Cursor));
        if (page.Next is { } next)
        {
            BundleWriter.Link(writer, "next", Url(type, query, used, next));
        }

        writer.WriteEndArray();
        if (page.Matches.Count + page.Included.Count + warnings.Count > 0)
        {
            writer.WriteStartArray("entry"u8);
            WriteEntries(writer, page.Matches, "match"u8);
            WriteEntries(writer, page.Included, "include"u8);
            WriteWarnings(writer, warnings);
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

    private static void WriteWarnings(Utf8JsonWriter writer, IReadOnlyList<Issue> warnings)
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
    private string Url(string type, SearchQuery query, List<SearchArgument> used, string? cursor)
    {
        var parts = used.Where(argument => argument.Name is not ("_cursor" or "_count"))
            .Select(argument => $"{Uri.EscapeDataString(argument.Name)}={Uri.EscapeDataString(argument.Value)}")
            .Append($"_count={(query.CountOnly ? 0 : query.Count)}");
        if (cursor is not null)
        {
            parts = parts.Append($"_cursor={cursor}");
        }

        return $"{address.FhirBase}/{type}?{string.Join('&', parts)}";
    }
}
