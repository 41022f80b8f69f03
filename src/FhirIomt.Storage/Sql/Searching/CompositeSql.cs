using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>Composites: one row of the component table for each component, all of one repetition (R4 §3.1.1.4.15).</summary>
internal sealed class CompositeSql(SearchContext context, TokenSql tokens, QuantitySql quantities, ReferenceSql references)
{
    public Condition Matches(SearchCriterion.Composites composites)
    {
        if (context.Parameter(composites.Of) is not { } parameter)
        {
            return Condition.Never;
        }

        return Condition.AnyOf([.. composites.Values.Select(components => Repetition(parameter, components))]);
    }

    // Asked about one key: its rows stand together in the primary key.
    private Condition Repetition(long parameter, IReadOnlyList<SearchCriterion> components)
    {
        var condition = new Condition("EXISTS(SELECT 1 FROM component_index i0");
        for (var index = 1; index < components.Count; index++)
        {
            condition.Append($" JOIN component_index i{index} ON i{index}.key=i0.key AND i{index}.parameter=i0.parameter AND i{index}.repetition=i0.repetition AND i{index}.component={index} AND ")
                .Append(Component(components[index], $"i{index}"));
        }

        return condition.Append($" WHERE i0.key={context.Row}.key AND +i0.parameter=? AND i0.component=0 AND ", parameter).Append(Component(components[0], "i0")).Append(")");
    }

    /// <summary>The keys that have such a repetition, to drive a search.</summary>
    public Condition Keys(long parameter, IReadOnlyList<SearchCriterion> components) =>
        new Condition("SELECT i0.key FROM component_index i0 WHERE i0.parameter=? AND i0.component=0 AND ", parameter).Append(Component(components[0], "i0"));

    private Condition Component(SearchCriterion criterion, string row) => criterion switch
    {
        SearchCriterion.Tokens token => Condition.AnyOf([tokens.ConceptOf($"{row}.concept", token.Values), .. token.Values.Select(value => Identifier(value, row))]),
        SearchCriterion.Dates dates => Condition.AnyOf([.. dates.Values.Select(match => NumberSql.Bounds(match, $"{row}.low", $"{row}.high", asReal: true))]),
        SearchCriterion.Numbers numbers => Condition.AnyOf([.. numbers.Values.Select(match => NumberSql.Bounds(match, $"{row}.low", $"{row}.high"))]),
        SearchCriterion.Quantities quantity => Condition.AnyOf([.. quantity.Values.Select(match => quantities.Matches(match, row))]),
        SearchCriterion.References reference => Condition.In($"{row}.target", references.Entities(reference)),
        SearchCriterion.Strings strings => Condition.AnyOf([.. strings.Values.Select(value => TokenSql.StartsWith($"{row}.value", TextFolding.Fold(value)))]),
        SearchCriterion.Uris uris => Condition.AnyOf([.. uris.Values.Select(value => new Condition($"{row}.value=?", ExactText.Of(value)))]),
        _ => throw new InvalidOperationException($"No composite has a {criterion.GetType().Name}."),
    };

    private Condition Identifier(TokenMatch value, string row)
    {
        var conditions = new List<Condition> { new($"{row}.value IS NOT NULL") };
        if (value.Code is { } code)
        {
            conditions.Add(new Condition($"{row}.value=?", ExactText.Of(code)));
        }

        if (value.System is { } system)
        {
            conditions.Add(new Condition($"{row}.system=?", context.System(system) ?? -1));
        }

        return Condition.AllOf(conditions);
    }
}
