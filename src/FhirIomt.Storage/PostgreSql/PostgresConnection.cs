using FhirIomt.Storage.Sql;
using Npgsql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>
/// One connection with its statements. Npgsql prepares what is run for the second time. Whoever runs a statement while another's rows are still coming gets
/// them read to the end first: PostgreSQL answers one at a time.
/// </summary>
internal sealed class PostgresConnection : SqlConnection
{
    // As with SQLite: more shapes than this are unusual traffic.
    private const int MaxStatements = 512;

    private readonly NpgsqlDataSource _source;
    private readonly Dictionary<string, PostgresStatement> _statements = new(StringComparer.Ordinal);
    private NpgsqlConnection? _connection;
    private PostgresStatement? _reading;
    private NpgsqlTransaction? _snapshot;

    public PostgresConnection(NpgsqlDataSource source, bool readOnly)
        : base(PostgresDialect.Instance, readOnly)
    {
        _source = source;
        _connection = Open();
    }

    public override bool IsLost => _connection is not { State: System.Data.ConnectionState.Open };

    /// <summary>Statements have no time limit.</summary>
    public bool IsPatient { get; private set; }

    /// <summary>The open connection beneath, with nobody reading from it.</summary>
    public NpgsqlConnection Inner
    {
        get
        {
            _reading?.ReadToEnd();

            // Npgsql answers a use of a closed connection as a mistake of its caller, and it would look like one to ours.
            return _connection is { State: System.Data.ConnectionState.Open } open ? open : throw new StoreLostException("The connection to PostgreSQL was lost.");
        }
    }

    /// <summary>A new connection in place of a lost one; statements stay usable.</summary>
    public void Reopen()
    {
        Close();
        _connection = Open();
    }

    public override SqlStatement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out var statement))
        {
            return statement;
        }

        if (_statements.Count >= MaxStatements)
        {
            DropStatements();
        }

        return _statements[sql] = new PostgresStatement(this, PostgresText.Numbered(sql));
    }

    public override void Execute(string sql) => Run(() =>
    {
        using var command = new NpgsqlCommand(sql, Inner);
        if (IsPatient)
        {
            command.CommandTimeout = 0;
        }

        return command.ExecuteNonQuery();
    });

    public override void TakeTime() => IsPatient = true;

    // Npgsql sends BEGIN with the first statement: no round trip of its own.
    public override void BeginSnapshot() => _snapshot = Run(() => Inner.BeginTransaction(System.Data.IsolationLevel.RepeatableRead));

    public override void EndSnapshot()
    {
        var snapshot = _snapshot;
        _snapshot = null;
        _reading?.ReadToEnd();
        Run(() =>
        {
            snapshot?.Commit();
            return 0;
        });
    }

    /// <summary>Runs something on the connection and tells its failures apart.</summary>
    public static T Run<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (PostgresErrors.Translate(exception) is not null)
        {
            throw PostgresErrors.Translate(exception)!;
        }
    }

    public override void Dispose()
    {
        Close();
        DropStatements();
    }

    internal void Began(PostgresStatement statement) => _reading = statement;

    internal void Ended(PostgresStatement statement) => _reading = ReferenceEquals(_reading, statement) ? null : _reading;

    private void DropStatements()
    {
        _reading?.ReadToEnd();
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
    }

    private NpgsqlConnection Open()
    {
        var connection = Run(_source.OpenConnection);
        _ = BlockingSocket.TryMake(connection);
        return connection;
    }

    private void Close()
    {
        _reading = null;
        var connection = _connection;
        _connection = null;
        try
        {
            connection?.Dispose();
        }
        catch (Exception exception) when (PostgresErrors.Translate(exception) is not null)
        {
            // It is gone, which is what was asked for.
        }
    }
}
