using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// A walk of the timeline: which subjects, which one concept (0 for any), which bounds on time, and what is left to probe on the resource row.
/// One subject and one concept is a single range, read in time order; several are read one after the other.
/// </summary>
internal sealed class TimelinePlan
{
    /// <summary>Every subject there is, by jumping from one to the next instead of reading each row.</summary>
    public const string AllSubjects =
        "WITH RECURSIVE s(x) AS (SELECT min(subject) FROM timeline UNION ALL SELECT (SELECT min(subject) FROM timeline WHERE subject>s.x) FROM s WHERE s.x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL";

    private readonly long _concept;
    private readonly Condition _bounds;
    private readonly Condition _rest;
    private readonly bool _descending;

    private TimelinePlan(List<long>? subjects, long concept, Condition bounds, Condition rest, bool byTime, bool descending)
    {
        Subjects = subjects;
        _concept = concept;
        _bounds = bounds;
        _rest = rest;
        ByTime = byTime;
        _descending = descending;
    }

    /// <summary>Null: all. In ascending order.</summary>
    public List<long>? Subjects { get; }

    /// <summary>The page is in time order over all subjects; otherwise subject by subject.</summary>
    public bool ByTime { get; }

    /// <summary>The plan, or null when the timeline does not help.</summary>
    public static TimelinePlan? For(SearchQuery query, AccessPredicate predicate, CriterionSql sql)
    {
        var byTime = query.Sort is [{ Parameter.Code: "date" }];
        var drives = query.ResourceType == "Observation"
            && (byTime || query.Criteria.Any(criterion => sql.Whole(criterion.Parameter) is not null && criterion is not SearchCriterion.Missing and not SearchCriterion.Tokens { Negated: true }));

        // A more selective criterion, or an order by key, is better served by the key scan.
        if (!drives || query.Sort is [{ Parameter.Code: "_lastUpdated" }] || query.Criteria.Any(criterion => criterion is SearchCriterion.Ids || criterion.Parameter.Code == "identifier"))
        {
            return null;
        }

        var subjects = SubjectsOf(predicate, sql);
        var concept = 0L;
        var bounds = new List<Condition>();
        var rest = new List<Condition>();
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case SearchCriterion.References references when subjects is null && sql.Whole(references.Parameter) is not null:
                    subjects = sql.Entities(references);
                    break;
                case SearchCriterion.Dates dates when sql.Whole(dates.Parameter) is not null:
                    bounds.Add(CriterionSql.DateBounds(dates, "t"));
                    break;
                case SearchCriterion.Tokens { Negated: false } tokens when concept == 0 && sql.Whole(tokens.Parameter) is not null
                    && tokens.Values.All(value => value.Code is not null) && sql.Concepts(tokens.Values) is [var only]:
                    concept = only;
                    break;
                default:
                    rest.Add(sql.Of(criterion));
                    break;
            }
        }

        subjects?.Sort();
        return new TimelinePlan(subjects, concept, Condition.AllOf(bounds), Condition.AllOf(rest), byTime, query.Sort is [{ Descending: true }]);
    }

    /// <summary>The rows of those subjects: <c>FROM</c> and <c>WHERE</c>.</summary>
    public Condition Rows(Condition access, Condition subject) =>
        new Condition("timeline t CROSS JOIN resource r ON r.key=t.key WHERE ").Append(subject).Append(" AND t.concept=? AND ", _concept)
            .Append(_bounds).Append(" AND ").Append(_rest).Append(" AND ").Append(access);

    /// <summary>The page after a position, in time order.</summary>
    public Condition Ordered(Condition rows, SearchCursor after, long limit)
    {
        if (after.Key != 0)
        {
            rows.Append(_descending ? " AND (t.start, t.key)<(?,?)" : " AND (t.start, t.key)>(?,?)", after.Start, after.Key);
        }

        return new Condition("SELECT r.key, r.id, r.version, r.body, t.subject, t.start FROM ").Append(rows)
            .Append(_descending ? " ORDER BY t.start DESC, t.key DESC LIMIT ?" : " ORDER BY t.start, t.key LIMIT ?", limit);
    }

    /// <summary>The next subject at or after that one, in ascending order; null at the end.</summary>
    public long? NextSubject(SqliteConnection connection, long from, bool inclusive)
    {
        if (Subjects is { } some)
        {
            var index = some.FindIndex(subject => inclusive ? subject >= from : subject > from);
            return index < 0 ? null : some[index];
        }

        using var rows = connection.Prepare(inclusive ? "SELECT min(subject) FROM timeline WHERE subject>=?" : "SELECT min(subject) FROM timeline WHERE subject>?").Add(from).Run();
        return rows.Step() && !rows.IsNull(0) ? rows.Int64(0) : null;
    }

    private static List<long>? SubjectsOf(AccessPredicate predicate, CriterionSql sql) => predicate switch
    {
        AccessPredicate.Any { Alternatives: [var only] } => SubjectsOf(only, sql),
        AccessPredicate.OfPatient patient => sql.EntityOf("Patient", patient.PatientId) is { } entity ? [entity] : [],
        _ => null,
    };
}
