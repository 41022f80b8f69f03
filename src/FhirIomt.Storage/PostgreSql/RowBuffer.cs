using Npgsql;
using NpgsqlTypes;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>Rows of one statement, by column, until they are sent together: one round trip and one plan for all of them.</summary>
internal sealed class RowBuffer(string sql, params BufferColumn[] columns)
{
    public int Count { get; private set; }

    /// <summary>Begins a row: give every column its value, in order.</summary>
    public RowBuffer Row()
    {
        Count++;
        _next = 0;
        return this;
    }

    private int _next;

    public RowBuffer Add(long value)
    {
        ((BufferColumn.Numbers)columns[_next++]).Values.Add(value);
        return this;
    }

    public RowBuffer Add(long? value)
    {
        ((BufferColumn.PerhapsNumbers)columns[_next++]).Values.Add(value);
        return this;
    }

    public RowBuffer Add(double value)
    {
        ((BufferColumn.Reals)columns[_next++]).Values.Add(value);
        return this;
    }

    public RowBuffer Add(double? value)
    {
        ((BufferColumn.Reals)columns[_next++]).Values.Add(value);
        return this;
    }

    public RowBuffer Add(string? value)
    {
        ((BufferColumn.Texts)columns[_next++]).Values.Add(value is null ? null : PostgresText.Clean(value));
        return this;
    }

    public RowBuffer Add(ReadOnlyMemory<byte> value)
    {
        ((BufferColumn.Blobs)columns[_next++]).Values.Add(value.ToArray());
        return this;
    }

    /// <summary>Puts the rows into the batch, if there are any, and is empty afterwards.</summary>
    public void MoveTo(NpgsqlBatch batch)
    {
        if (Count == 0)
        {
            return;
        }

        var command = new NpgsqlBatchCommand(sql);
        foreach (var column in columns)
        {
            command.Parameters.Add(column.Take());
        }

        batch.BatchCommands.Add(command);
        Count = 0;
    }

    public void Clear()
    {
        Count = 0;
        foreach (var column in columns)
        {
            column.Clear();
        }
    }
}

/// <summary>The values of one column. A closed set.</summary>
internal abstract class BufferColumn
{
    private BufferColumn()
    {
    }

    /// <summary>The values as an array parameter; the column is empty afterwards.</summary>
    public abstract NpgsqlParameter Take();

    public abstract void Clear();

    public sealed class Numbers : BufferColumn
    {
        public List<long> Values { get; } = [];

        public override NpgsqlParameter Take() => Taken(Values, NpgsqlDbType.Bigint);

        public override void Clear() => Values.Clear();
    }

    public sealed class PerhapsNumbers : BufferColumn
    {
        public List<long?> Values { get; } = [];

        public override NpgsqlParameter Take() => Taken(Values, NpgsqlDbType.Bigint);

        public override void Clear() => Values.Clear();
    }

    public sealed class Reals : BufferColumn
    {
        public List<double?> Values { get; } = [];

        public override NpgsqlParameter Take() => Taken(Values, NpgsqlDbType.Double);

        public override void Clear() => Values.Clear();
    }

    public sealed class Texts : BufferColumn
    {
        public List<string?> Values { get; } = [];

        public override NpgsqlParameter Take() => Taken(Values, NpgsqlDbType.Text);

        public override void Clear() => Values.Clear();
    }

    public sealed class Blobs : BufferColumn
    {
        public List<byte[]> Values { get; } = [];

        public override NpgsqlParameter Take() => Taken(Values, NpgsqlDbType.Bytea);

        public override void Clear() => Values.Clear();
    }

    private static NpgsqlParameter<T[]> Taken<T>(List<T> values, NpgsqlDbType type)
    {
        var parameter = new NpgsqlParameter<T[]> { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | type };
        values.Clear();
        return parameter;
    }
}
