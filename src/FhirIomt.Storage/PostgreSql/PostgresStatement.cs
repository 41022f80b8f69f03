using FhirIomt.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>A statement of PostgreSQL. Rows come from the reader as they are asked for, or from memory once another statement needed the connection.</summary>
internal sealed class PostgresStatement(PostgresConnection connection, string sql) : SqlStatement, IDisposable
{
    private readonly NpgsqlCommand _command = new(sql);
    private readonly Queue<object?[]> _kept = [];
    private NpgsqlDataReader? _reader;
    private object?[]? _row;
    private bool _toRun;
    private int _bound;

    // Most values are numbers, and in the same places each time: a search has twenty.
    public override SqlStatement Add(long value)
    {
        if (_bound < _command.Parameters.Count && _command.Parameters[_bound] is NpgsqlParameter<long> parameter)
        {
            parameter.TypedValue = value;
            _bound++;
            return this;
        }

        return AddParameter(new NpgsqlParameter<long> { TypedValue = value });
    }

    public override SqlStatement Add(double value) => AddParameter(new NpgsqlParameter<double> { TypedValue = value });

    public override SqlStatement Add(string value) => AddParameter(new NpgsqlParameter<string> { TypedValue = PostgresText.Clean(value), NpgsqlDbType = NpgsqlDbType.Text });

    public override SqlStatement Add(ReadOnlySpan<byte> value) => AddParameter(new NpgsqlParameter<byte[]> { TypedValue = value.ToArray() });

    public override SqlStatement AddNull() => AddParameter(new NpgsqlParameter { Value = DBNull.Value });

    /// <summary>Takes the rows that are left into memory and gives the connection free.</summary>
    public void ReadToEnd()
    {
        while (_reader is not null && Read(_reader))
        {
            var row = new object?[_reader.FieldCount];
            _reader.GetValues(row!);
            _kept.Enqueue(row);
        }

        CloseReader();
    }

    public void Dispose() => _command.Dispose();

    protected override void Begin()
    {
        Forget();
        _toRun = true;
    }

    protected override bool Step()
    {
        if (_toRun)
        {
            _toRun = false;
            _command.Connection = connection.Inner;
            if (connection.IsPatient)
            {
                _command.CommandTimeout = 0;
            }

            Unbind(_bound);
            _reader = PostgresConnection.Run(() => _command.ExecuteReader());
            _bound = 0;
            connection.Began(this);
        }

        if (_reader is not null)
        {
            return Read(_reader);
        }

        return _kept.TryDequeue(out _row);
    }

    protected override void Reset()
    {
        // What was bound and never run must not be there for the next run.
        _toRun = false;
        _bound = 0;
        Forget();
    }

    protected override long Int64(int column) => _row is null ? _reader!.GetInt64(column) : Convert.ToInt64(_row[column], System.Globalization.CultureInfo.InvariantCulture);

    protected override double Real(int column) => _row is null ? _reader!.GetDouble(column) : (double)_row[column]!;

    protected override bool IsNull(int column) => _row is null ? _reader!.IsDBNull(column) : _row[column] is DBNull;

    protected override string Text(int column) => _row is null ? _reader!.GetString(column) : (string)_row[column]!;

    protected override byte[] Blob(int column) => _row is null ? _reader!.GetFieldValue<byte[]>(column) : (byte[])_row[column]!;

    private static bool Read(NpgsqlDataReader reader) => PostgresConnection.Run(reader.Read);

    private SqlStatement AddParameter(NpgsqlParameter parameter)
    {
        Unbind(_bound);
        _command.Parameters.Add(parameter);
        _bound++;
        return this;
    }

    // What an earlier run bound from that place on.
    private void Unbind(int from)
    {
        while (_command.Parameters.Count > from)
        {
            _command.Parameters.RemoveAt(_command.Parameters.Count - 1);
        }
    }

    private void Forget()
    {
        CloseReader();
        _kept.Clear();
        _row = null;
    }

    private void CloseReader()
    {
        if (_reader is { } reader)
        {
            _reader = null;
            connection.Ended(this);
            try
            {
                reader.Dispose();
            }
            catch (Exception exception) when (PostgresErrors.Translate(exception) is not null)
            {
                // Whoever read it has the failure already, or needs no more of it.
            }
        }
    }
}
