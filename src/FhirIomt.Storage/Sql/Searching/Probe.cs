namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// Rows of one index table that meet a criterion. Used in two ways: as a question about one resource row, and as the set of keys that drives the search.
/// </summary>
/// <param name="On">What must hold of the index row <c>i</c>.</param>
/// <param name="IsPoint">With the key of a resource the table finds its rows at once; otherwise the keys are listed once for the statement.</param>
internal sealed record Probe(string Table, long Parameter, Condition On, bool IsPoint)
{
    // Beyond this one list of keys costs less than that many points for each row.
    public const int MaxPoints = 20;

    public Condition Keys() => new Condition($"SELECT i.key FROM {Table} i WHERE i.parameter=? AND ", Parameter).Append(On);

    // The plus keeps SQLite from reading a range of values for each row where the rows of one key are a handful: quantities over a bound took 60 ms that way, and 1 ms this way.
    public Condition About(string row) => IsPoint
        ? new Condition($"EXISTS(SELECT 1 FROM {Table} i WHERE i.key={row}.key AND {(IsByKey ? "+" : "")}i.parameter=? AND ", Parameter).Append(On).Append(")")
        : new Condition($"{row}.key IN (").Append(Keys()).Append(")");

    // Those tables have an index by key; in the others the key comes after the value, and both are asked for.
    private bool IsByKey => Table is "string_index" or "date_index" or "number_index" or "quantity_index" or "component_index";
}
