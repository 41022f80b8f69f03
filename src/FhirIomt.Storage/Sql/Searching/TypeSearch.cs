using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// The matches of one type. Three ways to read them, chosen by the search alone: along the timeline, for Observations asked for by subject, code or time; in the
/// order of the keys, driven by the most selective index; sorted by any parameters. All page by position.
/// </summary>
internal sealed class TypeSearch
{
    // SQLite takes 32,766 values in a statement; the access predicate and the page need a few of their own.
    private const int MaxValues = 25_000;

    private readonly SearchContext _context;
    private readonly SearchQuery _query;
    private readonly CriterionSql _sql;
    private readonly PageReader _pages;
    private readonly AccessPredicate _predicate;
    private readonly TimelinePlan? _timeline;
    private readonly SortedScan? _sorted;
    private readonly bool _isEmpty;

    public TypeSearch(SqlEngine engine, SqlConnection connection, CatalogView catalog, SearchQuery query, AccessPredicate predicate, SearchAccess access)
    {
        _query = query;
        _context = new SearchContext(engine, connection, catalog, access, query.ResourceType);
        _sql = new CriterionSql(_context);
        _pages = new PageReader(engine, connection, catalog, query.Count);
        _predicate = predicate;
        if (Refusal is not null)
        {
            return;
        }

        _isEmpty = query.Criteria.Any(RefersToNothing);
        if (TimelinePlan.Answers(query, predicate, _context))
        {
            _timeline = TimelinePlan.For(query, predicate, _sql, _context, _pages);
        }
        else if (query.Sort is not ([] or [{ Parameter.Code: "_lastUpdated" }]))
        {
            _sorted = new SortedScan(_context, query.Sort);
        }
    }

    /// <summary>Why it cannot run.</summary>
    public Issue? Refusal => field ??= Refuse();

    /// <summary>Names the order of the pages.</summary>
    public char Order => _timeline is not null ? 't' : _sorted is not null ? 's' : 'k';

    /// <summary>A page is found by one statement.</summary>
    public bool IsOneStatement => _timeline is null || _timeline.IsOneStatement;

    public SearchCursor? Position(string cursor) =>
        SearchCursor.TryParse(cursor, _query.Fingerprint, Order, _timeline is not null ? TimelinePosition.Kinds : _sorted is not null ? _sorted.Kinds : "");

    /// <summary>Up to that many matches after a position.</summary>
    public List<Found> Find(SearchCursor after, int limit)
    {
        var found = new List<Found>(Math.Min(limit, SearchLimits.MaxCount + 1));
        if (_isEmpty)
        {
            return found;
        }

        if (_timeline is not null)
        {
            WalkTimeline(_timeline, TimelinePosition.Of(after), found, limit);
        }
        else if (_sorted is not null)
        {
            ReadSorted(_sorted, after, found, limit);
        }
        else
        {
            ReadKeys(after, found, limit);
        }

        return found;
    }

    public long Count()
    {
        if (_isEmpty)
        {
            return 0;
        }

        var count = _timeline is null ? new Condition("SELECT count(*) FROM ").Append(AllRows()) : new Condition("SELECT count(*) FROM (").Append(_timeline.AllKeys()).Append(") n");
        using var rows = count.Prepare(_context.Connection).Run();
        rows.Step();
        return rows.Int64(0);
    }

    // No resource of the type refers to anything by that parameter: a record of everything asks for dozens of such types.
    private bool RefersToNothing(SearchCriterion criterion) =>
        criterion is SearchCriterion.References references && _context.Whole(references.Of) is null && _sql.References.Probes(references.Of, _sql.References.Entities(references)).Count == 0;

    private Issue? Refuse()
    {
        if (Flat(_query.Criteria).OfType<SearchCriterion.Quantities>().FirstOrDefault(quantities => quantities.Values.Any(_sql.Quantities.HasTooManyUnits)) is { } wide)
        {
            return SearchIssues.TooManyUnits(wide.Of.Code);
        }

        // Compiling a search only to count its values would cost as much as most searches: small ones are let through by what they name.
        return Flat(_query.Criteria).Sum(Weight) > MaxValues / 10 && _query.Criteria.Sum(criterion => _sql.Of(criterion).Values.Count) > MaxValues
            ? SearchIssues.TooMany("values in one search, with what they stand for", MaxValues)
            : null;
    }

    private static int Weight(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.Quantities quantities => quantities.Values.Count * 20,
        SearchCriterion.Tokens tokens => tokens.Values.Count,
        SearchCriterion.Uris uris => uris.Values.Count * 10,
        _ => 10,
    };

    /// <summary>Criteria with those inside them.</summary>
    public static IEnumerable<SearchCriterion> Flat(IEnumerable<SearchCriterion> criteria) => criteria.SelectMany(criterion => criterion switch
    {
        SearchCriterion.And and => Flat(and.Parts),
        SearchCriterion.Or or => Flat(or.Parts),
        SearchCriterion.Not not => Flat([not.Inner]),
        SearchCriterion.Chain chain => Flat([chain.Inner]),
        SearchCriterion.Has has => Flat([has.Inner]),
        SearchCriterion.Composites composites => Flat(composites.Values.SelectMany(components => components)),
        _ => [criterion],
    });

    // The timeline has it in its plan; written all the same, it was a third of what deciding costs a search (`perf`).
    private Condition Access => field ??= _sql.Of(_predicate);

    private Condition AllRows() => Scan.For(_context, _sql, _query.Criteria, Access, all: true).Rows();

    private void WalkTimeline(TimelinePlan plan, TimelinePosition after, List<Found> found, int limit)
    {
        if (!plan.ByTime)
        {
            WalkRanges(plan, after, found, limit);
            return;
        }

        FetchByTime(plan, after, found, limit);
        if (plan.HasSecondRound && !after.IsSecondRound && found.Count < limit)
        {
            FetchByTime(plan, new TimelinePosition(0, 0, 0, 0, IsSecondRound: true), found, limit);
        }
    }

    private void FetchByTime(TimelinePlan plan, TimelinePosition after, List<Found> found, int limit)
    {
        if (!plan.HasOneSubject)
        {
            Fetch(plan.PageOfAll(after, limit - found.Count), found, plan, after.IsSecondRound);
        }
        else if (plan.NextSubject(_context.Connection, long.MinValue, inclusive: true) is { } subject)
        {
            FetchOfSubject(plan, subject, after, found, limit - found.Count);
        }
    }

    private void FetchOfSubject(TimelinePlan plan, long subject, TimelinePosition after, List<Found> found, int limit)
    {
        if (!_context.Connection.Dialect.IsInProcess)
        {
            Fetch(plan.PageOfSubject(subject, after, limit), found, plan, after.IsSecondRound);
        }
        else if (plan.PlacesOfSubject(_context.Connection, subject, after, limit) is { } places)
        {
            Add(_pages.ReadAt(places, place => place.Key, _query.ResourceType), found);
        }
        else
        {
            Fetch(plan.PageOfAll(after, limit), found, plan, after.IsSecondRound);
        }
    }

    private void WalkRanges(TimelinePlan plan, TimelinePosition after, List<Found> found, int limit)
    {
        if (plan.IsOneStatement)
        {
            Fetch(plan.PageOfRanges(after, limit), found, plan, secondRound: false);
            return;
        }

        var connection = _context.Connection;
        var start = after.Key == 0 ? long.MinValue : after.Subject;
        for (var subject = plan.NextSubject(connection, start, inclusive: true); subject is { } current; subject = plan.NextSubject(connection, current, inclusive: false))
        {
            var isCurrent = after.Key != 0 && current == after.Subject;
            for (var codes = plan.NextCodeSet(connection, current, isCurrent ? after.Codes : long.MinValue, inclusive: true); codes is { } set; codes = plan.NextCodeSet(connection, current, set, inclusive: false))
            {
                Fetch(plan.PageOfRange(current, set, isCurrent && set == after.Codes ? after : default, limit - found.Count), found, plan, secondRound: false);
                if (found.Count >= limit)
                {
                    return;
                }
            }
        }
    }

    private void ReadKeys(SearchCursor after, List<Found> found, int limit)
    {
        var descending = _query.Sort is [{ Descending: true }];
        var rows = Scan.For(_context, _sql, _query.Criteria, Access, all: false).Rows();
        if (!after.IsStart)
        {
            rows.Append(descending ? " AND r.key<?" : " AND r.key>?", after.Key);
        }

        var select = new Condition($"SELECT r.key, {CatalogView.Column}{_pages.Columns} FROM ").Append(rows).Append(descending ? " ORDER BY r.key DESC LIMIT ?" : " ORDER BY r.key LIMIT ?", (long)limit);
        found.AddRange(Read(select, catalogAt: 1, own: 2, run => run.Int64(0)).Select(one => new Found.ByKey(one.Resource, one.Place)));
    }

    private void ReadSorted(SortedScan sorted, SearchCursor after, List<Found> found, int limit)
    {
        var scan = Scan.For(_context, _sql, _query.Criteria, Access, all: true);
        var page = Read(sorted.Page(scan, after, limit, _pages), catalogAt: 1, own: 2 + sorted.Kinds.Length, run => new SearchCursor(sorted.Values(run, 2), run.Int64(0)));
        found.AddRange(page.Select(one => new Found.Sorted(one.Resource, one.Place)));
    }

    private void Fetch(Condition select, List<Found> found, TimelinePlan plan, bool secondRound)
    {
        var page = Read(select, plan.CatalogAt, own: plan.CatalogAt + 1, run => plan.PlaceIn(run, secondRound));
        for (var index = 1; index < page.Count; index++)
        {
            // Where bodies were joined the order may be lost.
            if (plan.Compare(page[index - 1].Place, page[index].Place) > 0)
            {
                page.Sort((left, right) => plan.Compare(left.Place, right.Place));
                break;
            }
        }

        Add(page, found);
    }

    private static void Add(List<(StoredResource Resource, TimelinePosition Place)> page, List<Found> found)
    {
        foreach (var (resource, place) in page)
        {
            found.Add(new Found.InTimeline(resource, place));
        }
    }

    private List<(StoredResource Resource, T Place)> Read<T>(Condition select, int catalogAt, int own, Func<SqlStatement.Rows, T> place)
    {
        long? catalog = null;
        var page = _pages.Read(select, _query.ResourceType, own, run =>
        {
            catalog ??= run.Int64(catalogAt);
            return place(run);
        });
        Saw(catalog);
        return page;
    }

    // A statement without rows says nothing; the search asks in the end.
    private void Saw(long? catalog)
    {
        if (catalog is { } number)
        {
            _context.Catalog.Sees(number);
        }
    }
}
