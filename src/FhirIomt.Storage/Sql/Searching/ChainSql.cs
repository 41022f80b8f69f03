using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// Criteria on other resources: chains, <c>_has</c>, <c>_list</c>. What they look through is limited by the caller's right to search that type, before anything
/// is matched. Few resources there are looked up first, in a statement of their own, so that they can drive the search here.
/// </summary>
internal sealed class ChainSql(SearchContext context)
{
    // Their references fit one list; more than that, and a nested condition costs less than listing them.
    private const int MaxResolved = 200;

    private readonly Dictionary<SearchCriterion, object?> _resolved = new(ReferenceEqualityComparer.Instance);

    public Condition Of(SearchCriterion.Chain chain)
    {
        if (Targets(chain) is { } entities)
        {
            return context.Whole(chain.Of) is not null
                ? context.IsSubject(entities)
                : Condition.AnyOf([.. new ReferenceSql(context).Probes(chain.Of, entities).Select(probe => probe.About(context.Row))]);
        }

        var (target, condition) = Nested(chain.TargetType, chain.Inner);
        var (row, join) = (target.Row, context.Connection.Dialect.OrderedJoin);
        if (context.Whole(chain.Of) is not null)
        {
            return new Condition($"EXISTS(SELECT 1 FROM entity e {join} resource {row} ON {row}.type=? AND {row}.id=e.name WHERE e.id={context.Row}.subject AND e.type=? AND {row}.deleted=0 AND ", target.TypeNumber, chain.TargetType)
                .Append(condition).Append(")");
        }

        // The index leads from the target to what refers to it, so the targets come first.
        return context.Parameter(chain.Of) is { } parameter
            ? new Condition($"{context.Row}.key IN (SELECT i.key FROM resource {row} {join} entity e ON e.name={row}.id AND e.type=? {join} reference_index i ON i.parameter=? AND i.target=e.id WHERE ", chain.TargetType, parameter)
                .Append(target.IsOfType()).Append(" AND ").Append(condition).Append(")")
            : Condition.Never;
    }

    /// <summary>What the resource hangs on meets the predicate; few types hang on anything, and few rows do.</summary>
    public Condition Of(AccessPredicate.Through through)
    {
        if (context.Engine.Policy.Find(context.Type, through.Element) is not { } reference || context.Parameter(reference) is not { } parameter)
        {
            return Condition.Never;
        }

        var (join, ways) = (context.Connection.Dialect.OrderedJoin, new List<Condition>());
        foreach (var type in reference.Targets)
        {
            if (through.Target(type) is var predicate and not AccessPredicate.Nothing)
            {
                var target = context.Inner(type);
                ways.Add(new Condition($"{context.Row}.key IN (SELECT i.key FROM resource {target.Row} {join} entity e ON e.name={target.Row}.id AND e.type=? {join} reference_index i ON i.parameter=? AND i.target=e.id WHERE ", type, parameter)
                    .Append(target.IsOfType()).Append(" AND ").Append(new CriterionSql(target).Of(predicate)).Append(")"));
            }
        }

        return Condition.AnyOf(ways);
    }

    public Condition Of(SearchCriterion.Has has)
    {
        if (Ids(has) is { } ids)
        {
            return InIds(ids);
        }

        var (source, condition) = Nested(has.SourceType, has.Inner);
        return ReferringRows(source, has.Reference) is { } rows
            ? rows.Append($" WHERE e.name={context.Row}.id AND e.type=? AND {source.Row}.deleted=0 AND ", context.Type).Append(condition).Append(")")
            : Condition.Never;
    }

    public Condition Of(SearchCriterion.InList list)
    {
        if (Ids(list) is { } ids)
        {
            return InIds(ids);
        }

        var (source, condition) = Nested("List", new SearchCriterion.Ids(context.Engine.Policy.Find("List", "_id")!, list.ListIds));
        return ReferringRows(source, context.Engine.Policy.Find("List", "item")!) is { } rows
            ? rows.Append($" WHERE e.name={context.Row}.id AND e.type=? AND {source.Row}.deleted=0 AND {source.Row}.type=? AND ", context.Type, source.TypeNumber).Append(condition).Append(")")
            : Condition.Never;
    }

    /// <summary>The numbers of the resources that a chain leads to; null when there are too many to list.</summary>
    public List<long>? Targets(SearchCriterion.Chain chain) => Once(chain, () =>
        Find(context.Apart(chain.TargetType), chain.Inner)?.ConvertAll(found => context.Entity(chain.TargetType, found.Id)).OfType<long>().ToList());

    /// <summary>The ids that <c>_has</c> or <c>_list</c> leads to; null when there are too many to list.</summary>
    public List<string>? Ids(SearchCriterion criterion) => Once(criterion, () => criterion switch
    {
        SearchCriterion.Has has => Referred(Find(context.Apart(has.SourceType), has.Inner), has.Reference),
        SearchCriterion.InList list => Referred(Find(context.Apart("List"), new SearchCriterion.Ids(context.Engine.Policy.Find("List", "_id")!, list.ListIds)), context.Engine.Policy.Find("List", "item")!),
        _ => null,
    });

    private T? Once<T>(SearchCriterion criterion, Func<T?> find)
        where T : class
    {
        if (!_resolved.TryGetValue(criterion, out var known))
        {
            _resolved[criterion] = known = find();
        }

        return (T?)known;
    }

    private static Condition InIds(string row, List<string> ids) => Condition.AnyOf([.. ids.Select(id => new Condition($"{row}.id=?", id))]);

    private Condition InIds(List<string> ids) => InIds(context.Row, ids);

    private (SearchContext Context, Condition Condition) Nested(string type, SearchCriterion inner)
    {
        var nested = context.Inner(type);
        var sql = new CriterionSql(nested);
        return (nested, Condition.AllOf([sql.Of(inner), sql.Of(context.Access.Chained(type))]));
    }

    // "EXISTS(SELECT 1 FROM …" up to the join with the rows that refer to entity e; the caller closes it.
    private Condition? ReferringRows(SearchContext source, SearchParameter reference)
    {
        var join = context.Connection.Dialect.OrderedJoin;
        return source.Whole(reference) is not null
            ? new Condition($"EXISTS(SELECT 1 FROM entity e {join} timeline t ON t.subject=e.id {join} resource {source.Row} ON {source.Row}.key=t.key")
            : source.Parameter(reference) is { } parameter
                ? new Condition($"EXISTS(SELECT 1 FROM entity e {join} reference_index i ON i.parameter=? AND i.target=e.id {join} resource {source.Row} ON {source.Row}.key=i.key", parameter)
                : null;
    }

    // Only when an index leads to them: looking through a whole type for a handful would cost more than it saves.
    private static List<(string Id, byte[] Body)>? Find(SearchContext target, SearchCriterion inner)
    {
        var access = target.Access.Chained(target.Type);
        if (access is AccessPredicate.Nothing)
        {
            return [];
        }

        var sql = new CriterionSql(target);
        if (Scan.Driven(target, sql, [inner], sql.Of(access)) is not { } scan)
        {
            return null;
        }

        var found = new List<(string, byte[])>();
        using var rows = new Condition("SELECT r.id, r.body FROM ").Append(scan.Rows()).Append(" LIMIT ?", (long)MaxResolved + 1).Prepare(target.Connection).Run();
        while (rows.Step())
        {
            found.Add((rows.Text(0), rows.Blob(1)));
        }

        return found.Count > MaxResolved ? null : found;
    }

    private List<string>? Referred(List<(string Id, byte[] Body)>? sources, SearchParameter reference)
    {
        const int MaxIds = 1000;
        var ids = sources?.SelectMany(source => context.Engine.Extract(JsonTree.Parse(source.Body).Require(), [reference]))
            .OfType<IndexValue.Reference>().Where(value => value.Id is not null && value.Type == context.Type).Select(value => value.Id!).Distinct(StringComparer.Ordinal).ToList();
        return ids?.Count > MaxIds ? null : ids;
    }
}
