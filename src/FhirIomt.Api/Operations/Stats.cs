using System.Globalization;
using System.Text.Json;
using FhirIomt.Api.Auditing;
using FhirIomt.Api.Http;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Searching;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>Observation/$stats</c> (R4, Observation-stats): statistics of one subject's values for codes, of Observations and of their components, over a time. Values in other units are converted when UCUM knows
/// how; those that cannot be are counted, not calculated with. What was entered in error or cancelled does not count.
/// </summary>
internal sealed class Stats(SearchService searches, SearchQueryParser parser, TimeProvider time)
{
    // A year of a glucose monitor's readings every five minutes.
    private const int MaxValues = 110_000;

    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!(await OperationParameters.ReadAsync(call, soleResource: null).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal)
            || !StatsRequest.Read(parameters, time).TryGetValue(out var request, out refusal))
        {
            return refusal;
        }

        var series = new List<StatsSeries>();
        var sources = new List<StoredResource>();
        foreach (var (system, code) in request.Codes)
        {
            if (!(await CollectAsync(call, request, system, code, sources).ConfigureAwait(false)).TryGetValue(out var found, out refusal))
            {
                return refusal;
            }

            series.Add(found);
        }

        return FhirAnswer.Written(writer => Write(writer, request, series, sources)) with { About = new AnswerSubjects(request.Subject.Split('/') is [.., "Patient", var patient] ? [patient] : [], sources) };
    }

    private async Task<Outcome<StatsSeries, FhirAnswer>> CollectAsync(FhirCall call, StatsRequest request, string? system, string code, List<StoredResource> sources)
    {
        var token = system is null ? SearchQueryParser.Escape(code) : $"{SearchQueryParser.Escape(system)}|{SearchQueryParser.Escape(code)}";
        IReadOnlyList<SearchArgument> criteria =
        [
            new("subject", request.Subject), new(CodeParameter(call), token), new("date", "ge" + Instant(request.Start)), new("date", "le" + Instant(request.End)),
            new("status:not", "entered-in-error,cancelled"), new("_sort", "-date"), new("_count", $"{SearchLimits.MaxCount}"),
        ];
        if (!parser.Parse("Observation", criteria, lenient: false).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        var series = new StatsSeries(system, code);
        do
        {
            var result = await searches.SearchAsync(query, call.Scope, call.Cancelled).ConfigureAwait(false);
            if (result is not SearchResult.Found { Page: var page })
            {
                return FhirAnswer.Refused(((SearchResult.Refused)result).Refusal);
            }

            foreach (var resource in page.Matches)
            {
                series.Add(JsonTree.Parse(resource.Body).Require().Root);
                if (request.Include && sources.Count < request.Limit)
                {
                    sources.Add(resource);
                }
            }

            if (series.TotalCount > MaxValues)
            {
                return FhirAnswer.Refused(StatusCodes.Status422UnprocessableEntity, SearchIssues.TooMany("Observations in one calculation", MaxValues));
            }

            query = query with { Cursor = page.Next };
        }
        while (query.Cursor is not null);

        return series;
    }

    // Who does not see components gets statistics of what stands beside them.
    private static string CodeParameter(FhirCall call) =>
        FhirDefinitions.R4.SearchParameter("Observation", "combo-code") is { } combo && call.Scope.Rules.Fields.ReadsHidden(combo) ? "code" : "combo-code";

    private static void Write(Utf8JsonWriter writer, StatsRequest request, List<StatsSeries> series, List<StoredResource> sources)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        writer.WriteStartArray("parameter"u8);
        foreach (var one in series)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, "statistics"u8);
            writer.WritePropertyName("resource"u8);
            WriteStatistics(writer, request, one);
            writer.WriteEndObject();
        }

        sources.ForEach(source => OperationParameters.WriteResource(writer, "source", source.Body));
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteStatistics(Utf8JsonWriter writer, StatsRequest request, StatsSeries series)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Observation"u8);
        writer.WriteString("status"u8, "final"u8);
        WriteConcept(writer, series.System, series.Code);
        writer.WriteStartObject("subject"u8);
        writer.WriteString("reference"u8, request.Subject);
        writer.WriteEndObject();
        writer.WriteStartObject("effectivePeriod"u8);
        writer.WriteString("start"u8, Instant(request.Start));
        writer.WriteString("end"u8, Instant(request.End));
        writer.WriteEndObject();
        var values = series.Calculate(request.Statistics);
        if (values.Count > 0)
        {
            writer.WriteStartArray("component"u8);
            foreach (var (statistic, value) in values)
            {
                writer.WriteStartObject();
                WriteConcept(writer, StatsSeries.CodeSystem, statistic);
                WriteQuantity(writer, value, StatsSeries.HasUnit(statistic) ? series.Unit : null);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteConcept(Utf8JsonWriter writer, string? system, string code)
    {
        writer.WriteStartObject("code"u8);
        writer.WriteStartArray("coding"u8);
        writer.WriteStartObject();
        if (system is not null)
        {
            writer.WriteString("system"u8, system);
        }

        writer.WriteString("code"u8, code);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteQuantity(Utf8JsonWriter writer, decimal value, StatsUnit? unit)
    {
        writer.WriteStartObject("valueQuantity"u8);
        writer.WriteNumber("value"u8, value);
        if (unit is { Text: { } text })
        {
            writer.WriteString("unit"u8, text);
        }

        if (unit is { System: { } system, Code: { } code })
        {
            writer.WriteString("system"u8, system);
            writer.WriteString("code"u8, code);
        }

        writer.WriteEndObject();
    }

    private static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
