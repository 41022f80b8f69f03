using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Parses the value of one parameter: its alternatives, each by the parameter's type.</summary>
internal sealed class CriterionParser(TokenValues tokens, ReferenceValues references, CompositeComponents components)
{
    public Outcome<SearchCriterion> Parse(SearchParameter parameter, string? modifier, string value)
    {
        if (modifier == "missing")
        {
            return value is "true" or "false"
                ? new SearchCriterion.Missing(parameter, value == "true")
                : SearchIssues.BadValue(parameter.Code, value, "true or false");
        }

        var alternatives = ValueText.Split(value, ',');
        if (alternatives.Count > SearchLimits.MaxAlternatives)
        {
            return SearchIssues.TooMany($"alternatives in '{parameter.Code}'", SearchLimits.MaxAlternatives);
        }

        if (alternatives.Exists(string.IsNullOrEmpty))
        {
            return SearchIssues.BadValue(parameter.Code, value, "a value that is not empty");
        }

        return parameter.Type switch
        {
            _ when parameter.Code == "_id" => Plain(parameter, modifier, () => new SearchCriterion.Ids(parameter, [.. alternatives.Select(ValueText.Unescape)])),
            SearchParameterType.Token => tokens.Parse(parameter, modifier, alternatives),
            SearchParameterType.Date => Plain(parameter, modifier, () => Dates(parameter, alternatives)),
            SearchParameterType.Reference => references.Parse(parameter, modifier, alternatives),
            SearchParameterType.String => Strings(parameter, modifier, alternatives),
            SearchParameterType.Uri => Uris(parameter, modifier, alternatives),
            SearchParameterType.Number => Plain(parameter, modifier, () => Numbers(parameter, alternatives)),
            SearchParameterType.Quantity => Plain(parameter, modifier, () => Quantities(parameter, alternatives)),
            SearchParameterType.Composite => Plain(parameter, modifier, () => Composites(parameter, alternatives)),
            _ => SearchIssues.NotIndexed(parameter.Code),
        };
    }

    /// <summary>Parses each alternative; the first that cannot be read refuses all.</summary>
    public static Outcome<List<T>> Each<T>(IEnumerable<string> alternatives, Func<string, Outcome<T>> parse)
    {
        var values = new List<T>();
        foreach (var alternative in alternatives)
        {
            if (!parse(alternative).TryGetValue(out var value, out var issues))
            {
                return Outcome<List<T>>.Refused(issues);
            }

            values.Add(value);
        }

        return values;
    }

    public static Outcome<SearchCriterion> Then<T>(Outcome<List<T>> values, Func<List<T>, SearchCriterion> criterion) =>
        values.TryGetValue(out var known, out var issues) ? criterion(known) : Outcome<SearchCriterion>.Refused(issues);

    private static Outcome<SearchCriterion> Plain(SearchParameter parameter, string? modifier, Func<Outcome<SearchCriterion>> criterion) =>
        modifier is null ? criterion() : SearchIssues.UnknownModifier(parameter.Code, modifier);

    private static Outcome<SearchCriterion> Dates(SearchParameter parameter, List<string> alternatives) => Then(Each<DateMatch>(alternatives, alternative =>
    {
        var (prefix, text) = ValueText.SplitPrefix(ValueText.Unescape(alternative));
        return FhirDate.TryParseInterval(text, out var start, out var end)
            ? new DateMatch(prefix, start, end)
            : SearchIssues.BadValue(parameter.Code, alternative, "a date such as 2026-11-21 or 2026-11-21T10:30:00Z, with an optional prefix eq ne gt lt ge le sa eb ap ('+' must be sent as %2B)");
    }), values => new SearchCriterion.Dates(parameter, values));

    private static Outcome<SearchCriterion> Strings(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        StringMatchMode? mode = modifier switch
        {
            null => StringMatchMode.StartsWith,
            "contains" => StringMatchMode.Contains,
            "exact" => StringMatchMode.Exact,
            _ => null,
        };
        return mode is { } known
            ? new SearchCriterion.Strings(parameter, [.. alternatives.Select(ValueText.Unescape)], known)
            : SearchIssues.UnknownModifier(parameter.Code, modifier!);
    }

    private static Outcome<SearchCriterion> Uris(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        UriMatchMode? mode = modifier switch
        {
            null => UriMatchMode.Exact,
            "below" => UriMatchMode.Below,
            "above" => UriMatchMode.Above,
            _ => null,
        };
        return mode is { } known
            ? new SearchCriterion.Uris(parameter, [.. alternatives.Select(ValueText.Unescape)], known)
            : SearchIssues.UnknownModifier(parameter.Code, modifier!);
    }

    private static Outcome<SearchCriterion> Numbers(SearchParameter parameter, List<string> alternatives) =>
        Then(Each(alternatives, alternative => NumberValues.Number(parameter.Code, alternative)), values => new SearchCriterion.Numbers(parameter, values));

    private static Outcome<SearchCriterion> Quantities(SearchParameter parameter, List<string> alternatives) =>
        Then(Each(alternatives, alternative => NumberValues.Quantity(parameter.Code, alternative)), values => new SearchCriterion.Quantities(parameter, values));

    private Outcome<SearchCriterion> Composites(SearchParameter parameter, List<string> alternatives) => Then(Each(alternatives, alternative =>
    {
        var parts = ValueText.Split(alternative, '$');
        var parameters = components.Of(parameter);
        if (parts.Count != parameters.Count || parts.Exists(string.IsNullOrEmpty))
        {
            return SearchIssues.BadValue(parameter.Code, alternative, $"{parameter.Components.Count} values with '$' between them: {string.Join('$', parameters.Select(one => one.Code))}");
        }

        return Each(Enumerable.Range(0, parts.Count).Select(index => parts[index]).Zip(parameters, (part, component) => (part, component)).ToList(), pair => Parse(pair.component, modifier: null, pair.part));
    }), values => new SearchCriterion.Composites(parameter, values));

    private static Outcome<IReadOnlyList<SearchCriterion>> Each(List<(string Part, SearchParameter Component)> parts, Func<(string part, SearchParameter component), Outcome<SearchCriterion>> parse)
    {
        var criteria = new List<SearchCriterion>();
        foreach (var part in parts)
        {
            if (!parse(part).TryGetValue(out var criterion, out var issues))
            {
                return Outcome<IReadOnlyList<SearchCriterion>>.Refused(issues);
            }

            criteria.Add(criterion);
        }

        return criteria;
    }
}
