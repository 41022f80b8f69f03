using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// What belongs to a page by <c>_include</c> and <c>_revinclude</c> (R4 §3.1.1.5.4): each once, none that is a match, each authorised by its own type's predicate.
/// Read type by type in batches, never one by one.
/// </summary>
internal sealed class Includes(SqlEngine engine, SqlConnection connection, CatalogView catalog, IReadOnlyList<IncludeRule> rules, SearchAccess access)
{
    // A few lengths of list, so that a few statements serve all pages.
    private const int BatchSize = 128;

    // Some hundred bytes, which the memory of versions counts for each of them.
    private const int MaxKept = 4;

    private readonly HashSet<(string Type, string Id)> _seen = [];
    private readonly PageReader _pages = new(engine, connection, catalog, count: 0);

    public List<StoredResource> Included { get; } = [];

    /// <summary>There was more than <see cref="SearchLimits.MaxIncluded"/>.</summary>
    public bool IsCut { get; private set; }

    public void AddFor(IReadOnlyList<StoredResource> matches)
    {
        if (rules.Count == 0 || matches.Count == 0)
        {
            return;
        }

        _seen.UnionWith(matches.Select(match => (match.Type, match.Id)));
        var found = Round(matches, rules);
        var again = rules.Where(rule => rule.Iterate).ToList();
        for (var round = 1; round < SearchLimits.MaxIncludeRounds && again.Count > 0 && found.Count > 0 && !IsCut; round++)
        {
            found = Round(found, again);
        }
    }

    private List<StoredResource> Round(IReadOnlyList<StoredResource> from, IReadOnlyList<IncludeRule> applied)
    {
        var before = Included.Count;
        foreach (var (type, wanted) in Targets(from, [.. applied.Where(rule => !rule.Reverse)]))
        {
            ReadByIds(type, [.. wanted.Ids]);
            ReadByUrls(type, wanted.Canonicals);
        }

        foreach (var rule in applied.Where(rule => rule.Reverse))
        {
            ReadReferring(rule, from);
        }

        return Included[before..];
    }

    private Dictionary<string, Wanted> Targets(IReadOnlyList<StoredResource> from, List<IncludeRule> applied)
    {
        var targets = new Dictionary<string, Wanted>(StringComparer.Ordinal);
        Wanted Of(string type) => targets.TryGetValue(type, out var wanted) ? wanted : targets[type] = new Wanted([], []);
        foreach (var group in from.GroupBy(resource => resource.Type, StringComparer.Ordinal))
        {
            var own = applied.FindAll(rule => rule.SourceType == "*" || rule.SourceType == group.Key);
            var parameters = own.SelectMany(rule => Parameters(rule, group.Key)).Distinct().ToList();
            foreach (var value in parameters.Count == 0 ? [] : group.SelectMany(resource => References(resource, parameters)))
            {
                if (value is { Type: { } type, Id: { } id } && engine.HasType(type) && own.Exists(rule => Leads(rule, value.Parameter, type)) && !_seen.Contains((type, id)))
                {
                    Of(type).Ids.Add(id);
                }
                else if (value is { Url: { } url, Type: null })
                {
                    foreach (var named in value.Parameter.Targets.Where(target => Url(target) is not null && own.Exists(rule => Leads(rule, value.Parameter, target))))
                    {
                        Of(named).Canonicals.Add((url, value.Version));
                    }
                }
            }
        }

        return targets;
    }

    // Kept with a version that is in memory: parsing ten of them for their devices was a quarter of an include.
    private IReadOnlyList<IndexValue.Reference> References(StoredResource resource, List<SearchParameter> parameters)
    {
        if (resource.References is { } known && known.Of.SequenceEqual(parameters))
        {
            return known.Values;
        }

        IReadOnlyList<IndexValue.Reference> values = [.. Read(resource, parameters)];
        if (values.Count <= MaxKept)
        {
            resource.References = new ResourceReferences(parameters, values);
        }

        return values;
    }

    // Whose an Observation is, is told by its bytes up to there, for a tenth of what it costs to find its values.
    private IEnumerable<IndexValue.Reference> Read(StoredResource resource, List<SearchParameter> parameters) =>
        resource.Type == "Observation" && parameters.TrueForAll(parameter => parameter.Code is "subject" or "patient") && engine.GlanceOf(resource).Owner is { } patient
            ? parameters.Select(parameter => new IndexValue.Reference(parameter, "Patient", patient, Version: null, Url: null, IdentifierSystem: null, IdentifierValue: null))
            : engine.Extract(JsonTree.Parse(resource.Body).Require(), parameters).OfType<IndexValue.Reference>();

    // By which a canonical names resources of the type; null where none has one.
    private SearchParameter? Url(string type) => engine.Policy.Find(type, "url") is { Type: SearchParameterType.Uri } url ? url : null;

    // A canonical without a version means any (R4 §2.1.0.9).
    private static bool Names((string Url, string? Version) canonical, StoredResource resource)
    {
        var root = JsonTree.Parse(resource.Body).Require().Root;
        return root["url"u8].AsString() == canonical.Url && (canonical.Version is null || root["version"u8].AsString() == canonical.Version);
    }

    private static bool Leads(IncludeRule rule, SearchParameter parameter, string target) =>
        (rule.Parameter is null || rule.Parameter == parameter) && (rule.TargetType is null || rule.TargetType == target);

    private IEnumerable<SearchParameter> Parameters(IncludeRule rule, string type) =>
        rule.Parameter is { } only ? [only] : engine.Policy.IndexedParameters(type).Where(parameter => parameter.Type == SearchParameterType.Reference);

    private void ReadByIds(string type, List<string> ids)
    {
        if (Authorised(type) is not { } allowed)
        {
            return;
        }

        foreach (var batch in ids.Chunk(BatchSize))
        {
            var list = Padded(batch);
            Read(type, new Condition($"resource r WHERE r.type=? AND r.id IN ({Marks(list.Length)})", [engine.TypeNumber(type), .. list]).Append(" AND r.deleted=0 AND ").Append(allowed));
        }
    }

    private void ReadByUrls(string type, HashSet<(string Url, string? Version)> canonicals)
    {
        if (canonicals.Count == 0 || Authorised(type) is not { } allowed || new SearchContext(engine, connection, catalog, access, type).Parameter(Url(type)!) is not { } number)
        {
            return;
        }

        foreach (var batch in canonicals.Select(canonical => ExactText.Of(canonical.Url)).Distinct(StringComparer.Ordinal).Chunk(BatchSize))
        {
            var list = Padded(batch);
            var rows = new Condition($"uri_index i {connection.Dialect.OrderedJoin} resource r ON r.key=i.key WHERE i.parameter=? AND i.value IN ({Marks(list.Length)})", [number, .. list]);
            Read(type, rows.Append(" AND r.deleted=0 AND ").Append(allowed), resource => canonicals.Any(canonical => Names(canonical, resource)));
        }
    }

    private void ReadReferring(IncludeRule rule, IReadOnlyList<StoredResource> from)
    {
        foreach (var type in rule.SourceType == "*" ? engine.Policy.Definitions.ResourceTypes : [rule.SourceType])
        {
            if (Authorised(type) is not { } allowed)
            {
                continue;
            }

            foreach (var parameter in Parameters(rule, type))
            {
                var referred = Referred(rule, parameter, from);
                ReadReferring(type, parameter, EntitiesOf(referred), allowed, accepts: null);
                ReadReferringByUrl(type, parameter, [.. referred.Where(resource => Url(resource.Type) is not null)], allowed);
            }
        }
    }

    // Who names any version is in the same rows as who names another one.
    private void ReadReferringByUrl(string type, SearchParameter parameter, List<StoredResource> named, Condition allowed)
    {
        var urls = named.Select(resource => (JsonTree.Parse(resource.Body).Require().Root["url"u8].AsString() is { } url ? engine.Dictionaries.Find(connection, DictionaryKey.Entity("", url)) : null, resource))
            .Where(one => one.Item1 is not null).ToList();
        ReadReferring(type, parameter, [.. urls.Select(one => one.Item1!.Value).Distinct()], allowed, resource => engine.Extract(JsonTree.Parse(resource.Body).Require(), [parameter])
            .OfType<IndexValue.Reference>().Any(value => value.Url is { } url && urls.Exists(one => Names((url, value.Version), one.resource))));
    }

    private void ReadReferring(string type, SearchParameter parameter, List<long> entities, Condition allowed, Func<StoredResource, bool>? accepts)
    {
        var context = new SearchContext(engine, connection, catalog, access, type);
        foreach (var batch in entities.Chunk(BatchSize))
        {
            var list = Padded(batch);
            var join = connection.Dialect.OrderedJoin;
            object?[] values = [.. list.Cast<object?>()];
            var rows = context.Whole(parameter) is not null ? new Condition($"timeline i {join} resource r ON r.key=i.key WHERE i.subject IN ({Marks(list.Length)})", values)
                : context.Parameter(parameter) is { } number ? new Condition($"reference_index i {join} resource r ON r.key=i.key WHERE i.parameter=? AND i.target IN ({Marks(list.Length)})", [number, .. values])
                : null;
            if (rows is not null)
            {
                Read(type, rows.Append(" AND r.deleted=0 AND ").Append(allowed), accepts);
            }
        }
    }

    private static List<StoredResource> Referred(IncludeRule rule, SearchParameter parameter, IReadOnlyList<StoredResource> from) =>
        [.. from.Where(resource => (rule.TargetType is null || rule.TargetType == resource.Type) && (parameter.Targets.Count == 0 || parameter.Targets.Contains(resource.Type, StringComparer.Ordinal) || parameter.Targets.Contains("Resource", StringComparer.Ordinal)))];

    private List<long> EntitiesOf(List<StoredResource> referred) =>
        [.. referred.Select(resource => engine.Dictionaries.Find(connection, DictionaryKey.Entity(resource.Type, resource.Id))).OfType<long>().Distinct()];

    private void Read(string type, Condition rows, Func<StoredResource, bool>? accepts = null)
    {
        // What is known already takes room too: it must not crowd out the rest.
        var room = SearchLimits.MaxIncluded - Included.Count;
        var select = new Condition($"SELECT r.key, {CatalogView.Column}{_pages.Columns} FROM ").Append(rows).Append(" LIMIT ?", (long)(room + _seen.Count + 1));
        foreach (var (resource, number) in _pages.Read(select, type, own: 2, run => run.Int64(1)))
        {
            catalog.Sees(number);
            if (_seen.Contains((type, resource.Id)) || accepts?.Invoke(resource) == false)
            {
                continue;
            }

            if (Included.Count == SearchLimits.MaxIncluded)
            {
                IsCut = true;
                return;
            }

            _seen.Add((type, resource.Id));
            Included.Add(resource);
        }
    }

    // Null: nothing of the type may be read.
    private Condition? Authorised(string type)
    {
        var predicate = access.Included(type);
        return predicate is AccessPredicate.Nothing ? null : new CriterionSql(new SearchContext(engine, connection, catalog, access, type)).Of(predicate);
    }

    private static object?[] Padded<T>(T[] values)
    {
        var length = values.Length <= 1 ? 1 : values.Length <= 8 ? 8 : values.Length <= 32 ? 32 : BatchSize;
        return [.. values.Cast<object?>(), .. Enumerable.Repeat((object?)values[^1], length - values.Length)];
    }

    private static string Marks(int count) => string.Join(',', Enumerable.Repeat('?', count));

    /// <param name="Canonicals">A version of null is any.</param>
    private sealed record Wanted(HashSet<string> Ids, HashSet<(string Url, string? Version)> Canonicals);
}
