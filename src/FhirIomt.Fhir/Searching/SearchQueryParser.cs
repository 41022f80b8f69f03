using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>One <c>name=value</c> of a search URL, both already percent-decoded.</summary>
public readonly record struct SearchArgument(string Name, string Value);

/// <summary>Turns the parameters of a search URL into a <see cref="SearchQuery"/>; collects every problem.</summary>
public sealed class SearchQueryParser(IndexPolicy policy)
{
    private readonly FhirDefinitions _definitions = policy.Definitions;

    /// <param name="resourceType">A concrete R4 resource type.</param>
    /// <param name="arguments">In URL order.</param>
    /// <param name="lenient">Ignore unknown parameters (<c>Prefer: handling=lenient</c>); malformed values are refused either way.</param>
    /// <returns>The query; for a lenient parse the ignored parameters are its warnings.</returns>
    public Outcome<SearchQuery> Parse(string resourceType, IReadOnlyList<SearchArgument> arguments, bool lenient)
    {
        var state = new ParseState(resourceType, lenient);
        if (arguments.Count > SearchLimits.MaxParameters)
        {
            return SearchIssues.TooMany("search parameters", SearchLimits.MaxParameters);
        }

        foreach (var argument in arguments)
        {
            Apply(state, argument);
        }

        return state.Issues.Any(issue => issue.Refuses)
            ? Outcome<SearchQuery>.Refused([.. state.Issues.Where(issue => issue.Refuses)])
            : Outcome<SearchQuery>.Success(state.Query with { Criteria = state.Criteria, Includes = state.Includes }, state.Issues);
    }

    /// <summary>One parameter as a criterion: used by searches and by granular scopes alike.</summary>
    public Outcome<SearchCriterion> ParseCriterion(string resourceType, string name, string value)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var code = colon < 0 ? name : name[..colon];
        var modifier = colon < 0 ? null : name[(colon + 1)..];
        if (_definitions.SearchParameter(resourceType, code) is not { } parameter)
        {
            return SearchIssues.UnknownParameter(resourceType, code);
        }

        return policy.IsIndexed(parameter) ? CriterionParser.Parse(parameter, modifier, value) : SearchIssues.NotIndexed(code);
    }

    /// <summary>A text as one search value: what would separate values is escaped (R4 §3.1.1.4.4).</summary>
    public static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal)
        .Replace("|", "\\|", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal);

    private void Apply(ParseState state, SearchArgument argument)
    {
        switch (argument.Name)
        {
            case "_count":
                ApplyCount(state, argument.Value);
                break;
            case "_sort":
                ApplySort(state, argument.Value);
                break;
            case "_include":
                ApplyInclude(state, argument.Value);
                break;
            case "_total":
                ApplyTotal(state, argument.Value);
                break;
            case "_summary" when argument.Value == "count":
                state.Query = state.Query with { CountOnly = true };
                break;
            case "_cursor":
                state.Query = state.Query with { Cursor = argument.Value };
                break;
            case "_format" or "_pretty":
                break;
            default:
                ApplyCriterion(state, argument);
                break;
        }
    }

    private void ApplyCriterion(ParseState state, SearchArgument argument)
    {
        if (ParseCriterion(state.Query.ResourceType, argument.Name, argument.Value).TryGetValue(out var criterion, out var issues))
        {
            state.Criteria.Add(criterion);
            return;
        }

        var ignorable = state.Lenient && issues is [{ Code: "IOMT-0700" }];
        state.Issues.AddRange(ignorable ? issues.Select(issue => issue with { Severity = IssueSeverity.Warning }) : issues);
    }

    private static void ApplyCount(ParseState state, string value)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            state.Issues.Add(SearchIssues.BadValue("_count", value, $"a whole number from 0 to {SearchLimits.MaxCount}"));
            return;
        }

        // R4 §3.1.1.5.2: a server may give less than was asked for; the self link says what was used.
        state.Query = state.Query with { Count = Math.Min(count, SearchLimits.MaxCount), CountOnly = state.Query.CountOnly || count == 0 };
    }

    private static void ApplyTotal(ParseState state, string value)
    {
        switch (value)
        {
            case "none":
                break;
            case "accurate" or "estimate":
                state.Query = state.Query with { Total = TotalMode.Accurate };
                break;
            default:
                state.Issues.Add(SearchIssues.BadValue("_total", value, "none, estimate or accurate"));
                break;
        }
    }

    private void ApplySort(ParseState state, string value)
    {
        var keys = new List<SortKey>();
        foreach (var part in value.Split(','))
        {
            var descending = part.StartsWith('-');
            var code = descending ? part[1..] : part;
            var parameter = _definitions.SearchParameter(state.Query.ResourceType, code);
            if (parameter is null || !IndexPolicy.IsSortable(parameter) || keys.Count > 0)
            {
                state.Issues.Add(SearchIssues.BadSort(part));
                return;
            }

            keys.Add(new SortKey(parameter, descending));
        }

        state.Query = state.Query with { Sort = keys };
    }

    private void ApplyInclude(ParseState state, string value)
    {
        var parts = value.Split(':');
        var parameter = parts.Length is 2 or 3 && parts[0] == state.Query.ResourceType ? _definitions.SearchParameter(parts[0], parts[1]) : null;
        if (parameter is not { Type: SearchParameterType.Reference })
        {
            state.Issues.Add(SearchIssues.BadInclude(value));
            return;
        }

        if (state.Includes.Count == SearchLimits.MaxIncludes)
        {
            state.Issues.Add(SearchIssues.TooMany("includes", SearchLimits.MaxIncludes));
            return;
        }

        state.Includes.Add(new IncludeRule(parameter, parts.Length == 3 ? parts[2] : null));
    }

    private sealed class ParseState(string resourceType, bool lenient)
    {
        public SearchQuery Query { get; set; } = new() { ResourceType = resourceType };

        public bool Lenient { get; } = lenient;

        public List<SearchCriterion> Criteria { get; } = [];

        public List<IncludeRule> Includes { get; } = [];

        public List<Issue> Issues { get; } = [];
    }
}
