using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>The operators of <c>_filter</c>, each said in the words that search parameters have.</summary>
internal sealed class FilterComparisons(CriterionReader reader)
{
    private static readonly string[] Operators = ["eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re"];

    public Outcome<SearchCriterion> Read(FilterLexer words, string type, SearchParameter parameter, CriterionBudget budget)
    {
        var word = words.Name();
        if (!Operators.Contains(word, StringComparer.Ordinal))
        {
            return words.Refuse($"one of {string.Join(' ', Operators)} should come here");
        }

        if (!Value(words).TryGetValue(out var value, out var issues))
        {
            return Outcome<SearchCriterion>.Refused(issues);
        }

        if (value.Length == 0)
        {
            return words.Refuse("a value should come here");
        }

        return Compare(words, type, parameter, word, value, budget);
    }

    private static Outcome<string> Value(FilterLexer words) => words.IsAtQuote() ? words.String() : words.Token();

    private Outcome<SearchCriterion> Compare(FilterLexer words, string type, SearchParameter parameter, string word, string value, CriterionBudget budget)
    {
        Outcome<SearchCriterion> As(string modifier, string text) => reader.Read(type, parameter.Code + modifier, text, budget);
        var isOrdered = parameter.Type is SearchParameterType.Number or SearchParameterType.Quantity or SearchParameterType.Date;
        var plain = Plain(parameter, value);
        return (word, parameter.Type) switch
        {
            ("pr", _) => value is "true" or "false" ? As(":missing", value == "true" ? "false" : "true") : words.Refuse("true or false should come after 'pr'"),
            ("co" or "sw" or "ew" or "eq", SearchParameterType.String) => Text(parameter, value, word),
            ("ne", SearchParameterType.String) => Unequal(parameter, Text(parameter, value, "eq")),
            ("eq" or "ne" or "gt" or "lt" or "ge" or "le" or "ap" or "sa" or "eb", _) when isOrdered => As("", word + plain),
            ("po", SearchParameterType.Date) => As("", "ap" + plain),
            ("eq", SearchParameterType.Token or SearchParameterType.Uri or SearchParameterType.Reference or SearchParameterType.Composite) => As("", plain),
            ("ne", SearchParameterType.Token or SearchParameterType.Uri or SearchParameterType.Reference or SearchParameterType.Composite) => Unequal(parameter, As("", plain)),
            ("co", SearchParameterType.Token) => As(":text", plain),
            ("ss", SearchParameterType.Token) => As(":below", plain),
            ("sb", SearchParameterType.Token) => As(":above", plain),
            ("in", SearchParameterType.Token) => As(":in", plain),
            ("ni", SearchParameterType.Token) => As(":not-in", plain),
            ("sw" or "ss", SearchParameterType.Uri) => As(":below", plain),
            ("sb", SearchParameterType.Uri) => As(":above", plain),
            ("re", SearchParameterType.Reference or SearchParameterType.Uri) => As("", plain),
            _ => words.Refuse($"'{word}' does not compare a {parameter.Type.ToString().ToLowerInvariant()} ('{parameter.Code}')"),
        };
    }

    // One value, whatever characters it has; bars and dollars separate where the parameter's type gives them a meaning.
    private static string Plain(SearchParameter parameter, string value)
    {
        var escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
        return parameter.Type == SearchParameterType.Composite ? escaped : escaped.Replace("$", "\\$", StringComparison.Ordinal);
    }

    private static Outcome<SearchCriterion> Text(SearchParameter parameter, string value, string word) => new SearchCriterion.Strings(parameter, [value], word switch
    {
        "co" => StringMatchMode.Contains,
        "sw" => StringMatchMode.StartsWith,
        "ew" => StringMatchMode.EndsWith,
        _ => StringMatchMode.Equals,
    });

    // It has a value, and none is that one.
    private static Outcome<SearchCriterion> Unequal(SearchParameter parameter, Outcome<SearchCriterion> equal) => equal.TryGetValue(out var criterion, out _)
        ? new SearchCriterion.And([new SearchCriterion.Missing(parameter, IsMissing: false), new SearchCriterion.Not(criterion)])
        : equal;
}
