using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// A walk of the timeline: which subjects, which sets of codings, and what else must hold of the resource row. One subject with one set is a single range in
/// time order. Several are read one after the other; in time order they are merged, a page from each.
/// </summary>
internal sealed class TimelinePlan
{
    // Jumping from one value to the next reads as many rows as there are values, not as there are Observations.
    private const string AllSubjects =
        "WITH RECURSIVE s(x) AS (SELECT min(subject) FROM timeline UNION ALL SELECT (SELECT min(subject) FROM timeline WHERE subject>s.x) FROM s WHERE s.x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL";

    // So many sets are each asked for, whether the subject has them or not.
    private const int MaxTried = 8;

    private const string Timeline = "timeline";
    private const string LongTimeline = "long_timeline";

    // The timeline has no ends. What begins late enough needs no look at its end, and most of what is asked for does.
    private const string Stop = "(SELECT s.stop FROM resource s WHERE s.key=t.key)";

    private readonly List<long>? _subjects;
    private readonly List<long>? _codeSets;
    private readonly Condition _conditions;
    private readonly List<SearchCriterion.Dates> _times;
    private readonly TimeWindow _window;
    private readonly bool _descending;
    private readonly bool _readsResources;
    private readonly SqlDialect _dialect;
    private readonly PageReader _pages;

    private TimelinePlan(SqlDialect dialect, PageReader pages, List<long>? subjects, List<long>? codeSets, Condition conditions, List<SearchCriterion.Dates> times, bool byTime, bool descending)
    {
        _dialect = dialect;
        _pages = pages;
        _subjects = subjects;
        _codeSets = codeSets;
        _conditions = conditions;
        _readsResources = conditions.Sql.Contains("r.", StringComparison.Ordinal);
        _times = times;
        _window = TimeWindow.Of(times);
        ByTime = byTime;
        _descending = descending;
    }

    /// <summary>The page is in time order; otherwise subject by subject and code by code.</summary>
    public bool ByTime { get; }

    /// <summary>Only what has a time can match.</summary>
    public bool IsTimed => _times.Count > 0;

    public bool HasOneSubject => _subjects is { Count: 1 };

    /// <summary>A page needs one statement: every range that it may touch is read by it.</summary>
    public bool IsOneStatement => _dialect.Apply is not null && HasOneSubject && !HasSecondRoundToCome;

    private bool HasSecondRoundToCome => ByTime && HasSecondRound;

    /// <summary>Observations without a time come last: they stand first in the timeline, so an ascending walk takes them in a second round.</summary>
    public bool HasSecondRound => !_descending && !IsTimed;

    /// <summary>Whether the timeline answers the search. It depends on the search alone, so that each page is read in the order of the page before.</summary>
    public static bool Answers(SearchQuery query, AccessPredicate predicate, SearchContext context)
    {
        if (!context.IsObservation || query.Sort is not ([] or [{ Parameter.Code: "date" }]))
        {
            return false;
        }

        // Whom it is about narrows most; without it, a more selective criterion is better served by the key scan.
        return IsOfPatient(predicate) || query.Criteria.Any(criterion => IsAboutSubject(criterion, context))
            || ((query.Sort.Count > 0 || query.Criteria.Any(criterion => Drives(criterion, context))) && !query.Criteria.Any(IsSelective));
    }

    public static TimelinePlan For(SearchQuery query, AccessPredicate predicate, CriterionSql sql, SearchContext context, PageReader pages)
    {
        // Whose it is stands in the timeline; asking the resource row again would read it for each candidate.
        var subjects = SubjectsOf(predicate, context);
        List<long>? codeSets = null;
        var times = new List<SearchCriterion.Dates>();
        var conditions = new List<Condition>();
        if (BesidesSubjects(predicate) is { } rest)
        {
            conditions.Add(sql.Of(rest));
        }

        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case SearchCriterion.Dates dates when context.Whole(dates.Of) is not null:
                    times.Add(dates);
                    break;
                case SearchCriterion.Tokens tokens when context.IsInSetsOnly(tokens.Of):
                    if (!tokens.Negated && sql.Tokens.Sets(tokens.Of, tokens.Values) is { } sets)
                    {
                        codeSets = codeSets is null ? [.. sets] : [.. codeSets.Intersect(sets)];
                        break;
                    }

                    var member = context.Parameter(tokens.Of) is { } parameter ? sql.Tokens.InSets("t.codes", parameter, sql.Tokens.ConceptOf("concept", tokens.Values)) : Condition.Never;
                    conditions.Add(tokens.Negated ? new Condition("NOT (").Append(member).Append(")") : member);
                    break;
                case var other when sql.Targets(other) is var (reference, entities) && context.Whole(reference) is not null:
                    subjects = subjects is null ? [.. entities.Distinct()] : [.. subjects.Intersect(entities)];
                    break;
                default:
                    conditions.Add(sql.Of(criterion));
                    break;
            }
        }

        subjects?.Sort();
        codeSets?.Sort();
        return new TimelinePlan(context.Connection.Dialect, pages, subjects, codeSets, Condition.AllOf(conditions), times, query.Sort.Count > 0, query.Sort is [{ Descending: true }]);
    }

    /// <summary>The keys of all matches.</summary>
    public Condition AllKeys()
    {
        var (subject, codes) = (AnySubject(), AnySet());
        var keys = new Condition("SELECT t.key FROM ").Append(Rows(Timeline, subject, codes));
        return _window.ShortFrom is null ? keys : keys.Append(" UNION ALL SELECT t.key FROM ").Append(Rows(LongTimeline, subject, codes));
    }

    /// <summary>A page of all matches in time order.</summary>
    public Condition PageOfAll(TimelinePosition after, long limit) => WithBodies(Page(AnySubject(), AnySet(), after, limit));

    /// <summary>A page of one subject in time order: a page of each set of codings, merged by an engine that does it in one statement.</summary>
    public Condition PageOfSubject(long subject, TimelinePosition after, long limit) => _codeSets switch
    {
        [] => PageOfRange(subject, -1, after, limit),
        [var only] => PageOfRange(subject, only, after, limit),
        { Count: <= MaxTried } few => WithBodies(InOrder(RangesOf(few, subject, after, limit), limit)),
        _ => WithBodies(InOrder(Ranges(_dialect.Apply!, subject, CodeSetsOf(subject, after: null), after, limit), limit)),
    };

    // Written out, since PostgreSQL takes 0.7 of the time that it takes for a list of sets joined with a page of each.
    private Condition RangesOf(List<long> codeSets, long subject, TimelinePosition after, long limit)
    {
        var isOfSubject = new Condition("t.subject=?", subject);
        var ranges = codeSets.ConvertAll(set => Page(Timeline, isOfSubject, new Condition("t.codes=?", set), after, limit));
        if (_window.ShortFrom is not null)
        {
            ranges.Add(Page(LongTimeline, isOfSubject, Condition.In("t.codes", codeSets), after, limit));
        }

        return Condition.Join(" UNION ALL ", ranges.ConvertAll(range => new Condition("SELECT * FROM (").Append(range).Append(") p")), Condition.Never, parenthesised: false);
    }

    private Condition InOrder(Condition keys, long limit) => keys.Append(_descending ? " ORDER BY start DESC, key DESC LIMIT ?" : " ORDER BY start, key LIMIT ?", limit);

    /// <summary>
    /// The places of such a page, for an engine in process: each range by a statement of its own, merged here. As one statement SQLite carried the rows of each range from table to table:
    /// 380 µs for fifty of two sets, where the ranges by themselves take 80.
    /// </summary>
    /// <returns>Null when the subject has so many sets that sorting all its rows costs less.</returns>
    public List<TimelinePosition>? PlacesOfSubject(SqlConnection connection, long subject, TimelinePosition after, int limit)
    {
        const int MaxRanges = 64;
        var sets = new List<long>();
        for (var codes = NextCodeSet(connection, subject, long.MinValue, inclusive: true); codes is { } current; codes = NextCodeSet(connection, subject, current, inclusive: false))
        {
            if (sets.Count == MaxRanges)
            {
                return null;
            }

            sets.Add(current);
        }

        var places = new List<TimelinePosition>(limit);
        foreach (var codes in sets)
        {
            Merge(connection, Timeline, subject, codes, after, limit, places);
            if (_window.ShortFrom is not null)
            {
                Merge(connection, LongTimeline, subject, codes, after, limit, places);
            }
        }

        return places;
    }

    // The first of both; a range is read as far as it still has something for the page.
    private void Merge(SqlConnection connection, string table, long subject, long codes, TimelinePosition after, int limit, List<TimelinePosition> places)
    {
        var before = places.Count;
        using (var rows = Page(table, new Condition("t.subject=?", subject), new Condition("t.codes=?", codes), after, limit).Prepare(connection).Run())
        {
            while (rows.Step())
            {
                var place = PlaceIn(rows, after.IsSecondRound);
                if (before == limit && Compare(place, places[limit - 1]) > 0)
                {
                    break;
                }

                places.Add(place);
            }
        }

        if (before > 0 && places.Count > before)
        {
            places.Sort(Compare);
            places.RemoveRange(Math.Min(limit, places.Count), Math.Max(0, places.Count - limit));
        }
    }

    /// <summary>A page of one subject's ranges, one after the other: the rest of the range at the position, and those behind it.</summary>
    public Condition PageOfRanges(TimelinePosition after, long limit)
    {
        var (apply, subject) = (_dialect.Apply!, _subjects![0]);
        var ranges = Ranges(apply, subject, CodeSetsOf(subject, after.Key == 0 ? null : after.Codes), default, limit);
        var all = after.Key == 0 ? ranges : new Condition("SELECT * FROM (").Append(KeysOfRange(subject, after.Codes, after, limit)).Append(") p UNION ALL SELECT * FROM (").Append(ranges).Append(") q");
        return WithBodies(all.Append(" ORDER BY codes, start, key LIMIT ?", limit));
    }

    // From each set of codes a page at most; an engine that can do it in one statement reads as many rows as when asked for each.
    private Condition Ranges(string apply, long subject, Condition codeSets, TimelinePosition after, long limit) =>
        new Condition($"SELECT p.key AS key, p.start AS start{(ByTime ? "" : ", p.subject AS subject, p.codes AS codes")} FROM (").Append(codeSets).Append($") c {apply} (")
            .Append(Page(new Condition("t.subject=?", subject), new Condition("t.codes=c.x"), after, limit)).Append(") p");

    // Few sets are tried all; of more, the subject's own are found by jumping from one to the next.
    private Condition CodeSetsOf(long subject, long? after)
    {
        var wanted = after is { } last ? _codeSets?.FindAll(set => set > last) : _codeSets;
        if (wanted is { Count: <= MaxTried })
        {
            // No set has the number 0; lists of one length are one statement.
            long[] padded = [.. wanted, .. Enumerable.Repeat(0L, MaxTried - wanted.Count)];
            return new Condition($"SELECT v.x AS x FROM (VALUES {string.Join(',', Enumerable.Repeat("(?)", MaxTried))}) v(x) WHERE v.x<>0", [.. padded.Cast<object?>()]);
        }

        var own = new Condition(
            "WITH RECURSIVE s(x) AS (SELECT min(codes) FROM timeline WHERE subject=? AND codes>? UNION ALL SELECT (SELECT min(codes) FROM timeline WHERE subject=? AND codes>s.x) FROM s WHERE s.x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL",
            subject, after ?? long.MinValue, subject);
        return wanted is null ? own : own.Append(" AND ").Append(Condition.In("x", wanted));
    }

    /// <summary>A page of one range of the timeline.</summary>
    public Condition PageOfRange(long subject, long codes, TimelinePosition after, long limit) => WithBodies(KeysOfRange(subject, codes, after, limit));

    private Condition KeysOfRange(long subject, long codes, TimelinePosition after, long limit) =>
        Page(new Condition("t.subject=?", subject), new Condition("t.codes=?", codes), after, limit);

    // Bodies are read for the page only: merging two sets with their bodies cost 1.7 times as much. The order is the caller's to restore.
    private Condition WithBodies(Condition keys) =>
        new Condition($"SELECT m.key, m.start{(ByTime ? "" : ", m.subject, m.codes")}, {CatalogView.Column}{_pages.Columns} FROM (").Append(keys).Append($") m{_pages.Join}");

    /// <summary>Where a row of a page has the number of the catalog.</summary>
    public int CatalogAt => ByTime ? 2 : 4;

    /// <summary>The place of a row of a page; columns are read in their order, which is cheaper.</summary>
    public TimelinePosition PlaceIn(SqlStatement.Rows rows, bool secondRound)
    {
        var (key, start) = (rows.Int64(0), rows.Int64(1));
        return ByTime ? new(0, 0, start, key, secondRound) : new(rows.Int64(2), rows.Int64(3), start, key, secondRound);
    }

    /// <summary>The next subject at or after that one, in ascending order; null at the end.</summary>
    public long? NextSubject(SqlConnection connection, long from, bool inclusive) => _subjects is { } some
        ? Next(some, from, inclusive)
        : First(connection.Prepare($"SELECT min(subject) FROM timeline WHERE subject{(inclusive ? ">=" : ">")}?").Add(from));

    /// <summary>The same for the sets of codes that the subject has.</summary>
    public long? NextCodeSet(SqlConnection connection, long subject, long from, bool inclusive)
    {
        // A code may be in hundreds of sets, of which a subject has a few: jumping along the subject's own reads fewer ranges.
        const int MaxTriedAlone = 4;
        if (_codeSets is { Count: <= MaxTriedAlone } few)
        {
            return Next(few, from, inclusive);
        }

        var next = NextOwn(connection, subject, from, inclusive);
        while (next is { } own && _codeSets is { } wanted && wanted.BinarySearch(own) < 0)
        {
            next = NextOwn(connection, subject, own, inclusive: false);
        }

        return next;
    }

    private static long? NextOwn(SqlConnection connection, long subject, long from, bool inclusive) =>
        First(connection.Prepare($"SELECT min(codes) FROM timeline WHERE subject=? AND codes{(inclusive ? ">=" : ">")}?").Add(subject).Add(from));

    private static long? Next(List<long> sorted, long from, bool inclusive)
    {
        var index = sorted.FindIndex(number => inclusive ? number >= from : number > from);
        return index < 0 ? null : sorted[index];
    }

    private static long? First(SqlStatement statement)
    {
        using var rows = statement.Run();
        return rows.Step() && !rows.IsNull(0) ? rows.Int64(0) : null;
    }

    private static List<long>? SubjectsOf(AccessPredicate predicate, SearchContext context)
    {
        switch (predicate)
        {
            case AccessPredicate.Any { Alternatives: [var only] }:
                return SubjectsOf(only, context);
            case AccessPredicate.All all:
                List<long>? subjects = null;
                foreach (var part in all.Parts)
                {
                    var own = SubjectsOf(part, context);
                    subjects = subjects is null ? own : own is null ? subjects : [.. subjects.Intersect(own)];
                }

                return subjects;
            case AccessPredicate.OfPatient patient:
                return context.Entity("Patient", patient.PatientId) is { } entity ? [entity] : [];
            case AccessPredicate.OfPatients { Patients: { Count: <= 1 } few }:
                return [.. context.Engine.EntitiesOf(context.Connection, few).Numbers];
            default:
                return null;
        }
    }

    /// <summary>What a predicate asks besides what <see cref="SubjectsOf"/> has of it; null when that is all.</summary>
    private static AccessPredicate? BesidesSubjects(AccessPredicate predicate) => predicate switch
    {
        AccessPredicate.Any { Alternatives: [var only] } => BesidesSubjects(only),
        AccessPredicate.All { Parts: [var one, var other] } => (BesidesSubjects(one), BesidesSubjects(other)) switch
        {
            (null, var rest) => rest,
            (var rest, null) => rest,
            var (first, second) => new AccessPredicate.All([first, second]),
        },
        AccessPredicate.All all => all.Parts.Select(BesidesSubjects).OfType<AccessPredicate>().ToList() is { Count: > 0 } parts ? new AccessPredicate.All(parts) : null,
        AccessPredicate.OfPatient or AccessPredicate.OfPatients { Patients.Count: <= 1 } => null,
        _ => predicate,
    };

    private static bool IsOfPatient(AccessPredicate predicate) => predicate
        is AccessPredicate.OfPatient or AccessPredicate.OfPatients { Patients.Count: <= 1 }
        || (predicate is AccessPredicate.Any { Alternatives: [var only] } && IsOfPatient(only))
        || (predicate is AccessPredicate.All all && all.Parts.Any(IsOfPatient));

    private static bool IsAboutSubject(SearchCriterion criterion, SearchContext context) => criterion is SearchCriterion.References or SearchCriterion.Chain
        ? context.Whole(criterion.Parameter) is not null
        : criterion is SearchCriterion.Or or && or.Parts.All(part => part is SearchCriterion.Chain && context.Whole(part.Parameter) is not null);

    private static bool Drives(SearchCriterion criterion, SearchContext context) =>
        criterion is SearchCriterion.Dates ? context.Whole(criterion.Parameter) is not null : criterion is SearchCriterion.Tokens { Negated: false } tokens && context.IsFacet(tokens.Of);

    private static bool IsSelective(SearchCriterion criterion) => criterion
        is SearchCriterion.Ids or SearchCriterion.References or SearchCriterion.Chain or SearchCriterion.Has or SearchCriterion.InList or SearchCriterion.FullText
        or SearchCriterion.TypedIdentifiers or SearchCriterion.ReferenceIdentifiers
        || criterion.Parameter?.Code == "identifier";

    private Condition AnySubject() => _subjects is { } some ? Condition.In("t.subject", some) : new Condition($"t.subject IN ({AllSubjects})");

    private Condition AnySet() => _codeSets is { } sets ? Condition.In("t.codes", sets) : Condition.Always;

    // What the timeline answers alone is not looked up in the resource.
    private Condition Rows(string table, Condition subject, Condition codes)
    {
        var rows = new Condition(_readsResources ? $"{table} t {_dialect.OrderedJoin} resource r ON r.key=t.key WHERE " : $"{table} t WHERE ")
            .Append(subject).Append(" AND ").Append(codes).Append(" AND ").Append(_conditions);
        foreach (var time in _times)
        {
            rows.Append(" AND ").Append(CriterionSql.TimeBounds(time, "t.start", table == Timeline ? Stop : "t.stop"));
        }

        Bound(rows, " AND t.start>=?", _window.From);
        Bound(rows, " AND t.start<=?", _window.To);
        Bound(rows, table == Timeline ? " AND t.start>=?" : " AND t.start<?", _window.ShortFrom);
        return rows;
    }

    private static void Bound(Condition rows, string bound, long? tick)
    {
        if (tick is { } value and > long.MinValue and < long.MaxValue)
        {
            rows.Append(bound, value);
        }
    }

    private Condition Page(Condition subject, Condition codes, TimelinePosition after, long limit)
    {
        var page = Page(Timeline, subject, codes, after, limit);
        return _window.ShortFrom is null
            ? page
            : new Condition("SELECT * FROM (").Append(page).Append(") a UNION ALL SELECT * FROM (").Append(Page(LongTimeline, subject, codes, after, limit)).Append(_descending ? ") b ORDER BY start DESC, key DESC LIMIT ?" : ") b ORDER BY start, key LIMIT ?", limit);
    }

    private Condition Page(string table, Condition subject, Condition codes, TimelinePosition after, long limit)
    {
        var rows = Rows(table, subject, codes);
        if (ByTime && HasSecondRound)
        {
            rows.Append(after.IsSecondRound ? " AND t.start=?" : " AND t.start>?", IndexRows.NoStart);
        }

        if (after.Key != 0)
        {
            rows.Append(_descending ? " AND (t.start, t.key)<(?,?)" : " AND (t.start, t.key)>(?,?)", after.Start, after.Key);
        }

        return new Condition($"SELECT t.key AS key, t.start AS start{(ByTime ? "" : ", t.subject AS subject, t.codes AS codes")} FROM ").Append(rows)
            .Append(_descending ? " ORDER BY t.start DESC, t.key DESC LIMIT ?" : " ORDER BY t.start, t.key LIMIT ?", limit);
    }

    /// <summary>The order of a page: by time, then by key; range by range the range comes first.</summary>
    public int Compare(TimelinePosition left, TimelinePosition right)
    {
        if (!ByTime && left.Codes != right.Codes)
        {
            return left.Codes.CompareTo(right.Codes);
        }

        var order = left.Start != right.Start ? left.Start.CompareTo(right.Start) : left.Key.CompareTo(right.Key);
        return _descending ? -order : order;
    }
}

/// <summary>A place in the timeline; subject and codes are 0 where the order does not use them.</summary>
/// <param name="IsSecondRound">Among the Observations without a time, in an ascending walk.</param>
internal readonly record struct TimelinePosition(long Subject, long Codes, long Start, long Key, bool IsSecondRound)
{
    public const string Kinds = "llll";

    public static TimelinePosition Of(SearchCursor cursor) => cursor.IsStart
        ? default
        : new((long)(cursor.Values[0] ?? 0L), (long)(cursor.Values[1] ?? 0L), (long)(cursor.Values[2] ?? 0L), cursor.Key, cursor.Values[3] is 1L);

    public SearchCursor ToCursor() => new([Subject, Codes, Start, IsSecondRound ? 1L : 0L], Key);
}
