using Npgsql;
using NpgsqlTypes;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>The current rows that a write transaction has seen or made, so that what one operation wrote is found by the next without asking the server.</summary>
internal sealed class CurrentRows
{
    private readonly Dictionary<(long Type, string Id), ResourceRow?> _rows = [];
    private readonly Dictionary<long, ResourceRow> _added = [];

    public int AddedCount => _added.Count;

    /// <summary>Asks for all of them at once.</summary>
    public static NpgsqlBatchCommand Query(IReadOnlyCollection<(long Type, string Id)> reads) => new(
        "SELECT r.key, r.type, r.id, r.version, r.deleted, r.subject, r.codes, r.start, r.stop, r.body FROM unnest($1::bigint[], $2::text[]) AS w(type, id) JOIN resource r ON r.type=w.type AND r.id=w.id")
    {
        Parameters =
        {
            new NpgsqlParameter<long[]> { TypedValue = [.. reads.Select(read => read.Type)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
            new NpgsqlParameter<string[]> { TypedValue = [.. reads.Select(read => PostgresText.Clean(read.Id))], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        },
    };

    /// <summary>Takes the answer of <see cref="Query"/>: what it lacks is not there.</summary>
    public void Take(IReadOnlyCollection<(long Type, string Id)> reads, NpgsqlDataReader reader)
    {
        foreach (var read in reads)
        {
            _rows[read] = null;
        }

        while (reader.Read())
        {
            var columns = new ResourceColumns(Number(reader, 5), Number(reader, 6), Number(reader, 7), Number(reader, 8));
            var row = new ResourceRow(reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2), reader.GetInt64(3), reader.GetInt64(4) != 0, columns, reader.GetFieldValue<byte[]>(9));
            _rows[(row.Type, row.Id)] = row;
        }
    }

    public bool TryGet(long type, string id, out ResourceRow? row) => _rows.TryGetValue((type, id), out row);

    public void Set(long type, string id, ResourceRow? row) => _rows[(type, id)] = row;

    /// <summary>A new current row, not yet sent.</summary>
    public void Add(in ResourceRow row)
    {
        _rows[(row.Type, row.Id)] = row;
        _added[row.Key] = row;
    }

    /// <summary>True when the row was not yet sent; then it never will be.</summary>
    public bool TakeBack(in ResourceRow row) => _added.Remove(row.Key);

    /// <summary>The row's columns were changed: whoever asks next must read it anew.</summary>
    public void Forget(long key)
    {
        foreach (var (name, row) in _rows)
        {
            if (row?.Key == key)
            {
                _rows.Remove(name);
            }
        }
    }

    public void MoveAddedTo(RowBuffer buffer)
    {
        foreach (var row in _added.Values)
        {
            buffer.Row().Add(row.Key).Add(row.Type).Add(row.Id).Add(row.Version).Add(row.Deleted ? 1L : 0L)
                .Add(row.Columns.Subject).Add(row.Columns.Codes).Add(row.Columns.Start).Add(row.Columns.Stop).Add(row.Body);
        }

        _added.Clear();
    }

    public void Clear()
    {
        _rows.Clear();
        _added.Clear();
    }

    private static long? Number(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
