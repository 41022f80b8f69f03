using System.Collections.Concurrent;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>, one writer, as many readers as ask.</summary>
public sealed class SqliteStore : IStore
{
    // Readers beyond this wait: reads are short, and more connections than this only divide the same two caches.
    private const int MaxReaders = 32;

    private readonly string _path;
    private readonly SqlEngine _engine;
    private readonly GroupCommitWriter _writer;
    private readonly StoreLock? _lock;
    private readonly ConcurrentBag<SqliteConnection> _idle = [];
    private readonly SemaphoreSlim _readers = new(MaxReaders);
    private readonly Timer _poll;

    private SqliteStore(string path, SqliteConnection writer, SqlEngine engine, StoreLock? storeLock, TimeSpan poll)
    {
        _path = path;
        _engine = engine;
        _lock = storeLock;
        _writer = new GroupCommitWriter(writer, engine, new SqliteRowWriter(writer));
        _poll = new Timer(_ => TakeUpOtherProcesses(), null, poll, poll);
    }

    public long Generation => _engine.Generation;

    /// <summary>Opens the store, making or upgrading it when nobody else has it open.</summary>
    /// <param name="serve">Hold the store's server lock: one server for one embedded store. The command line passes false.</param>
    /// <exception cref="StoreUnusableException">Owned by another user, in use, or of a newer build.</exception>
    public static SqliteStore Open(string directory, SearchIndexer indexer, IndexPolicy policy, TimeProvider time, bool serve)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, "fhiriomt.db");
        StoreLock.RequireOwner(path);
        var storeLock = serve ? StoreLock.TakeWithin(directory, TimeSpan.FromSeconds(2)) : StoreLock.TryTake(directory);
        if (serve && storeLock is null)
        {
            throw new StoreUnusableException($"Another server has the store in '{directory}' open. Stop it, or give this one another --data.");
        }

        var connection = new SqliteConnection(path, readOnly: false);
        SqlEngine engine;
        try
        {
            Prepare(connection, policy, mayMigrate: storeLock is not null);
            engine = new SqlEngine(connection, indexer, policy, time);
            new IndexRebuild(connection, engine, new SqliteRowWriter(connection)).Finish();
        }
        catch
        {
            connection.Dispose();
            storeLock?.Dispose();
            throw;
        }

        if (!serve)
        {
            storeLock?.Dispose();
            storeLock = null;
        }

        // A change by another process must act within 1 s; looking costs one row.
        return new SqliteStore(path, connection, engine, storeLock, TimeSpan.FromMilliseconds(300));
    }

    public ValueTask<StoredResource?> ReadAsync(string type, string id, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.Read(connection, type, id), cancellationToken);

    public ValueTask<StoredResource?> ReadVersionAsync(string type, string id, long version, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ReadVersion(connection, type, id, version), cancellationToken);

    public ValueTask<Outcome<SearchPage>> SearchAsync(SearchQuery query, SearchAccess access, CancellationToken cancellationToken) =>
        ReadingAsync(
            connection =>
            {
                // One snapshot for the page, its count and its includes.
                connection.Prepare("BEGIN").Done();
                try
                {
                    return _engine.Search(connection, query, access);
                }
                finally
                {
                    connection.Prepare("COMMIT").Done();
                }
            },
            cancellationToken);

    public ValueTask<Outcome<HistoryPage>> HistoryAsync(HistoryQuery query, CancellationToken cancellationToken) =>
        ReadingAsync(connection => new HistoryRun(_engine, connection, query).Run(), cancellationToken);

    public Task WriteAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken) => _writer.WriteAsync(operations, cancellationToken);

    public ValueTask<StoredRecord?> FindRecordAsync(string kind, string id, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.FindRecord(connection, kind, id), cancellationToken);

    public ValueTask<IReadOnlyList<StoredRecord>> ListRecordsAsync(string kind, CancellationToken cancellationToken) =>
        ListNewestRecordsAsync(kind, int.MaxValue, cancellationToken);

    public ValueTask<IReadOnlyList<StoredRecord>> ListNewestRecordsAsync(string kind, int limit, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ListRecords(connection, kind, limit), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _poll.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }

        _readers.Dispose();
        _lock?.Dispose();
    }

    private static void Prepare(SqliteConnection connection, IndexPolicy policy, bool mayMigrate)
    {
        if ((Schema.VersionOf(connection) != Schema.Current || IndexRebuild.IsPending(connection)) && !mayMigrate)
        {
            throw new StoreUnusableException("The store has another schema version and a server is running on it. Stop the server first.");
        }

        // Larger pages hold a whole Observation; they must be chosen before the first table.
        connection.Execute("PRAGMA page_size=8192");
        connection.Execute("PRAGMA journal_mode=WAL");
        connection.Execute("PRAGMA synchronous=FULL");
        connection.Execute("PRAGMA cache_size=-65536");
        connection.Execute("PRAGMA wal_autocheckpoint=4000");
        Schema.Migrate(connection, policy.Definitions);
    }

    private async ValueTask<T> ReadingAsync<T>(Func<SqliteConnection, T> read, CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = _idle.TryTake(out var idle) ? idle : OpenReader();
            try
            {
                return read(connection);
            }
            finally
            {
                _idle.Add(connection);
            }
        }
        finally
        {
            _readers.Release();
        }
    }

    private SqliteConnection OpenReader()
    {
        var connection = new SqliteConnection(_path, readOnly: true);
        // Mapped pages need no cache of their own; 32 readers with SQLite's usual 2 MB stay small.
        connection.Execute("PRAGMA cache_size=-2000");
        connection.Execute("PRAGMA mmap_size=1073741824");
        return connection;
    }

    private void TakeUpOtherProcesses()
    {
        SqliteConnection? connection = null;
        try
        {
            connection = _idle.TryTake(out var idle) ? idle : OpenReader();
            var stored = connection.Scalar("SELECT generation FROM clock");
            if (stored > _engine.Generation)
            {
                _engine.Generation = stored;
            }
        }
        catch (StoreBusyException)
        {
            // An exception on a timer's thread would end the process; the next look is 300 ms away.
        }
        finally
        {
            if (connection is not null)
            {
                _idle.Add(connection);
            }
        }
    }
}
