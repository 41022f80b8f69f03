using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// The parameters of Observation that have no rows because others answer them: <c>combo-*</c> is the Observation's own value or a component's; code and value are
/// single, so <c>code-value-*</c> is both conditions.
/// </summary>
internal sealed class ObservationSql(SearchContext context, TokenSql tokens, QuantitySql quantities)
{
    private const string ComponentQuantity = "component-value-quantity";

    /// <summary>The same criterion over parameters that have rows; null when it is one of them already.</summary>
    public SearchCriterion? Rewritten(SearchCriterion criterion)
    {
        if (!context.IsObservation || criterion.Parameter is not { } parameter)
        {
            return null;
        }

        return criterion is SearchCriterion.Missing missing ? MissingOf(missing)
            : criterion is SearchCriterion.Composites composites ? CompositeOf(composites)
            : Halves(parameter.Code) is var (own, component) && own.Length > 0 ? Either(criterion, own, component)
            : null;
    }

    /// <summary><c>component-code-value-quantity</c>: the quantity of a component stands beside the set of its codes.</summary>
    public Condition? ComponentQuantities(SearchCriterion.Composites composites)
    {
        if (!context.IsObservation || composites.Of.Code != "component-code-value-quantity")
        {
            return null;
        }

        if (context.Parameter(ComponentQuantity) is not { } parameter || context.Parameter("component-code") is not { } code)
        {
            return Condition.Never;
        }

        return Condition.AnyOf([.. composites.Values.Select(pair =>
        {
            var (token, quantity) = ((SearchCriterion.Tokens)pair[0], (SearchCriterion.Quantities)pair[1]);
            var on = tokens.InSets("i.codes", code, tokens.ConceptOf("concept", token.Values)).Append(" AND ").Append(Condition.AnyOf([.. quantity.Values.Select(match => quantities.Matches(match, "i"))]));
            return new Probe("quantity_index", parameter, on, IsPoint: true).About(context.Row);
        })]);
    }

    private static (string Own, string Component) Halves(string combo) => combo switch
    {
        "combo-code" => ("code", "component-code"),
        "combo-data-absent-reason" => ("data-absent-reason", "component-data-absent-reason"),
        "combo-value-concept" => ("value-concept", "component-value-concept"),
        "combo-value-quantity" => ("value-quantity", ComponentQuantity),
        _ => ("", ""),
    };

    // "Not" is said of both halves together: neither has such a value.
    private SearchCriterion Either(SearchCriterion criterion, string own, string component) => criterion is SearchCriterion.Tokens { Negated: true } negated
        ? new SearchCriterion.Not(Either(new SearchCriterion.Tokens(negated.Of, negated.Values, Negated: false), own, component))
        : new SearchCriterion.Or([About(criterion, own), About(criterion, component)]);

    private SearchCriterion? CompositeOf(SearchCriterion.Composites composites)
    {
        if (Value(composites.Of.Code) is not { } value)
        {
            return null;
        }

        var own = new SearchCriterion.Or([.. composites.Values.Select(pair => new SearchCriterion.And([About(pair[0], "code"), About(pair[1], value)]))]);
        return composites.Of.Code.StartsWith("combo-", StringComparison.Ordinal)
            ? new SearchCriterion.Or([own, new SearchCriterion.Composites(context.Definition("component-code-" + value), [.. composites.Values.Select(pair => (IReadOnlyList<SearchCriterion>)[About(pair[0], "component-code"), About(pair[1], "component-" + value)])])])
            : own;
    }

    private SearchCriterion? MissingOf(SearchCriterion.Missing missing)
    {
        SearchCriterion Present(string code) => new SearchCriterion.Missing(context.Definition(code), IsMissing: false);
        var code = missing.Of.Code;
        var present = Halves(code) is var (own, component) && own.Length > 0 ? new SearchCriterion.Or([Present(own), Present(component)])
            : Value(code) is not { } value ? null
            : code.StartsWith("combo-", StringComparison.Ordinal) ? new SearchCriterion.Or([new SearchCriterion.And([Present("code"), Present(value)]), Present("component-code-" + value)])
            : (SearchCriterion)new SearchCriterion.And([Present("code"), Present(value)]);
        return present is null ? null : missing.IsMissing ? new SearchCriterion.Not(present) : present;
    }

    private static string? Value(string composite) => composite switch
    {
        "code-value-concept" or "combo-code-value-concept" => "value-concept",
        "code-value-quantity" or "combo-code-value-quantity" => "value-quantity",
        "code-value-date" => "value-date",
        "code-value-string" => "value-string",
        _ => null,
    };

    private SearchCriterion About(SearchCriterion criterion, string code)
    {
        var parameter = context.Definition(code);
        return criterion switch
        {
            SearchCriterion.Tokens tokens => new SearchCriterion.Tokens(parameter, tokens.Values, tokens.Negated),
            SearchCriterion.TokenTexts texts => new SearchCriterion.TokenTexts(parameter, texts.Values),
            SearchCriterion.TypedIdentifiers typed => new SearchCriterion.TypedIdentifiers(parameter, typed.Values),
            SearchCriterion.Quantities values => new SearchCriterion.Quantities(parameter, values.Values),
            SearchCriterion.Dates dates => new SearchCriterion.Dates(parameter, dates.Values),
            SearchCriterion.Strings strings => new SearchCriterion.Strings(parameter, strings.Values, strings.Mode),
            _ => throw new InvalidOperationException($"{criterion.GetType().Name} is not part of an Observation's composite."),
        };
    }
}
