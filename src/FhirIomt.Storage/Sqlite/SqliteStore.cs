using System.Globalization;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>, one writer, as many readers as ask.</summary>
public sealed class SqliteStore : SqlStore
{
    private const int PageSize = 8192;

    private readonly string _path;
    private readonly StoreLock? _lock;
    private readonly AuditJournal? _journal;
    private readonly Checkpoints? _checkpoints;

    // A change by another process must act within 1 s; looking costs one row.
    private SqliteStore(string path, SqliteConnection writer, SqlEngine engine, StoreLock? storeLock, Checkpoints? checkpoints)
        : base(engine, new GroupCommitWriter(writer, engine, new SqliteRowWriter(writer, checkpoints)), TimeSpan.FromMilliseconds(300))
    {
        _path = path;
        _checkpoints = checkpoints;
        _lock = storeLock;

        // Whoever serves has many readers. A command has few, and what it writes is in the store when it ends.
        _journal = storeLock is null ? null : new AuditJournal(AuditJournal.PathIn(Path.GetDirectoryName(path)!), operation => WriteAsync([operation], CancellationToken.None));
    }

    /// <summary>Opens the store, making or upgrading it when nobody else has it open.</summary>
    /// <param name="serve">Hold the store's server lock: one server for one embedded store. The command line passes false.</param>
    /// <param name="progress">Hears how many resources are indexed anew, when the store is of an older schema.</param>
    /// <exception cref="StoreUnusableException">Owned by another user, in use, or of a newer build.</exception>
    public static SqliteStore Open(string directory, SearchIndexer indexer, IndexPolicy policy, TimeProvider time, bool serve, IProgress<long>? progress = null)
    {
        Directory.CreateDirectory(directory);
        var path = PathIn(directory);
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
            Prepare(connection, path, policy, mayMigrate: storeLock is not null);
            engine = new SqlEngine(connection, indexer, policy, time);
            new IndexRebuild(connection, engine, new SqliteRowWriter(connection)).Finish(progress);
            if (storeLock is not null)
            {
                AuditJournal.Recover(AuditJournal.PathIn(directory), connection, engine);
            }
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

        // A command is soon over, and carries its log itself.
        var checkpoints = serve ? new Checkpoints(connection, () => new SqliteConnection(path, readOnly: false), () => FitCache(connection, path), path, PagesInLog(path)) : null;
        if (serve)
        {
            connection.Execute("PRAGMA wal_autocheckpoint=0");
        }

        return new SqliteStore(path, connection, engine, storeLock, checkpoints);
    }

    // By its length, which is that of the longest log so far: one too many is carried once too early.
    private static long PagesInLog(string path) => new FileInfo(path + "-wal") is { Exists: true } log ? log.Length / PageSize : 0;

    public override int Schema => SqliteSchema.Current;

    /// <summary>The version of a store's tables as they are, without opening it as one; null when there is none.</summary>
    public static int? SchemaOf(string directory)
    {
        if (!File.Exists(PathIn(directory)))
        {
            return null;
        }

        using var connection = new SqliteConnection(PathIn(directory), readOnly: true);
        return SqliteSchema.VersionOf(connection);
    }

    /// <summary>A record of a store that is not opened. Null also where there is no store, or none that can be read.</summary>
    public static StoredRecord? Peek(string directory, string kind, string id)
    {
        try
        {
            if (SchemaOf(directory) is null or 0)
            {
                return null;
            }

            using var connection = new SqliteConnection(PathIn(directory), readOnly: true);
            return SqlEngine.ReadRecord(connection, kind, id);
        }
        catch (StoreBusyException)
        {
            return null;
        }
    }

    /// <summary>The file of a store.</summary>
    public static string PathIn(string directory) => Path.Combine(directory, "fhiriomt.db");

    public override Task AppendAuditAsync(IReadOnlyList<AuditRow> lines, CancellationToken cancellationToken)
    {
        if (_journal is null)
        {
            return base.AppendAuditAsync(lines, cancellationToken);
        }

        _journal.Append(lines);
        return Task.CompletedTask;
    }

    public override async ValueTask<IReadOnlyList<StoredAudit>> ReadAuditAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        // What waits tells of no readings: those are written with their lines.
        if (_journal is { } journal && !query.WithReadings)
        {
            await journal.TakeAsync().ConfigureAwait(false);
        }

        return await base.ReadAuditAsync(query, cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_journal is { } journal)
        {
            await journal.DisposeAsync().ConfigureAwait(false);
        }

        await base.DisposeAsync().ConfigureAwait(false);
        _checkpoints?.Dispose();
        _lock?.Dispose();
    }

    private protected override SqlConnection OpenReader()
    {
        var connection = new SqliteConnection(_path, readOnly: true);

        // Mapped pages need no cache of their own; 32 readers with SQLite's usual 2 MB stay small.
        connection.Execute("PRAGMA cache_size=-2000");
        connection.Execute("PRAGMA mmap_size=2147418112");
        return connection;
    }

    // The writer's pages are those that ids, which are hashes, fall on at random: with six million Observations and 256 MB a message took 132 µs of CPU, with 64 MB 167.
    // Below a gigabyte, where SQLite parks a page number while it balances a tree, every commit looks through the whole cache: with 512 MB that was a tenth of the server's work.
    private static void FitCache(SqliteConnection connection, string path)
    {
        const long Small = 64L << 20;
        const long Parking = 1L << 30;
        var bytes = new FileInfo(path).Length <= Parking ? Small : Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 32, Small, 512L << 20);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size=-{bytes / 1024}"));
    }

    private static void Prepare(SqliteConnection connection, string path, IndexPolicy policy, bool mayMigrate)
    {
        if ((SqliteSchema.VersionOf(connection) != SqliteSchema.Current || IndexRebuild.IsPending(connection)) && !mayMigrate)
        {
            throw new StoreUnusableException("The store has another schema version and a server is running on it. Stop the server first.");
        }

        // Larger pages hold a whole Observation; they must be chosen before the first table.
        connection.Execute($"PRAGMA page_size={PageSize}");
        connection.Execute("PRAGMA journal_mode=WAL");
        connection.Execute("PRAGMA synchronous=FULL");
        FitCache(connection, path);
        connection.Execute("PRAGMA wal_autocheckpoint=16000");
        SqliteSchema.Migrate(connection, policy.Definitions);
    }
}
