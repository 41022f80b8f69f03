using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Token values with their modifiers (R4 §3.1.1.4.10). What needs terminology is asked of it here, so that a store compares codes only.</summary>
internal sealed class TokenValues(ImplicitSystems implicitSystems, StringTokens strings, ITerminology? terminology)
{
    public Outcome<SearchCriterion> Parse(SearchParameter parameter, string? modifier, List<string> alternatives) => modifier switch
    {
        null or "not" => CriterionParser.Then(CriterionParser.Each(alternatives, alternative => Token(parameter, alternative)), values => new SearchCriterion.Tokens(parameter, Spread(parameter, values), modifier == "not")),
        "text" => new SearchCriterion.TokenTexts(parameter, [.. alternatives.Select(ValueText.Unescape)]),
        "of-type" => CriterionParser.Then(CriterionParser.Each(alternatives, alternative => OfType(parameter, alternative)), values => new SearchCriterion.TypedIdentifiers(parameter, values)),
        "in" or "not-in" when terminology is not null => Expanded(parameter, alternatives, modifier == "not-in", Members),
        "above" or "below" when terminology is not null => Expanded(parameter, alternatives, negated: false, (code, alternative) => Related(code, alternative, modifier == "below")),
        _ => SearchIssues.UnknownModifier(parameter.Code, modifier),
    };

    /// <summary>One of the four forms.</summary>
    public static Outcome<TokenMatch> Token(SearchParameter parameter, string alternative)
    {
        var token = ValueText.Split(alternative, '|') switch
        {
            [var code] => new TokenMatch(null, ValueText.Unescape(code)),
            [var system, var code] when system.Length + code.Length > 0 => new TokenMatch(ValueText.Unescape(system), code.Length == 0 ? null : ValueText.Unescape(code)),
            _ => default,
        };
        return token == default ? SearchIssues.BadValue(parameter.Code, alternative, "code, system|code, |code or system|") : token;
    }

    // A plain code element says no system; its required binding does, and whoever names that one means the code (R4 §3.1.1.4.10). A string is kept without its case.
    private List<TokenMatch> Spread(SearchParameter parameter, List<TokenMatch> values)
    {
        var spread = new List<TokenMatch>(values);
        foreach (var value in values)
        {
            if (value.System is { Length: > 0 } system && implicitSystems.Of(parameter).Contains(system))
            {
                spread.Add(value with { System = "" });
            }

            if (value.Code is { } code && strings.Has(parameter))
            {
                spread.Add(value with { Code = code.ToLowerInvariant() });
            }
        }

        return spread;
    }

    private static Outcome<TypedIdentifierMatch> OfType(SearchParameter parameter, string alternative) =>
        ValueText.Split(alternative, '|') is [{ Length: > 0 } system, { Length: > 0 } code, { Length: > 0 } value]
            ? new TypedIdentifierMatch(ValueText.Unescape(system), ValueText.Unescape(code), ValueText.Unescape(value))
            : SearchIssues.BadValue(parameter.Code, alternative, "type system|type code|identifier value");

    private Outcome<SearchCriterion> Expanded(SearchParameter parameter, List<string> alternatives, bool negated, Func<string, string, Outcome<IReadOnlyList<TokenMatch>>> expand)
    {
        if (!CriterionParser.Each(alternatives, alternative => expand(parameter.Code, alternative)).TryGetValue(out var sets, out var issues))
        {
            return Outcome<SearchCriterion>.Refused(issues);
        }

        var codes = sets.SelectMany(set => set).Distinct().ToList();
        return codes.Count > SearchLimits.MaxExpandedCodes
            ? SearchIssues.TooMany($"codes that '{parameter.Code}' stands for", SearchLimits.MaxExpandedCodes)
            : new SearchCriterion.Tokens(parameter, Spread(parameter, codes), negated);
    }

    private Outcome<IReadOnlyList<TokenMatch>> Members(string code, string valueSet)
    {
        var url = ValueText.Unescape(valueSet);
        return terminology!.Members(url, SearchLimits.MaxExpandedCodes + 1) is { } members
            ? Outcome<IReadOnlyList<TokenMatch>>.Success(members)
            : SearchIssues.UnknownSet(code, url);
    }

    private Outcome<IReadOnlyList<TokenMatch>> Related(string code, string alternative, bool below)
    {
        if (ValueText.Split(alternative, '|') is not [{ Length: > 0 } system, { Length: > 0 } value])
        {
            return SearchIssues.BadValue(code, alternative, "system|code");
        }

        return terminology!.Related(ValueText.Unescape(system), ValueText.Unescape(value), below, SearchLimits.MaxExpandedCodes + 1) is { } related
            ? Outcome<IReadOnlyList<TokenMatch>>.Success(related)
            : SearchIssues.UnknownSet(code, ValueText.Unescape(system));
    }
}
