using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// One search. Two plans: a walk of the timeline, for Observations asked for by subject, code or time; and a scan in key order driven by the most
/// selective index otherwise. Both page by position and never sort more than a page, except time order over several subjects.
/// </summary>
internal sealed class SearchRun
{
    private readonly SqlEngine _engine;
    private readonly SqlConnection _connection;
    private readonly SearchQuery _query;
    private readonly CriterionSql _sql;
    private readonly Condition _access;
    private readonly AccessPredicate _predicate;
    private readonly Func<string, AccessPredicate> _accessToIncluded;

    public SearchRun(SqlEngine engine, SqlConnection connection, SearchQuery query, SearchAccess access)
    {
        _engine = engine;
        _connection = connection;
        _query = query;
        _predicate = access.Matches;
        _accessToIncluded = access.Included;
        _sql = new CriterionSql(engine, connection, query.ResourceType);
        _access = _sql.Of(access.Matches);
    }

    public Outcome<SearchPage> Run()
    {
        var cursor = default(SearchCursor);
        if (_query.Cursor is { } text && !SearchCursor.TryParse(text, out cursor))
        {
            return Issue.Error(IssueKind.Value, "IOMT-0706", "The page cursor does not belong to this search.", "_cursor", "Follow the 'next' link as it was given, or start the search again.");
        }

        var plan = TimelinePlan.For(_query, _predicate, _access, _sql);
        if (_query.CountOnly)
        {
            return new SearchPage([], [], null, Count(plan));
        }

        var found = new List<Found>(_query.Count + 1);
        if (plan is not null)
        {
            WalkTimeline(plan, cursor, found);
        }
        else
        {
            ScanKeys(cursor, found);
        }

        return Page(plan, found);
    }

    private SearchPage Page(TimelinePlan? plan, List<Found> found)
    {
        var more = found.Count > _query.Count;
        if (more)
        {
            found.RemoveRange(_query.Count, found.Count - _query.Count);
        }

        var matches = found.ConvertAll(one => one.Resource);
        var total = _query.Total == TotalMode.Accurate ? Count(plan) : more || _query.Cursor is not null ? null : (long?)matches.Count;
        return new SearchPage(matches, Include(matches), more ? found[^1].Position.ToString() : null, total);
    }

    private void WalkTimeline(TimelinePlan plan, SearchCursor cursor, List<Found> found)
    {
        if (!plan.ByTime)
        {
            WalkRanges(plan, cursor, found);
        }
        else if (!plan.HasOneSubject)
        {
            Fetch(plan.PageOfAll(cursor, Limit(found)), found, plan);
        }
        else if (plan.NextSubject(_connection, long.MinValue, inclusive: true) is { } subject)
        {
            Fetch(plan.PageOfSubject(_connection, subject, cursor, Limit(found)), found, plan);
        }
    }

    private void WalkRanges(TimelinePlan plan, SearchCursor cursor, List<Found> found)
    {
        for (var subject = plan.NextSubject(_connection, cursor.Subject, inclusive: true); subject is { } current; subject = plan.NextSubject(_connection, current, inclusive: false))
        {
            var from = current == cursor.Subject ? cursor.Codes : long.MinValue;
            for (var codes = plan.NextCodeSet(_connection, current, from, inclusive: true); codes is { } set; codes = plan.NextCodeSet(_connection, current, set, inclusive: false))
            {
                var position = current == cursor.Subject && set == cursor.Codes ? cursor : default;
                Fetch(plan.PageOfRange(current, set, position, Limit(found)), found, plan);
                if (found.Count > _query.Count)
                {
                    return;
                }
            }
        }
    }

    private void ScanKeys(SearchCursor cursor, List<Found> found)
    {
        var descending = _query.Sort is [{ Descending: true }];
        var scan = KeyScan();
        if (cursor.Key != 0)
        {
            scan.Append(descending ? " AND r.key<?" : " AND r.key>?", cursor.Key);
        }

        var select = new Condition("SELECT r.key, r.id, r.version, r.body, 0, 0, 0 FROM ").Append(scan).Append(descending ? " ORDER BY r.key DESC LIMIT ?" : " ORDER BY r.key LIMIT ?", Limit(found));
        Fetch(select, found);
    }

    private Condition KeyScan()
    {
        var type = _engine.TypeNumber(_query.ResourceType);
        var conditions = _query.Criteria.Select(_sql.Of).ToList();
        conditions.Add(_access);
        if (_query.Criteria.OfType<SearchCriterion.Ids>().Any())
        {
            return new Condition("resource r WHERE r.type=? AND r.deleted=0 AND ", type).Append(Condition.AllOf(conditions));
        }

        foreach (var criterion in _query.Criteria)
        {
            if (Driver(criterion) is { } driver)
            {
                return driver.Append(" AND r.deleted=0 AND ").Append(Condition.AllOf(conditions));
            }
        }

        return new Condition("resource r WHERE r.key>=? AND r.key<=? AND r.deleted=0 AND ", ResourceKey.FirstOf(type), ResourceKey.LastOf(type)).Append(Condition.AllOf(conditions));
    }

    // One value of a keyed index streams in key order, which is the order of the page.
    private Condition? Driver(SearchCriterion criterion)
    {
        if (_sql.Whole(criterion.Parameter) is not null || _sql.IsFacet(criterion.Parameter) || _sql.Parameter(criterion.Parameter) is not { } parameter)
        {
            return null;
        }

        return criterion switch
        {
            SearchCriterion.References references when _sql.Entities(references) is [var entity] =>
                new Condition($"reference_index d {_connection.Dialect.OrderedJoin} resource r ON r.key=d.key WHERE d.parameter=? AND d.target=?", parameter, entity),
            SearchCriterion.Tokens { Negated: false, Values: [{ Code: not null }] } tokens when _sql.HoldsCodes(parameter) && _sql.Concepts(tokens.Values) is [var concept] =>
                new Condition($"token_index d {_connection.Dialect.OrderedJoin} resource r ON r.key=d.key WHERE d.parameter=? AND d.concept=?", parameter, concept),
            _ => null,
        };
    }

    private long Count(TimelinePlan? plan)
    {
        var from = plan is null ? KeyScan() : plan.AllRows();
        using var rows = new Condition("SELECT count(*) FROM ").Append(from).Prepare(_connection).Run();
        rows.Step();
        return rows.Int64(0);
    }

    private long Limit(List<Found> found) => _query.Count + 1 - found.Count;

    private void Fetch(Condition select, List<Found> found, TimelinePlan? plan = null)
    {
        var before = found.Count;
        using var rows = select.Prepare(_connection).Run();
        while (rows.Step())
        {
            var key = rows.Int64(0);
            var resource = new StoredResource(_query.ResourceType, rows.Text(1), rows.Int64(2), ResourceKey.TimeOf(key), rows.Blob(3));
            found.Add(new Found(resource, new SearchCursor(rows.Int64(4), rows.Int64(6), rows.Int64(5), key)));
        }

        if (plan is not null)
        {
            found.Sort(before, found.Count - before, Comparer<Found>.Create((left, right) => plan.Compare(left.Position, right.Position)));
        }
    }

    /// <summary>Targets of the page's references, each authorised by its own type's predicate, each once.</summary>
    private List<StoredResource> Include(List<StoredResource> matches)
    {
        var included = new List<StoredResource>();
        if (_query.Includes.Count == 0)
        {
            return included;
        }

        var seen = matches.Select(match => (match.Type, match.Id)).ToHashSet();
        foreach (var match in matches)
        {
            var tree = JsonTree.Parse(match.Body).Require();
            foreach (var value in _engine.Extract(match.Type, tree))
            {
                if (value is IndexValue.Reference { Type: { } type, Id: { } id } && IsIncluded(value.Parameter, type) && included.Count < SearchLimits.MaxIncluded
                    && seen.Add((type, id)) && ReadIncluded(type, id) is { } target)
                {
                    included.Add(target);
                }
            }
        }

        return included;
    }

    private bool IsIncluded(SearchParameter parameter, string targetType) =>
        _engine.HasType(targetType) && _query.Includes.Any(rule => rule.Parameter == parameter && (rule.TargetType is null || rule.TargetType == targetType));

    private StoredResource? ReadIncluded(string type, string id)
    {
        var condition = new CriterionSql(_engine, _connection, type).Of(_accessToIncluded(type));
        using var rows = new Condition("SELECT r.key, r.version, r.body FROM resource r WHERE r.type=? AND r.id=? AND r.deleted=0 AND ", _engine.TypeNumber(type), id)
            .Append(condition).Prepare(_connection).Run();
        return rows.Step() ? new StoredResource(type, id, rows.Int64(1), ResourceKey.TimeOf(rows.Int64(0)), rows.Blob(2)) : null;
    }

    private readonly record struct Found(StoredResource Resource, SearchCursor Position);
}
