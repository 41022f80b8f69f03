using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>The matches of one type: what drives the reading, and what must hold of each row <c>r</c>.</summary>
internal sealed class Scan
{
    // Up to this many keys are listed and their rows looked up. Beyond it, reading the type in its order meets the first page sooner.
    private const long MaxListed = 2000;

    private readonly Condition _from;
    private readonly Condition _where;

    private Scan(Condition from, Condition where) => (_from, _where) = (from, where);

    /// <param name="all">Every match is wanted (to count or to sort), not just the first page.</param>
    public static Scan For(SearchContext context, CriterionSql sql, IReadOnlyList<SearchCriterion> criteria, Condition access, bool all)
    {
        if (Driven(context, sql, criteria, access) is { } driven)
        {
            return driven;
        }

        var keys = all ? criteria.Select(criterion => Keys(context, sql, criterion)).FirstOrDefault(candidate => candidate is not null) : null;
        return keys is not null ? Listed(context, keys, Conditions(sql, criteria, access)) : new Scan(new Condition("resource r"), context.IsOfType().Append(" AND ").Append(Conditions(sql, criteria, access)));
    }

    /// <summary>Driven by something selective; null when nothing is.</summary>
    public static Scan? Driven(SearchContext context, CriterionSql sql, IReadOnlyList<SearchCriterion> criteria, Condition access)
    {
        if (criteria.Select(sql.Ids).FirstOrDefault(ids => ids is not null) is { } ids)
        {
            var isOne = ids.Count == 0 ? Condition.Never : new Condition($"r.id IN ({string.Join(',', Enumerable.Repeat('?', ids.Count))})", [.. ids]);
            return new Scan(new Condition("resource r"), new Condition("r.type=? AND r.deleted=0 AND ", context.TypeNumber).Append(isOne).Append(" AND ").Append(Conditions(sql, criteria, access)));
        }

        if (criteria.Select(criterion => Stream(context, sql, criterion)).FirstOrDefault(stream => stream is not null) is { } stream)
        {
            return new Scan(stream.From, stream.Where.Append(" AND r.deleted=0 AND ").Append(Conditions(sql, criteria, access)));
        }

        // What is in a compartment by one of several parameters: as many keys as the compartment has, however many others there are.
        if (criteria.OfType<SearchCriterion.Or>().Select(or => Keys(context, sql, or)).FirstOrDefault(keys => keys is not null) is { } compartment)
        {
            return Listed(context, compartment, Conditions(sql, criteria, access));
        }

        foreach (var criterion in criteria)
        {
            if (Keys(context, sql, criterion) is { } keys && (IsExactIdentifier(criterion) || IsListed(context, sql, criterion, keys)))
            {
                return Listed(context, keys, Conditions(sql, criteria, access));
            }
        }

        return null;
    }

    // An identifier is given to one or a few, with its system or without: counting them first would cost as much as the search.
    private static bool IsExactIdentifier(SearchCriterion criterion) => criterion is SearchCriterion.Tokens { Of.Code: "identifier", Negated: false, Values: [{ Code: not null }] };

    private static bool IsListed(SearchContext context, CriterionSql sql, SearchCriterion criterion, Condition keys) =>
        !(Beyond(criterion) is { } beyond && Keys(context, sql, beyond) is { } many && !IsShort(context, many)) && IsShort(context, keys);

    /// <summary>FROM with WHERE.</summary>
    public Condition Rows() => Rows(join: null);

    /// <param name="join">Further tables.</param>
    public Condition Rows(Condition? join)
    {
        var rows = new Condition("").Append(_from);
        return (join is null ? rows : rows.Append(" ").Append(join)).Append(" WHERE ").Append(_where);
    }

    private static Condition Conditions(CriterionSql sql, IReadOnlyList<SearchCriterion> criteria, Condition access) => Condition.AllOf([.. criteria.Select(sql.Of), access]);

    // One value of a keyed index streams in key order, which is the order of the page.
    private static (Condition From, Condition Where)? Stream(SearchContext context, CriterionSql sql, SearchCriterion criterion)
    {
        var join = context.Connection.Dialect.OrderedJoin;
        return (criterion is SearchCriterion.References or SearchCriterion.Tokens { Values: [{ Code: not null }] } ? sql.Probes(criterion) : null) is [{ Table: "reference_index" or "token_index", IsPoint: true, On.Values.Count: 1 } probe]
            ? (new Condition($"{probe.Table} i {join} resource r ON r.key=i.key"), new Condition("i.parameter=? AND ", probe.Parameter).Append(probe.On))
            : null;
    }

    private static Condition? Keys(SearchContext context, CriterionSql sql, SearchCriterion criterion)
    {
        if (sql.Targets(criterion) is var (parameter, entities))
        {
            return context.Whole(parameter) is not null
                ? new Condition("SELECT i.key FROM timeline i WHERE ").Append(Condition.In("i.subject", entities))
                : Union(sql.References.Probes(parameter, entities));
        }

        return criterion switch
        {
            SearchCriterion.Or or => or.Parts.All(part => part is SearchCriterion.References) && or.Parts.Select(part => Keys(context, sql, part)).ToList() is var parts && !parts.Contains(null)
                ? Condition.Join(" UNION ALL ", [.. parts.OfType<Condition>()], Condition.Never, parenthesised: false)
                : null,
            SearchCriterion.Composites { Values: [var components] } composites => sql.CompositeKeys(composites, components),
            _ => sql.Probes(criterion) is { } probes ? Union(probes) : null,
        };
    }

    private static Condition Union(List<Probe> probes) =>
        probes.Count == 0 ? new Condition("SELECT key FROM resource WHERE (1=0)") : Condition.Join(" UNION ALL ", [.. probes.Select(probe => probe.Keys())], Condition.Never, parenthesised: false);

    // "Greater" asks for the end of an interval, which the index keeps after its start. What starts beyond the value is a part of it that the index finds at once,
    // and enough to know that there are many.
    private static SearchCriterion? Beyond(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.Quantities quantities when quantities.Values.Any(value => IsOpen(value.Number.Prefix)) =>
            new SearchCriterion.Quantities(quantities.Of, [.. quantities.Values.Select(value => value with { Number = value.Number with { Prefix = Narrowed(value.Number.Prefix) } })]),
        SearchCriterion.Numbers numbers when numbers.Values.Any(value => IsOpen(value.Prefix)) =>
            new SearchCriterion.Numbers(numbers.Of, [.. numbers.Values.Select(value => value with { Prefix = Narrowed(value.Prefix) })]),
        SearchCriterion.Dates dates when dates.Values.Any(value => IsOpen(value.Prefix)) =>
            new SearchCriterion.Dates(dates.Of, [.. dates.Values.Select(value => value with { Prefix = Narrowed(value.Prefix) })]),
        _ => null,
    };

    private static bool IsOpen(SearchPrefix prefix) => prefix is SearchPrefix.Greater or SearchPrefix.GreaterOrEqual or SearchPrefix.NotEqual;

    private static SearchPrefix Narrowed(SearchPrefix prefix) => IsOpen(prefix) ? SearchPrefix.StartsAfter : prefix;

    private static bool IsShort(SearchContext context, Condition keys)
    {
        using var rows = new Condition("SELECT count(*) FROM (").Append(keys).Append(" LIMIT ?) n", MaxListed + 1).Prepare(context.Connection).Run();
        rows.Step();
        return rows.Int64(0) <= MaxListed;
    }

    // The plus keeps SQLite from reading the whole type by its other index.
    private static Scan Listed(SearchContext context, Condition keys, Condition conditions) =>
        new(new Condition("resource r"), new Condition("r.key IN (").Append(keys).Append(") AND +r.type=? AND r.deleted=0 AND ", context.TypeNumber).Append(conditions));
}
