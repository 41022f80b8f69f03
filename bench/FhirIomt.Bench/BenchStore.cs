using System.Diagnostics;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Storage.Sqlite;
using Npgsql;

namespace FhirIomt.Bench;

/// <summary>An engine under measurement: where its data are, how a command line names it, how large it is.</summary>
internal abstract class BenchStore
{
    public abstract string Name { get; }

    /// <summary>What goes on every command line.</summary>
    public abstract string[] Options { get; }

    public abstract long Bytes { get; }

    public abstract IStore Open();

    public abstract double Count(string sql);

    public double Observations => Count("SELECT count(*) FROM timeline");

    public static BenchStore Make(string engine, Workspace workspace, string name) => engine switch
    {
        "sqlite" => new SqliteBench(workspace.Folder(name)),
        "postgres" => new PostgresBench(BenchCluster.NewDatabase(workspace)),
        _ => throw new ArgumentException($"'{engine}' is no engine: sqlite or postgres."),
    };

    /// <summary>Rows that an Observation has in the index, all tables together.</summary>
    public double RowsPerObservation()
    {
        var rows = Observations;
        foreach (var table in (string[])["token_index", "identifier_index", "string_index", "date_index", "reference_index", "uri_index", "number_index", "quantity_index", "component_index"])
        {
            rows += Count($"SELECT count(*) FROM {table} i JOIN parameter p ON p.id=i.parameter JOIN resource_type t ON t.id=p.type WHERE t.name='Observation'");
        }

        return rows / Observations;
    }

    protected static (SearchIndexer Indexer, IndexPolicy Policy) Index()
    {
        var policy = new IndexPolicy(FhirDefinitions.R4);
        return (new SearchIndexer(FhirDefinitions.R4), policy);
    }

    private sealed class SqliteBench(string data) : BenchStore
    {
        public override string Name => "SQLite";

        public override string[] Options => ["--data", data];

        public override long Bytes => new DirectoryInfo(data).GetFiles("*.db").Sum(file => file.Length);

        public override IStore Open()
        {
            var (indexer, policy) = Index();
            return SqliteStore.Open(data, indexer, policy, TimeProvider.System, serve: true);
        }

        public override double Count(string sql)
        {
            SQLitePCL.Batteries_V2.Init();
            SQLitePCL.raw.sqlite3_open(Path.Combine(data, "fhiriomt.db"), out var db);
            SQLitePCL.raw.sqlite3_prepare_v2(db, sql, out var statement);
            SQLitePCL.raw.sqlite3_step(statement);
            var count = SQLitePCL.raw.sqlite3_column_int64(statement, 0);
            statement.Dispose();
            SQLitePCL.raw.sqlite3_close(db);
            return count;
        }
    }

    private sealed class PostgresBench(string connectionString) : BenchStore
    {
        public override string Name => "PostgreSQL";

        public override string[] Options => ["--postgres", connectionString];

        public override long Bytes => (long)Count("SELECT pg_database_size(current_database())");

        public override IStore Open()
        {
            var (indexer, policy) = Index();
            return PostgresStore.Open(connectionString, indexer, policy, TimeProvider.System);
        }

        public override double Count(string sql)
        {
            using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
            connection.Open();
            using var command = new NpgsqlCommand(sql, connection);
            return Convert.ToDouble(command.ExecuteScalar());
        }
    }
}

/// <summary>A PostgreSQL of this run's own, on disk and with every sync that a real one has; or the one that <c>FHIRIOMT_BENCH_POSTGRES</c> names.</summary>
internal static class BenchCluster
{
    private static readonly Lock Gate = new();
    private static string? _connectionString;
    private static Process? _shell;
    private static string? _folder;

    /// <summary>Of the server that was started here; null without one.</summary>
    public static int? ProcessId => _folder is { } folder ? int.Parse(File.ReadLines(Path.Combine(folder, "data", "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture) : null;

    public static string NewDatabase(Workspace workspace)
    {
        lock (Gate)
        {
            _connectionString ??= Environment.GetEnvironmentVariable("FHIRIOMT_BENCH_POSTGRES") ?? Start(workspace);
        }

        var name = $"bench_{Guid.NewGuid():N}";
        Execute($"CREATE DATABASE {name}");
        return $"{_connectionString};Database={name}";
    }

    public static void Stop()
    {
        _shell?.StandardInput.Close();
        _shell?.WaitForExit();
    }

    private static string Start(Workspace workspace)
    {
        var folder = workspace.Folder("postgres");
        var port = Workspace.FreePort();
        var binaries = Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin")).First();
        var asPostgres = Environment.UserName == "root" ? "setpriv --reuid=postgres --regid=postgres --init-groups " : "";

        // Two settings that every installation makes: memory for its cache, and checkpoints that are not due every few seconds.
        var script = $"""
            cd /tmp
            {(asPostgres.Length > 0 ? $"chmod 711 '{workspace.Temporary}'; chown postgres '{folder}'" : ":")}
            {asPostgres}'{binaries}/initdb' -D '{folder}/data' -A trust -U fhiriomt -E UTF8 --locale=C >'{folder}/initdb.log' 2>&1 || exit 1
            {asPostgres}'{binaries}/postgres' -D '{folder}/data' -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=2GB -c max_wal_size=8GB >'{folder}/server.log' 2>&1 &
            server=$!
            read -r ignored
            kill -INT $server
            wait $server
            """;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        _shell = Process.Start(start)!;
        _folder = folder;
        _connectionString = $"Host=127.0.0.1;Port={port};Username=fhiriomt";
        for (var tried = 0; ; tried++)
        {
            try
            {
                Execute("SELECT 1");
                return _connectionString;
            }
            catch (NpgsqlException) when (tried < 300 && !_shell.HasExited)
            {
                Thread.Sleep(100);
            }
        }
    }

    private static void Execute(string sql)
    {
        using var connection = new NpgsqlConnection(_connectionString + ";Database=postgres;Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
