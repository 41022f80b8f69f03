using System.Globalization;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Api.Operations;

/// <summary>What a <c>$stats</c> asks for.</summary>
/// <param name="Start">Inclusive.</param>
/// <param name="End">Inclusive.</param>
internal sealed record StatsRequest(
    string Subject, IReadOnlyList<(string? System, string Code)> Codes, DateTimeOffset Start, DateTimeOffset End, IReadOnlyList<string> Statistics, bool Include, int Limit)
{
    private const int MaxCodes = 20;

    public static Outcome<StatsRequest, FhirAnswer> Read(OperationParameters parameters, TimeProvider time)
    {
        if (parameters.FirstOther("subject", "code", "system", "coding", "duration", "period", "statistic", "include", "limit") is { } other)
        {
            return FhirAnswer.BadRequest(ApiIssues.UnknownArgument(other));
        }

        if (parameters.Text("subject") is not { Length: > 0 } subject)
        {
            return FhirAnswer.BadRequest(ApiIssues.MissingParameter("subject"));
        }

        var codes = CodesOf(parameters);
        if (codes.Count is 0 or > MaxCodes)
        {
            return FhirAnswer.BadRequest(codes.Count == 0 ? ApiIssues.MissingParameter("code") : ApiIssues.BadArgument("code", "", $"at most {MaxCodes} codes"));
        }

        var statistics = parameters.Texts("statistic").SelectMany(text => text.Split(',')).ToList();
        if (statistics.Count == 0 || statistics.Find(one => !StatsSeries.Knows(one)) is not null)
        {
            return FhirAnswer.BadRequest(statistics.Count == 0
                ? ApiIssues.MissingParameter("statistic")
                : ApiIssues.BadArgument("statistic", statistics.Find(one => !StatsSeries.Knows(one))!, string.Join(", ", StatsSeries.Known)));
        }

        if (!Time(parameters, time).TryGetValue(out var span, out var refusal))
        {
            return refusal;
        }

        // Without include the limit is not looked at (R4, Observation-stats).
        var include = parameters.Text("include") == "true";
        var limitText = (include ? parameters.Text("limit") : null) ?? "1000";
        return int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit <= 10_000
            ? new StatsRequest(subject, codes, span.Item1, span.Item2, statistics, include, limit)
            : FhirAnswer.BadRequest(ApiIssues.BadArgument("limit", limitText, "a whole number up to 10000"));
    }

    private static List<(string? System, string Code)> CodesOf(OperationParameters parameters)
    {
        var system = parameters.Text("system");
        var codes = parameters.Texts("code").Select(code => Split(code, system)).ToList();
        foreach (var coding in parameters.Values("coding"))
        {
            codes.Add(coding.AsString() is { } text ? Split(text, system: null) : (coding["system"u8].AsString(), coding["code"u8].AsString() ?? ""));
        }

        return codes.FindAll(code => code.Item2.Length > 0);
    }

    // In an address people write system|code, as they do in a search.
    private static (string? System, string Code) Split(string text, string? system)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar < 0 ? (system, text) : (text[..bar], text[(bar + 1)..]);
    }

    /// <summary>The last <c>duration</c> hours, a <c>period</c>, or the last day.</summary>
    private static Outcome<Tuple<DateTimeOffset, DateTimeOffset>, FhirAnswer> Time(OperationParameters parameters, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (parameters.Values("period").FirstOrDefault() is { IsObject: true } period)
        {
            var hasStart = FhirDate.TryParseInterval(period["start"u8].AsString() ?? "", out var start, out _);
            var hasEnd = FhirDate.TryParseInterval(period["end"u8].AsString() ?? "", out _, out var end);
            return hasStart
                ? Tuple.Create(start, hasEnd ? end : now)
                : FhirAnswer.BadRequest(ApiIssues.BadArgument("period", period.ToString(), "a Period with a start"));
        }

        var hours = parameters.Text("duration") ?? "24";
        return decimal.TryParse(hours, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var duration) && duration is > 0 and <= 876_000
            ? Tuple.Create(now - TimeSpan.FromHours((double)duration), now)
            : FhirAnswer.BadRequest(ApiIssues.BadArgument("duration", hours, "hours, more than 0 and at most 876000"));
    }
}
