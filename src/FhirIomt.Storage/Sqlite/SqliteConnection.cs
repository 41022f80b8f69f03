using FhirIomt.Storage.Sql;
using SQLitePCL;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// One connection with its compiled statements. Straight on SQLitePCLRaw instead of ADO.NET: an ADO.NET command costs about 2 µs and a boxed
/// parameter per value, and one Observation is about ten statements (docs/adr/0002).
/// </summary>
internal sealed class SqliteConnection : SqlConnection
{
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    // Searches build their text from a small grammar; more than this many shapes means unusual traffic, and the oldest are dropped together.
    private const int MaxStatements = 512;

    public SqliteConnection(string path, bool readOnly)
        : base(SqliteDialect.Instance, readOnly)
    {
        SqliteLibrary.Load();
        var flags = readOnly ? raw.SQLITE_OPEN_READWRITE : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        Check(raw.sqlite3_open_v2(path, out _handle, flags | raw.SQLITE_OPEN_NOMUTEX, null));
        Execute("PRAGMA busy_timeout=30000");
        Execute("PRAGMA foreign_keys=OFF");
        Execute("PRAGMA temp_store=MEMORY");
        if (readOnly)
        {
            Execute("PRAGMA query_only=ON");
        }
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

        Check(raw.sqlite3_prepare_v2(_handle, sql, out var compiled));
        return _statements[sql] = new SqliteStatement(this, compiled);
    }

    public override void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>Carries as much of the log into the file as no reader needs, without waiting for anybody.</summary>
    /// <returns>Whether all of it is carried now; never for a connection that knows of no log, as one that has not read yet.</returns>
    public bool Checkpoint()
    {
        var result = raw.sqlite3_wal_checkpoint_v2(_handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var log, out var carried);
        if (result == raw.SQLITE_BUSY)
        {
            return false;
        }

        Check(result);
        return log >= 0 && log == carried;
    }

    /// <summary>Pages that this connection wrote into the log since it was asked last.</summary>
    public long TakePagesWritten()
    {
        _ = raw.sqlite3_db_status(_handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1);
        return pages;
    }

    public override void BeginSnapshot() => Prepare("BEGIN").Done();

    public override void EndSnapshot() => Prepare("COMMIT").Done();

    public override IEnumerable<string> Damage()
    {
        var damage = new List<string>();
        using var rows = Prepare("PRAGMA integrity_check(20)").Run();
        while (rows.Step())
        {
            if (rows.Text(0) is var line && line != "ok")
            {
                damage.Add($"SQLite: {line}");
            }
        }

        return damage;
    }

    public void Check(int result)
    {
        if (result is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw new StoreBusyException($"SQLite {result}: {raw.sqlite3_errmsg(_handle).utf8_to_string()}");
        }
    }

    public override void Dispose()
    {
        DropStatements();
        _handle.Dispose();
    }

    private void DropStatements()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
    }
}
