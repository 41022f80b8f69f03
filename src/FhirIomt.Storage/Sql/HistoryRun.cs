using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// One page of versions, newest first. Keys hold type and time, so each type is a range of keys in both tables; everything is a merge of the types that have rows.
/// The cursor is the tick where the page ended: ticks are never given twice, whatever the type.
/// </summary>
internal sealed class HistoryRun(SqlEngine engine, SqlConnection connection, HistoryQuery query)
{
    private const string Columns = "key, type, id, version, deleted, body";

    public Outcome<HistoryPage> Run()
    {
        var before = long.MaxValue;
        if (query.Cursor is { } cursor && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return SearchIssues.BadCursor();
        }

        var versions = new List<StoredResource>(query.Count + 1);
        var last = 0L;
        using var rows = Select(before).Prepare(connection).Run();
        while (rows.Step())
        {
            if (versions.Count == query.Count)
            {
                return new HistoryPage(versions, last.ToString(CultureInfo.InvariantCulture));
            }

            var key = rows.Int64(0);
            last = key & ResourceKey.TickMask;
            versions.Add(new StoredResource(engine.TypeName(rows.Int64(1)), rows.Text(2), rows.Int64(3), ResourceKey.TimeOf(key), rows.Blob(5)) { IsDeleted = rows.Int64(4) != 0 });
        }

        return new HistoryPage(versions, null);
    }

    private Condition Select(long before)
    {
        var parts = new List<Condition>();
        foreach (var type in query.Type is { } one ? [engine.TypeNumber(one)] : TypesWithRows())
        {
            parts.Add(Part("resource", type, before));
            parts.Add(Part("resource_history", type, before));
        }

        return parts.Count == 0
            ? new Condition($"SELECT {Columns} FROM resource WHERE (1=0)")
            : new Condition($"SELECT {Columns} FROM (").Append(Condition.Join(" UNION ALL ", parts, Condition.Never, parenthesised: false))
                .Append($") v ORDER BY key & {ResourceKey.TickMask} DESC LIMIT ?", (long)query.Count + 1);
    }

    private Condition Part(string table, long type, long before)
    {
        var part = new Condition($"SELECT * FROM (SELECT {Columns} FROM {table} v WHERE ");
        if (query.Id is { } id)
        {
            part.Append("type=? AND id=? AND ", type, id);
        }

        var first = query.Since is { } since ? ResourceKey.FirstTickOf(since) : 0;
        var end = Math.Min(before, query.At is { } at ? ResourceKey.FirstTickOf(at.End) : ResourceKey.TickMask + 1);
        part.Append("key>=? AND key<?", ResourceKey.Of(type, first), ResourceKey.FirstOf(type) + end);
        if (query.At is { } interval)
        {
            // Current at some time of the interval: its successor came after the start.
            part.Append(" AND NOT EXISTS(SELECT 1 FROM resource n WHERE n.type=v.type AND n.id=v.id AND n.version=v.version+1 AND n.key<=?)", ResourceKey.Of(type, ResourceKey.FirstTickOf(interval.Start)))
                .Append(" AND NOT EXISTS(SELECT 1 FROM resource_history n WHERE n.type=v.type AND n.id=v.id AND n.version=v.version+1 AND n.key<=?)", ResourceKey.Of(type, ResourceKey.FirstTickOf(interval.Start)));
        }

        return part.Append(" ORDER BY key DESC LIMIT ?) p", (long)query.Count + 1);
    }

    private IEnumerable<long> TypesWithRows()
    {
        var types = new List<long>();
        foreach (var type in engine.TypeNumbers)
        {
            using var rows = connection.Prepare("SELECT 1 FROM resource WHERE key>=? AND key<=? LIMIT 1").Add(ResourceKey.FirstOf(type)).Add(ResourceKey.LastOf(type)).Run();
            if (rows.Step())
            {
                types.Add(type);
            }
        }

        return types;
    }
}
