using System.Globalization;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>The parameters that say what to do with the matches (R4 §3.1.1.5): order, page, total, includes.</summary>
internal sealed class ResultParameters(IndexPolicy policy)
{
    /// <returns>False when the argument is a condition.</returns>
    public bool TryApply(ParseState state, SearchArgument argument)
    {
        switch (argument.Name)
        {
            case "_count":
                ApplyCount(state, argument.Value);
                return true;
            case "_sort":
                ApplySort(state, argument);
                return true;
            case "_include" or "_include:iterate" or "_include:recurse":
                ApplyInclude(state, argument, reverse: false);
                return true;
            case "_revinclude" or "_revinclude:iterate" or "_revinclude:recurse":
                ApplyInclude(state, argument, reverse: true);
                return true;
            case "_total":
                ApplyTotal(state, argument.Value);
                return true;
            case "_summary":
                state.Query = state.Query with { CountOnly = state.Query.CountOnly || argument.Value == "count" };
                return true;
            case "_cursor":
                state.Query = state.Query with { Cursor = argument.Value };
                return true;
            case "_contained" or "_containedType":
                ApplyContained(state, argument);
                return true;

            // How the answer is written: not for the search.
            case "_format" or "_pretty" or "_elements":
                return true;
            default:
                return false;
        }
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

    private static void ApplyContained(ParseState state, SearchArgument argument)
    {
        switch (argument)
        {
            case { Name: "_contained", Value: "false" or "true" or "both" }:
                state.Query = state.Query with { Contained = argument.Value switch { "true" => ContainedMode.Only, "both" => ContainedMode.Both, _ => ContainedMode.None } };
                break;
            case { Name: "_containedType", Value: "container" or "contained" }:
                state.Query = state.Query with { ContainedAlone = argument.Value == "contained" };
                break;
            default:
                state.Issues.Add(SearchIssues.BadValue(argument.Name, argument.Value, argument.Name == "_contained" ? "true, false or both" : "container or contained"));
                break;
        }

        state.Note(argument);
    }

    private void ApplySort(ParseState state, SearchArgument argument)
    {
        var keys = new List<SortKey>();
        foreach (var part in argument.Value.Split(','))
        {
            var descending = part.StartsWith('-');
            var code = descending ? part[1..] : part;
            if (Key(state, code, out var why) is not { } parameter || keys.Count == SearchLimits.MaxSortKeys)
            {
                state.Issues.Add(SearchIssues.BadSort(part, why ?? "there are too many keys"));
                return;
            }

            keys.Add(new SortKey(parameter, descending));
        }

        state.Note(argument);
        state.Query = state.Query with { Sort = keys };
    }

    private SearchParameter? Key(ParseState state, string code, out string? why)
    {
        why = null;
        if (state.Types.Count > 1 && code != "_lastUpdated")
        {
            why = "several types are searched";
            return null;
        }

        var parameter = policy.Find(state.Types[0], code);
        why = parameter is null ? "there is no such parameter" : !policy.IsSortable(parameter) ? $"a {parameter.Type.ToString().ToLowerInvariant()} parameter has no order, or is not indexed" : null;
        return why is null ? parameter : null;
    }

    private void ApplyInclude(ParseState state, SearchArgument argument, bool reverse)
    {
        var iterate = argument.Name.Contains(':', StringComparison.Ordinal);
        if (state.Includes.Count >= SearchLimits.MaxIncludes)
        {
            state.Issues.Add(SearchIssues.TooMany("includes", SearchLimits.MaxIncludes));
            return;
        }

        var rules = Rules(state, argument.Value, reverse, iterate).ToList();
        if (rules.Count == 0)
        {
            state.Issues.Add(SearchIssues.BadInclude(argument.Value));
        }

        state.Includes.AddRange(rules);
    }

    private IEnumerable<IncludeRule> Rules(ParseState state, string value, bool reverse, bool iterate)
    {
        if (value == "*")
        {
            return reverse || iterate || state.Types.Count > SearchLimits.MaxIncludes
                ? [new IncludeRule("*", null, null, reverse, iterate)]
                : state.Types.Select(type => new IncludeRule(type, null, null, reverse, iterate));
        }

        var parts = value.Split(':');
        var target = parts.Length == 3 ? parts[2] : null;
        if (parts.Length is not (2 or 3) || !policy.Definitions.IsResourceType(parts[0]) || (target is not null && !policy.Definitions.IsResourceType(target)))
        {
            return [];
        }

        var parameter = parts[1] == "*" ? null : policy.Find(parts[0], parts[1]);
        if (parts[1] != "*" && (parameter is not { Type: SearchParameterType.Reference } || policy.WhyNot(parameter) is not null))
        {
            return [];
        }

        var starts = iterate || (reverse ? LeadsHere(state, parameter, target) : state.Types.Contains(parts[0], StringComparer.Ordinal));
        return starts ? [new IncludeRule(parts[0], parameter, target, reverse, iterate)] : [];
    }

    private static bool LeadsHere(ParseState state, SearchParameter? parameter, string? target) =>
        (target is null || state.Types.Contains(target, StringComparer.Ordinal)) && (parameter is null || state.Types.Any(type => ReferenceValues.IsTarget(parameter, type)));
}
