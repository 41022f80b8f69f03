using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// When a match can begin, by the dates that are asked for, in ticks. "Since yesterday" asks for an end, and the timeline has starts: only because what lasts a day at most must have begun
/// a day before is it a range of the timeline and not all of it. What lasts longer has an index of its own (<c>long_timeline</c>).
/// </summary>
/// <param name="From">Nothing that matches begins before.</param>
/// <param name="ShortFrom">Nothing that matches and lasts a day at most begins before; null when <paramref name="From"/> says as much.</param>
/// <param name="To">Nothing that matches begins after.</param>
internal readonly record struct TimeWindow(long? From, long? ShortFrom, long? To)
{
    private const long Short = TimeSpan.TicksPerDay;

    /// <summary>All of the criteria hold.</summary>
    public static TimeWindow Of(IEnumerable<SearchCriterion.Dates> criteria)
    {
        var window = default(TimeWindow);
        foreach (var one in criteria.Select(criterion => AnyOf([.. criterion.Values.Select(Of)])))
        {
            window = new TimeWindow(Later(window.From, one.From), Later(window.ShortFrom, one.ShortFrom), window.To is { } to && !(one.To < to) ? to : one.To);
        }

        return window.ShortFrom > (window.From ?? long.MinValue) ? window : window with { ShortFrom = null };
    }

    private static long? Later(long? one, long? other) => one is null || other > one ? other : one;

    private static TimeWindow AnyOf(IReadOnlyList<TimeWindow> ways) => new(ways.Min(way => way.From ?? long.MinValue), ways.Min(way => way.ShortFrom ?? long.MinValue), ways.Max(way => way.To ?? long.MaxValue));

    private static TimeWindow Of(DateMatch match)
    {
        var (from, to) = (match.Start.UtcTicks, match.End.UtcTicks);
        return match.Prefix switch
        {
            SearchPrefix.Equal => new(from, from, to),
            SearchPrefix.Greater => new(null, to - Short, null),
            SearchPrefix.GreaterOrEqual => new(null, Math.Min(from, to - Short), null),
            SearchPrefix.StartsAfter => new(to, to, null),
            SearchPrefix.Less or SearchPrefix.EndsBefore => new(null, null, from),
            SearchPrefix.LessOrEqual => new(null, null, to),
            SearchPrefix.Approximately => new(null, from - Short, to),
            _ => default,
        };
    }
}
