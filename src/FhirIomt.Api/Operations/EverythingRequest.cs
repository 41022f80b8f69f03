using System.Globalization;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Api.Operations;

/// <summary>What a <c>$everything</c> asks for.</summary>
/// <param name="Types">In the order they are read; the patient first.</param>
/// <param name="Cursor">Where the page starts; it carries no authority.</param>
/// <param name="Given">The parameters as they were given, for the links.</param>
internal sealed record EverythingRequest(IReadOnlyList<string> Types, int? Count, string? Cursor, IReadOnlyList<SearchArgument> Given, bool NamesTypes)
{
    private static readonly string[] Compartment =
        ["Patient", .. FhirDefinitions.R4.ResourceTypes.Where(type => type != "Patient" && FhirDefinitions.R4.CompartmentParameters("Patient", type).Count > 0)];

    private string? Since { get; init; }

    private string? Start { get; init; }

    private string? End { get; init; }

    private IReadOnlyList<string> Named { get; init; } = [];

    public bool Allows(string type) => !NamesTypes || Named.Contains(type, StringComparer.Ordinal);

    public static Outcome<EverythingRequest, FhirAnswer> Read(FhirCall call, OperationParameters parameters)
    {
        if (parameters.FirstOther("start", "end", "_since", "_type", "_count", "_cursor") is { } other)
        {
            return FhirAnswer.BadRequest(ApiIssues.UnknownArgument(other));
        }

        var (since, start, end, count, cursor) = (parameters.Text("_since"), parameters.Text("start"), parameters.Text("end"), parameters.Text("_count"), parameters.Text("_cursor"));
        foreach (var (name, time) in new[] { ("_since", since), ("start", start), ("end", end) })
        {
            if (time is not null && !FhirDate.TryParseInterval(time, out _, out _))
            {
                return FhirAnswer.BadRequest(ApiIssues.BadArgument(name, time, "a time such as 2026-11-21T10:30:00Z ('+' must be sent as %2B)"));
            }
        }

        var number = 0;
        if (count is not null && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number == 0))
        {
            return FhirAnswer.BadRequest(ApiIssues.BadArgument("_count", count, $"a whole number from 1 to {SearchLimits.MaxCount}"));
        }

        var named = parameters.Texts("_type").SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries)).ToList();
        if (named.Find(type => !FhirDefinitions.R4.IsResourceType(type)) is { } unknown)
        {
            return FhirAnswer.BadRequest(ApiIssues.BadArgument("_type", unknown, "names of R4 resource types, separated by commas"));
        }

        var types = named.Count == 0 ? Compartment : [.. Compartment.Where(named.Contains)];
        return new EverythingRequest(types, count is null ? null : Math.Min(number, SearchLimits.MaxCount), cursor, Arguments(parameters), named.Count > 0)
        {
            Since = since,
            Start = start,
            End = end,
            Named = named,
        };
    }

    /// <summary>start and end are times of care: they count for types that have a clinical date (R4, Patient-everything).</summary>
    public IReadOnlyList<SearchArgument> Criteria(SearchQueryParser parser, string type)
    {
        var criteria = new List<SearchArgument>();
        if (Since is not null)
        {
            criteria.Add(new SearchArgument("_lastUpdated", "ge" + Since));
        }

        if ((Start ?? End) is not null && type != "Patient" && parser.ParseCriterion(type, "date", "2000").Succeeded)
        {
            criteria.AddRange(new[] { (Start, "ge"), (End, "le") }.Where(bound => bound.Item1 is not null).Select(bound => new SearchArgument("date", bound.Item2 + bound.Item1)));
        }

        return criteria;
    }

    private static List<SearchArgument> Arguments(OperationParameters parameters) =>
        [.. new[] { "start", "end", "_since", "_type", "_count" }.SelectMany(name => parameters.Texts(name).Select(value => new SearchArgument(name, value)))];
}
