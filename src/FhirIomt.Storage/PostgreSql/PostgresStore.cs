using System.Net;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;
using FhirIomt.Storage.Sqlite;
using Npgsql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>
/// The store for many server nodes: a schema of a PostgreSQL database. Nodes share nothing else; writers of all of them take turns by the clock row
/// (docs/adr/0010), so what holds for one node holds for all.
/// </summary>
public sealed class PostgresStore : SqlStore
{
    // 13 has all that is used here; 15 is what it is tested with.
    private const int OldestVersion = 13;

    private readonly NpgsqlDataSource _source;
    private readonly GroupReader _reader;
    private readonly SqlEngine _engine;

    // A change by another node must act within 1 s; looking costs one row.
    private PostgresStore(NpgsqlDataSource source, PostgresConnection writer, SqlEngine engine, bool isOfThisMachine)
        : base(engine, new GroupCommitWriter(writer, engine, new PostgresRowWriter(writer)), TimeSpan.FromMilliseconds(300), isOfThisMachine ? ReaderTurns.OfThisMachine() : null)
    {
        _source = source;
        _engine = engine;
        _reader = new GroupReader(source, engine);
    }

    /// <summary>Opens the store, making or upgrading it under a lock.</summary>
    /// <param name="connectionString">As Npgsql reads it; <c>Search Path</c> names the schema.</param>
    /// <exception cref="StoreUnusableException">Not reachable, not durable, or of a newer build.</exception>
    public static PostgresStore Open(string connectionString, SearchIndexer indexer, IndexPolicy policy, TimeProvider time, IProgress<long>? progress = null) =>
        Opening(connectionString, indexer, policy, time, (source, writer, engine) =>
        {
            if (StoreCopy.IsPending(writer))
            {
                throw new StoreUnusableException("A copy into this store was begun and is not finished. Run 'fhiriomt copy' again: it goes on where it stopped.");
            }

            new IndexRebuild(writer, engine, new PostgresRowWriter(writer)).Finish(progress);
            return new PostgresStore(source, writer, engine, IsOfThisMachine(connectionString));
        });

    /// <summary>Takes everything over from an embedded store that no server has open, or goes on with that; answers how many versions and records there were to take.</summary>
    /// <param name="prepare">Gets the embedded store before anything is copied: tells the policy which parameters it is indexed by.</param>
    /// <exception cref="StoreUnusableException">The store here holds something already, or one of the two cannot be opened.</exception>
    public static async Task<long> CopyFromAsync(
        string directory, string connectionString, SearchIndexer indexer, IndexPolicy policy, TimeProvider time, Func<IStore, ValueTask> prepare, IProgress<long>? progress)
    {
        if (!File.Exists(SqliteStore.PathIn(directory)))
        {
            throw new StoreUnusableException($"There is no store in '{directory}'.");
        }

        // Opened as a server does: nobody writes to it meanwhile, and it has the current schema.
        var embedded = SqliteStore.Open(directory, indexer, policy, time, serve: true);
        await using (embedded.ConfigureAwait(false))
        {
            await prepare(embedded).ConfigureAwait(false);
            return Opening(connectionString, indexer, policy, time, (opened, writer, _) =>
            {
                using var source = new SqliteConnection(SqliteStore.PathIn(directory), readOnly: true);
                writer.TakeTime();
                using (opened)
                using (writer)
                {
                    return new StoreCopy(source, writer, () => new SqlEngine(writer, indexer, policy, time), new PostgresRowWriter(writer)).Run(progress);
                }
            });
        }
    }

    private static T Opening<T>(string connectionString, SearchIndexer indexer, IndexPolicy policy, TimeProvider time, Func<NpgsqlDataSource, PostgresConnection, SqlEngine, T> use)
    {
        var source = SourceOf(connectionString);
        PostgresConnection? writer = null;
        try
        {
            // Reads block a thread each for a round trip; the pool would give out new threads at two a second only.
            ThreadPool.GetMinThreads(out var workers, out var ports);
            ThreadPool.SetMinThreads(Math.Max(workers, 64), ports);
            writer = new PostgresConnection(source, readOnly: false);
            RequireDurable(writer);

            // A large table is written anew as long as it takes; the writer's own statements have a limit.
            using (var migrating = new PostgresConnection(source, readOnly: false))
            {
                migrating.TakeTime();
                PostgresSchema.Migrate(migrating, policy.Definitions);
            }

            var engine = new SqlEngine(writer, indexer, policy, time);
            return use(source, writer, engine);
        }
        catch (Exception exception)
        {
            writer?.Dispose();
            source.Dispose();
            if (exception is StoreBusyException busy)
            {
                throw new StoreUnusableException(busy.Message);
            }

            throw;
        }
    }

    /// <summary>A record of a store that is not opened. Null also where there is no store, or none that can be read.</summary>
    public static StoredRecord? Peek(string connectionString, string kind, string id)
    {
        try
        {
            using var source = SourceOf(connectionString);
            using var connection = new PostgresConnection(source, readOnly: true);
            return connection.Scalar("SELECT count(*) FROM pg_class WHERE oid=to_regclass('record')") == 0 ? null : SqlEngine.ReadRecord(connection, kind, id);
        }
        catch (Exception exception) when (exception is StoreBusyException or StoreUnusableException)
        {
            return null;
        }
    }

    /// <summary>Where a store is, without who asks and by which password.</summary>
    public static string NameOf(string connectionString)
    {
        var settings = SettingsOf(connectionString);
        return $"PostgreSQL {settings.Host}:{settings.Port}/{settings.Database}{(settings.SearchPath is { } schema ? $" schema {schema}" : "")}";
    }

    public override int Schema => PostgresSchema.Current;

    public override async ValueTask<StoredResource?> ReadAsync(string type, string id, CancellationToken cancellationToken) =>
        await _reader.ReadNearestAsync(type, id, cancellationToken).ConfigureAwait(false) is { } nearest && nearest.Id == id ? nearest : null;

    public override ValueTask<StoredResource?> ReadNearestAsync(string type, string id, CancellationToken cancellationToken) => _reader.ReadNearestAsync(type, id, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private protected override SqlConnection OpenReader()
    {
        var connection = new PostgresConnection(_source, readOnly: true);

        // Whatever answers from here on may be another server than before, one that lost the last moments of the first: what is in memory could be what it gives another content now.
        _engine.ForgetVersions();
        return connection;
    }

    /// <summary>The connections of a store: ours to keep, not pooled a second time, and with what the engine relies on set.</summary>
    internal static NpgsqlDataSource SourceOf(string connectionString)
    {
        var settings = SettingsOf(connectionString);
        settings.Pooling = false;
        settings.MaxAutoPrepare = 512;
        settings.AutoPrepareMinUsages = 2;
        settings.TcpKeepAlive = true;

        // A page of 50 readings is 65 kB: with 8 kB at a time that is nine waits for the socket.
        settings.ReadBufferSize = 64 * 1024;
        settings.ApplicationName ??= "fhiriomt";
        if (!connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase))
        {
            // Who waits for a request gives up sooner than Npgsql's 15 s for a connection.
            settings.Timeout = 5;
        }

        // A search was planned anew for 0.75 ms each time, because with known values the plan looked cheaper than it is; its written order is the plan (0.1 ms).
        // JIT compiles for longer than our statements run; written joins keep their order; a node that stops while it holds the clock gives it back.
        settings.Options = $"{settings.Options} -c jit=off -c join_collapse_limit=1 -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan -c lock_timeout=30s -c idle_in_transaction_session_timeout=30s -c client_min_messages=warning".TrimStart();
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    // By a socket's path, or by an address that leads nowhere else.
    private static bool IsOfThisMachine(string connectionString) => SettingsOf(connectionString).Host is { } host
        && (host.StartsWith('/') || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)));

    private static NpgsqlConnectionStringBuilder SettingsOf(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException)
        {
            // The exception's text would repeat the string, and with it the password.
            throw new StoreUnusableException("The PostgreSQL connection string cannot be read. It looks like \"Host=…;Database=…;Username=…;Password=…\".");
        }
    }

    // Acknowledged means durable: a server that does not keep that promise cannot keep ours.
    private static void RequireDurable(PostgresConnection connection)
    {
        string[] settings = ["fsync", "full_page_writes", "synchronous_commit", "server_encoding"];
        foreach (var name in settings)
        {
            using var rows = connection.Prepare("SELECT current_setting(?)").Add(name).Run();
            rows.Step();
            var value = rows.Text(0);
            if (value == "off" || (name == "server_encoding" && value != "UTF8"))
            {
                throw new StoreUnusableException($"PostgreSQL has {name}={value}. A store of patient data needs fsync, full_page_writes and synchronous_commit on, and UTF8. Set it in postgresql.conf, or for the database.");
            }
        }

        var version = connection.Scalar("SELECT current_setting('server_version_num')::bigint");
        if (version < OldestVersion * 10_000)
        {
            throw new StoreUnusableException($"PostgreSQL {version / 10_000} is too old; {OldestVersion} or later is needed.");
        }
    }
}
