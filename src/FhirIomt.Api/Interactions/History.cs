using System.Globalization;
using System.Text.Json;
using FhirIomt.Api.Auditing;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using FhirIomt.Storage;

namespace FhirIomt.Api.Interactions;

/// <summary>history (R4 §3.1.0.13) of a resource, a type, or everything: <c>GET /fhir/[{type}/[{id}/]]_history</c> with <c>_count</c>, <c>_since</c>, <c>_at</c>.</summary>
internal sealed class History(ResourceRepository repository, ServerAddress address)
{
    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!Query(call).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        var result = await repository.HistoryAsync(query, call.Scope, call.Cancelled).ConfigureAwait(false);
        return result is HistoryResult.Found found
            ? FhirAnswer.Written(writer => Write(writer, call, query, found)) with { About = new AnswerSubjects([], found.Versions) }
            : FhirAnswer.Refused(((HistoryResult.Refused)result).Refusal);
    }

    private static Outcome<HistoryQuery> Query(FhirCall call)
    {
        var query = new HistoryQuery { Type = Given(call.Type), Id = Given(call.Id) };
        foreach (var (name, value) in call.Arguments)
        {
            switch (name)
            {
                case "_count" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0:
                    query = query with { Count = Math.Min(count, SearchLimits.MaxCount) };
                    break;
                case "_since" when FhirDate.TryParseInterval(value, out var since, out _):
                    query = query with { Since = since };
                    break;
                case "_at" when FhirDate.TryParseInterval(value, out var start, out var end):
                    query = query with { At = (start, end) };
                    break;
                case "_cursor":
                    query = query with { Cursor = value };
                    break;
                case "_count":
                    return ApiIssues.BadArgument(name, value, $"a whole number from 1 to {SearchLimits.MaxCount}");
                case "_since" or "_at":
                    return ApiIssues.BadArgument(name, value, "a time such as 2026-11-21T10:30:00Z ('+' must be sent as %2B)");
                case "_format" or "_pretty" or "_summary" or "_elements":
                    break;
                default:
                    return ApiIssues.UnknownArgument(name);
            }
        }

        return query;
    }

    private static string? Given(string text) => text.Length == 0 ? null : text;

    private void Write(Utf8JsonWriter writer, FhirCall call, HistoryQuery query, HistoryResult.Found found)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        new BundleLabels().Add(found.Versions).Write(writer);
        writer.WriteString("type"u8, "history"u8);
        if (query.Cursor is null && found.Next is null)
        {
            writer.WriteNumber("total"u8, found.Versions.Count);
        }

        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", Url(call, query, query.Cursor));
        if (found.Next is { } next)
        {
            BundleWriter.Link(writer, "next", Url(call, query, next));
        }

        writer.WriteEndArray();
        if (found.Versions.Count > 0)
        {
            writer.WriteStartArray("entry"u8);
            foreach (var version in found.Versions)
            {
                WriteVersion(writer, version);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private void WriteVersion(Utf8JsonWriter writer, StoredResource version)
    {
        var path = $"{version.Type}/{version.Id}";
        writer.WriteStartObject();
        writer.WriteString("fullUrl"u8, $"{address.FhirBase}/{path}");
        if (!version.IsDeleted)
        {
            writer.WritePropertyName("resource"u8);
            writer.WriteRawValue(version.Body.Span, skipInputValidation: true);
        }

        writer.WriteStartObject("request"u8);
        writer.WriteString("method"u8, version.IsDeleted ? "DELETE"u8 : version.Version == 1 ? "POST"u8 : "PUT"u8);
        writer.WriteString("url"u8, version.Version == 1 ? version.Type : path);
        writer.WriteEndObject();
        writer.WriteStartObject("response"u8);
        writer.WriteString("status"u8, version.IsDeleted ? "204"u8 : version.Version == 1 ? "201"u8 : "200"u8);
        writer.WriteString("etag"u8, FhirResponse.EntityTag(version));
        writer.WriteString("lastModified"u8, BundleWriter.Instant(version.LastUpdated));
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private string Url(FhirCall call, HistoryQuery query, string? cursor)
    {
        var path = string.Join('/', new[] { call.Type, call.Id, "_history" }.Where(part => part.Length > 0));
        var parts = call.Arguments.Where(argument => argument.Name is not ("_cursor" or "_count"))
            .Select(argument => $"{Uri.EscapeDataString(argument.Name)}={Uri.EscapeDataString(argument.Value)}")
            .Append($"_count={query.Count}");
        return $"{address.FhirBase}/{path}?{string.Join('&', cursor is null ? parts : parts.Append($"_cursor={cursor}"))}";
    }
}
