using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// A walk of the timeline: which subjects, which sets of codings, and what else must hold of the resource row. One subject with one set is a single range in
/// time order. Several are read one after the other; in time order they are merged, a page from each.
/// </summary>
internal sealed class TimelinePlan
{
    // Jumping from one value to the next reads as many rows as there are values, not as there are Observations.
    private const string AllSubjects =
        "WITH RECURSIVE s(x) AS (SELECT min(subject) FROM timeline UNION ALL SELECT (SELECT min(subject) FROM timeline WHERE subject>s.x) FROM s WHERE s.x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL";

    private readonly List<long>? _subjects;
    private readonly List<long>? _codeSets;
    private readonly Condition _conditions;
    private readonly bool _descending;
    private readonly SqlDialect _dialect;

    private TimelinePlan(SqlDialect dialect, List<long>? subjects, List<long>? codeSets, Condition conditions, bool byTime, bool descending)
    {
        _dialect = dialect;
        _subjects = subjects;
        _codeSets = codeSets;
        _conditions = conditions;
        ByTime = byTime;
        _descending = descending;
    }

    /// <summary>The page is in time order; otherwise subject by subject and code by code.</summary>
    public bool ByTime { get; }

    public bool HasOneSubject => _subjects is { Count: 1 };

    /// <summary>The plan, or null when the timeline does not help.</summary>
    public static TimelinePlan? For(SearchQuery query, AccessPredicate predicate, Condition access, CriterionSql sql)
    {
        var byTime = query.Sort is [{ Parameter.Code: "date" }];
        var drives = query.ResourceType == "Observation"
            && (byTime || query.Criteria.Any(criterion => (sql.Whole(criterion.Parameter) is not null || sql.AllInSets(criterion.Parameter)) && criterion is not SearchCriterion.Missing and not SearchCriterion.Tokens { Negated: true }));

        // A more selective criterion, or an order by key, is better served by the key scan.
        if (!drives || query.Sort is [{ Parameter.Code: "_lastUpdated" }] || query.Criteria.Any(criterion => criterion is SearchCriterion.Ids || criterion.Parameter.Code == "identifier"))
        {
            return null;
        }

        var subjects = SubjectsOf(predicate, sql);
        List<long>? codeSets = null;
        var conditions = new List<Condition> { access };
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case SearchCriterion.References references when subjects is null && sql.Whole(references.Parameter) is not null:
                    subjects = sql.Entities(references);
                    break;
                case SearchCriterion.Dates dates when sql.Whole(dates.Parameter) is not null:
                    conditions.Add(CriterionSql.TimeBounds(dates, "t.start"));
                    break;
                case SearchCriterion.Tokens { Negated: false } tokens when sql.AllInSets(tokens.Parameter):
                    var sets = sql.CodeSets(tokens.Parameter, tokens.Values);
                    codeSets = codeSets is null ? sets : [.. codeSets.Intersect(sets)];
                    break;
                default:
                    conditions.Add(sql.Of(criterion));
                    break;
            }
        }

        subjects?.Sort();
        return new TimelinePlan(sql.Dialect, subjects, codeSets, Condition.AllOf(conditions), byTime, query.Sort is [{ Descending: true }]);
    }

    /// <summary>All matches: <c>FROM</c> and <c>WHERE</c>.</summary>
    public Condition AllRows() => Rows(_subjects is { } some ? Condition.In("t.subject", some) : new Condition($"t.subject IN ({AllSubjects})"), _codeSets is { } sets ? Condition.In("t.codes", sets) : Condition.Always);

    /// <summary>A page of all matches in time order.</summary>
    public Condition PageOfAll(SearchCursor after, long limit) => WithBodies(Page(AllRows(), after, limit));

    /// <summary>A page of one subject in time order: a page of each set of codings, merged.</summary>
    public Condition PageOfSubject(SqlConnection connection, long subject, SearchCursor after, long limit)
    {
        // SQLite takes 500 parts; beyond a few dozen, sorting the subject's rows costs less than that many ranges.
        const int MaxRanges = 64;
        var ranges = new List<Condition>();
        for (var codes = NextCodeSet(connection, subject, long.MinValue, inclusive: true); codes is { } current; codes = NextCodeSet(connection, subject, current, inclusive: false))
        {
            if (ranges.Count == MaxRanges)
            {
                return PageOfAll(after, limit);
            }

            ranges.Add(new Condition("SELECT * FROM (").Append(KeysOfRange(subject, current, after, limit)).Append(") p"));
        }

        return ranges switch
        {
            [] => PageOfRange(subject, -1, after, limit),
            [var only] => WithBodies(only),
            _ => WithBodies(Condition.Join(" UNION ALL ", ranges, Condition.Never, parenthesised: false).Append(_descending ? " ORDER BY start DESC, key DESC LIMIT ?" : " ORDER BY start, key LIMIT ?", limit)),
        };
    }

    /// <summary>A page of one range of the timeline.</summary>
    public Condition PageOfRange(long subject, long codes, SearchCursor after, long limit) => WithBodies(KeysOfRange(subject, codes, after, limit));

    private Condition KeysOfRange(long subject, long codes, SearchCursor after, long limit) =>
        Page(Rows(new Condition("t.subject=?", subject), new Condition("t.codes=?", codes)), after, limit);

    // Bodies are read for the page only: merging two sets with their bodies cost 1.7 times as much. The order is the caller's to restore.
    private Condition WithBodies(Condition keys) =>
        new Condition("SELECT r.key, r.id, r.version, r.body, m.subject, m.start, m.codes FROM (").Append(keys).Append($") m {_dialect.OrderedJoin} resource r ON r.key=m.key");

    /// <summary>The next subject at or after that one, in ascending order; null at the end.</summary>
    public long? NextSubject(SqlConnection connection, long from, bool inclusive) =>
        _subjects is { } some ? Next(some, from, inclusive) : First(connection.Prepare($"SELECT min(subject) FROM timeline WHERE subject{(inclusive ? ">=" : ">")}?").Add(from));

    /// <summary>The same for the sets of codings that the subject has.</summary>
    public long? NextCodeSet(SqlConnection connection, long subject, long from, bool inclusive) =>
        _codeSets is { } some ? Next(some, from, inclusive) : First(connection.Prepare($"SELECT min(codes) FROM timeline WHERE subject=? AND codes{(inclusive ? ">=" : ">")}?").Add(subject).Add(from));

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

    private static List<long>? SubjectsOf(AccessPredicate predicate, CriterionSql sql) => predicate switch
    {
        AccessPredicate.Any { Alternatives: [var only] } => SubjectsOf(only, sql),
        AccessPredicate.OfPatient patient => sql.EntityOf("Patient", patient.PatientId) is { } entity ? [entity] : [],
        _ => null,
    };

    // What the timeline answers alone is not looked up in the resource.
    private Condition Rows(Condition subject, Condition codes) =>
        new Condition(_conditions.Sql.Contains("r.", StringComparison.Ordinal) ? $"timeline t {_dialect.OrderedJoin} resource r ON r.key=t.key WHERE " : "timeline t WHERE ")
            .Append(subject).Append(" AND ").Append(codes).Append(" AND ").Append(_conditions);

    private Condition Page(Condition rows, SearchCursor after, long limit)
    {
        if (after.Key != 0)
        {
            rows.Append(_descending ? " AND (t.start, t.key)<(?,?)" : " AND (t.start, t.key)>(?,?)", after.Start, after.Key);
        }

        return new Condition("SELECT t.key AS key, t.subject AS subject, t.start AS start, t.codes AS codes FROM ").Append(rows)
            .Append(_descending ? " ORDER BY t.start DESC, t.key DESC LIMIT ?" : " ORDER BY t.start, t.key LIMIT ?", limit);
    }

    /// <summary>The order of a page: by time, then by key.</summary>
    public int Compare(SearchCursor left, SearchCursor right)
    {
        var order = left.Start != right.Start ? left.Start.CompareTo(right.Start) : left.Key.CompareTo(right.Key);
        return _descending ? -order : order;
    }
}
