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

    public Task GetAsync(HttpContext context, string type) => RunAsync(context, type, FhirRequest.Arguments(context.Request.QueryString.Value ?? ""));

    public async Task PostAsync(HttpContext context, string type)
    {
        if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            var issue = ApiIssues.BadContentType(context.Request.ContentType) with { Fix = "Send application/x-www-form-urlencoded." };
            await FhirResponse.RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, [issue]).ConfigureAwait(false);
            return;
        }

        var (body, error) = await RequestBody.ReadAsync(context.Request, MaxFormBytes).ConfigureAwait(false);
        if (error is { } unreadable)
        {
            await FhirResponse.RefuseAsync(context, unreadable.Status, [unreadable.Issue]).ConfigureAwait(false);
            return;
        }

        var arguments = FhirRequest.Arguments(context.Request.QueryString.Value ?? "").Concat(FhirRequest.Arguments(Encoding.UTF8.GetString(body.Span)));
        await RunAsync(context, type, [.. arguments]).ConfigureAwait(false);
    }

    private async Task RunAsync(HttpContext context, string type, IReadOnlyList<SearchArgument> arguments)
    {
        var lenient = FhirRequest.Prefers(context.Request, "handling=lenient");
        if (!parser.Parse(type, arguments, lenient).TryGetValue(out var query, out var issues))
        {
            await FhirResponse.RefuseAsync(context, StatusCodes.Status400BadRequest, issues).ConfigureAwait(false);
            return;
        }

        var result = await repository.SearchAsync(query, context.AccessScope(), context.RequestAborted).ConfigureAwait(false);
        if (result is not SearchResult.Found { Page: var page })
        {
            await FhirResponse.RefuseAsync(context, ((SearchResult.Refused)result).Refusal).ConfigureAwait(false);
            return;
        }

        var used = arguments.Where(argument => !issues.Any(issue => issue.Expression == argument.Name.Split(':')[0])).ToList();
        FhirResponse.Describe(context.Response);
        var writer = new Utf8JsonWriter(context.Response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            WriteBundle(writer, type, query, used, page, issues);
        }
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
        WriteLink(writer, "self", Url(type, query, used, query.Cursor));
        if (page.Next is { } next)
        {
            WriteLink(writer, "next", Url(type, query, used, next));
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

    private static void WriteLink(Utf8JsonWriter writer, string relation, string url)
    {
        writer.WriteStartObject();
        writer.WriteString("relation"u8, relation);
        writer.WriteString("url"u8, url);
        writer.WriteEndObject();
    }

    // Says what was used (R4 §3.1.1.5.6): ignored parameters are gone, _count is what it was limited to.
    private string Url(string type, SearchQuery query, List<SearchArgument> used, string? cursor)
    {
        var parts = used.Where(argument => argument.Name is not ("_cursor" or "_count" or "_format" or "_pretty"))
            .Select(argument => $"{Uri.EscapeDataString(argument.Name)}={Uri.EscapeDataString(argument.Value)}")
            .Append($"_count={(query.CountOnly ? 0 : query.Count)}");
        if (cursor is not null)
        {
            parts = parts.Append($"_cursor={cursor}");
        }

        return $"{address.FhirBase}/{type}?{string.Join('&', parts)}";
    }
}
