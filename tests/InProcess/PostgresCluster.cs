using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FhirIomt.Tests;

/// <summary>
/// A PostgreSQL of this test run's own, started when the first test asks and gone with the process; or the one that <c>FHIRIOMT_TEST_POSTGRES</c> names.
/// Every store gets a schema of its own in it. initdb refuses root, so root runs it as the user <c>postgres</c>.
/// </summary>
internal static class PostgresCluster
{
    private static readonly Lazy<(string? ConnectionString, string? Missing)> Started = new(Start);

    // Held for as long as the tests run: with it goes the pipe, and with the pipe the server.
    private static Process? _shell;

    /// <summary>Skips the calling test when there is no PostgreSQL, and says why.</summary>
    public static string Require()
    {
        Assert.SkipWhen(Started.Value.Missing is not null, Started.Value.Missing ?? "");
        return Started.Value.ConnectionString!;
    }

    // Making a store's forty tables and indexes takes 200 ms and emptying them 10, and there are hundreds of tests.
    private static readonly ConcurrentBag<string> Emptied = [];

    private const string Empty = """
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN ('clock', 'resource_type', 'schema_version', 'system') LOOP
                EXECUTE 'DELETE FROM ' || quote_ident(name);
            END LOOP;
            DELETE FROM system WHERE uri <> chr(1) || 'text';
            UPDATE clock SET last = 0, generation = 1, catalog = 1, chain = ''::bytea, audit_filed = 0, audit_target = 0, audit_after = '';
        END $$
        """;

    /// <summary>The connection string of a schema for one store, which has nothing in it.</summary>
    public static string NewSchema()
    {
        if (Emptied.TryTake(out var emptied))
        {
            return emptied;
        }

        var cluster = Require();
        var name = $"test_{Guid.NewGuid():N}";
        Execute(cluster, $"CREATE SCHEMA {name}");
        return $"{cluster};Search Path={name};Application Name={name}";
    }

    /// <summary>Gives a schema back whose tables are as a store makes them.</summary>
    public static void GiveBack(string connectionString)
    {
        Execute(connectionString, Empty);
        Emptied.Add(connectionString);
    }

    public static void Execute(string connectionString, string sql)
    {
        using var connection = new Npgsql.NpgsqlConnection(connectionString + ";Pooling=false");
        connection.Open();
        using var command = new Npgsql.NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static (string?, string?) Start()
    {
        if (Environment.GetEnvironmentVariable("FHIRIOMT_TEST_POSTGRES") is { Length: > 0 } given)
        {
            return (given, null);
        }

        if (Binaries() is not { } binaries)
        {
            return (null, "PostgreSQL is not installed (initdb is neither in PATH nor below /usr/lib/postgresql).");
        }

        // In memory where there is such a folder: nobody pulls the plug on a test, and its many small schemas cost a sync each.
        var folder = Directory.Exists("/dev/shm") ? $"/dev/shm/fhiriomt-pg-{Guid.NewGuid():N}" : Directory.CreateTempSubdirectory("fhiriomt-pg-").FullName;
        Directory.CreateDirectory(folder);
        var port = FreePort();
        var asPostgres = Environment.UserName == "root" ? "setpriv --reuid=postgres --regid=postgres --init-groups " : "";

        // The shell ends the server when this process closes the pipe, whichever way this process ends; then it clears up.
        var script = $"""
            cd /tmp
            {(asPostgres.Length > 0 ? $"chown postgres '{folder}'" : ":")}
            {asPostgres}'{binaries}/initdb' -D '{folder}/data' -A trust -U fhiriomt -E UTF8 --locale=C --no-sync >'{folder}/initdb.log' 2>&1 || exit 1
            {asPostgres}'{binaries}/postgres' -D '{folder}/data' -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c shared_buffers=256MB -c max_wal_size=4GB -c wal_compression=off >'{folder}/server.log' 2>&1 &
            server=$!
            read -r ignored
            kill -QUIT $server
            wait $server
            rm -rf '{folder}'
            """;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        var process = _shell = Process.Start(start)!;
        var connectionString = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=fhiriomt;Database=postgres");
        for (var tried = 0; tried < 300; tried++)
        {
            try
            {
                Execute(connectionString, "SELECT 1");
                return (connectionString, null);
            }
            catch (Npgsql.NpgsqlException) when (!process.HasExited)
            {
                Thread.Sleep(100);
            }
        }

        return (null, $"PostgreSQL did not start; see {folder}.");
    }

    /// <summary>The folder of initdb and its like; null when PostgreSQL is not installed.</summary>
    public static string? Binaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")) : [];
        var inPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return installed.OrderDescending(StringComparer.Ordinal).Concat(inPath).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
