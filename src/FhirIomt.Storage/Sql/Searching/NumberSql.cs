using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>Comparisons with stored intervals: of numbers and quantities (<see cref="NumberMatch.Matches"/>) and of dates (<see cref="DateMatch.Matches"/>).</summary>
internal static class NumberSql
{
    public static Condition Bounds(NumberMatch match, string low, string high) =>
        Bounds(match.Prefix, (double)match.Value, (double)match.Low, (double)match.High, ((double)match.Around.Low, (double)match.Around.High), low, high);

    public static Condition Bounds(SearchPrefix prefix, double value, double from, double to, (double Low, double High) around, string low, string high) => prefix switch
    {
        SearchPrefix.Equal => new Condition($"({low}>=? AND {low}<? AND {high}<?)", from, to, to),
        SearchPrefix.NotEqual => new Condition($"({low}<? OR {high}>=?)", from, to),
        SearchPrefix.Greater => new Condition($"{high}>?", value),
        SearchPrefix.Less => new Condition($"{low}<?", value),
        SearchPrefix.GreaterOrEqual => new Condition($"{high}>=?", value),
        SearchPrefix.LessOrEqual => new Condition($"{low}<=?", value),
        SearchPrefix.StartsAfter => new Condition($"{low}>?", value),
        SearchPrefix.EndsBefore => new Condition($"{high}<?", value),
        _ => new Condition($"({low}<=? AND {high}>=?)", around.High, around.Low),
    };

    /// <param name="asReal">The columns hold the ticks as floating point, as composites do.</param>
    public static Condition Bounds(DateMatch match, string start, string stop, bool asReal = false)
    {
        // Without the cast both would be floating point, which is exact to 12.8 µs only, and no bound of an index on PostgreSQL.
        object Tick(DateTimeOffset time) => asReal ? (object)(double)time.UtcTicks : time.UtcTicks;
        var (from, to) = (Tick(match.Start), Tick(match.End));
        return match.Prefix switch
        {
            SearchPrefix.Equal => new Condition($"({start}>=? AND {start}<? AND {stop}<=?)", from, to, to),
            SearchPrefix.NotEqual => new Condition($"NOT ({start}>=? AND {stop}<=?)", from, to),
            SearchPrefix.Greater => new Condition($"({stop}>?)", to),
            SearchPrefix.Less => new Condition($"({start}<?)", from),
            SearchPrefix.GreaterOrEqual => new Condition($"({start}>=? OR {stop}>?)", from, to),
            SearchPrefix.LessOrEqual => new Condition($"({start}<? OR {stop}<=?)", from, to),
            SearchPrefix.StartsAfter => new Condition($"({start}>=?)", to),
            SearchPrefix.EndsBefore => new Condition($"({stop}<=?)", from),
            _ => new Condition($"({start}<? AND {stop}>?)", to, from),
        };
    }
}
