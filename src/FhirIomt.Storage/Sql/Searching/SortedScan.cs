using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>A page in any order: every match with its sort values, and of those a page after a position. Equal ones are in the order of their keys.</summary>
internal sealed class SortedScan(SearchContext context, IReadOnlyList<SortKey> sort)
{
    private readonly List<SortKeySql> _keys = [.. sort.Select((key, index) => SortKeySql.For(context, key, index))];

    public string Kinds => string.Concat(_keys.Select(key => key.Kind));

    /// <summary>Selects the key, the catalog's number and the sort values, in order.</summary>
    public Condition Page(Scan scan, SearchCursor after, long limit, PageReader pages)
    {
        var keys = new Condition("SELECT r.key AS key");
        for (var index = 0; index < _keys.Count; index++)
        {
            keys.Append(", ").Append(_keys[index].Value).Append($" AS k{index}");
        }

        var joins = _keys.Where(key => key.Join is not null).Select(key => key.Join!).ToList();
        keys.Append(" FROM ").Append(scan.Rows(joins.Count == 0 ? null : Condition.Join(" ", joins, Condition.Always, parenthesised: false)));
        var page = new Condition("SELECT * FROM (").Append(keys).Append(") q");
        if (!after.IsStart)
        {
            page.Append(" WHERE ").Append(After(after));
        }

        page.Append($" ORDER BY {Order("q")} LIMIT ?", limit);
        var columns = string.Concat(Enumerable.Range(0, _keys.Count).Select(index => $", m.k{index}"));
        return new Condition($"SELECT m.key, {CatalogView.Column}{columns}{pages.Columns} FROM (").Append(page).Append($") m{pages.Join} ORDER BY {Order("m")}");
    }

    public IReadOnlyList<object?> Values(SqlStatement.Rows rows, int first)
    {
        var values = new object?[_keys.Count];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = rows.IsNull(first + index) ? null : _keys[index].Kind switch
            {
                'l' => rows.Int64(first + index),
                'd' => rows.Real(first + index),
                _ => rows.Text(first + index),
            };
        }

        return values;
    }

    private string Order(string table) => string.Concat(_keys.Select((key, index) => $"{table}.k{index} IS NULL, {table}.k{index}{(key.Descending ? " DESC" : "")}, ")) + $"{table}.key";

    // Equal in the keys before, and behind in this one; at last behind by key alone. Nothing lies behind "no value" but equal keys.
    private Condition After(SearchCursor after)
    {
        var ways = new List<Condition>();
        var equal = new List<Condition>();
        for (var index = 0; index < _keys.Count; index++)
        {
            var value = after.Values[index];
            if (value is not null)
            {
                ways.Add(Condition.AllOf([.. equal, new Condition($"(q.k{index}{(_keys[index].Descending ? "<" : ">")}? OR q.k{index} IS NULL)", value)]));
            }

            equal.Add(value is null ? new Condition($"q.k{index} IS NULL") : new Condition($"q.k{index}=?", value));
        }

        ways.Add(Condition.AllOf([.. equal, new Condition("q.key>?", after.Key)]));
        return Condition.AnyOf(ways);
    }
}
