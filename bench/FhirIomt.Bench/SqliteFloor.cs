using System.Diagnostics;
using System.Security.Cryptography;
using SQLitePCL;

namespace FhirIomt.Bench;

/// <summary>The floor of every write: SQLite itself, WAL and FULL, with the rows and bytes of one heart-rate Observation and nothing else.</summary>
internal static class SqliteFloor
{
    private const string Tables = """
        PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;
        CREATE TABLE resource(key INTEGER PRIMARY KEY, type INTEGER, id TEXT, version INTEGER, deleted INTEGER, subject INTEGER, codes INTEGER, start INTEGER, stop INTEGER, body BLOB);
        CREATE UNIQUE INDEX resource_id ON resource(type, id);
        CREATE TABLE token(parameter INTEGER, concept INTEGER, key INTEGER, PRIMARY KEY(parameter, concept, key)) WITHOUT ROWID;
        CREATE TABLE reference(parameter INTEGER, target INTEGER, key INTEGER, PRIMARY KEY(parameter, target, key)) WITHOUT ROWID;
        CREATE TABLE timeline(subject INTEGER, codes INTEGER, start INTEGER, key INTEGER, PRIMARY KEY(subject, codes, start, key)) WITHOUT ROWID;
        """;

    public static double Run(string folder, int batch, double seconds)
    {
        Batteries_V2.Init();
        raw.sqlite3_open(Path.Combine(folder, $"floor-{batch}.db"), out var db);
        raw.sqlite3_exec(db, Tables);
        var statements = new[]
        {
            "INSERT INTO resource VALUES (?,?,?,1,0,?,1,?,?,?)", "INSERT INTO token VALUES (1,1,?)", "INSERT INTO token VALUES (2,2,?)",
            "INSERT INTO reference VALUES (3,?,?)", "INSERT INTO timeline VALUES (?,1,?,?)",
        }.Select(sql => raw.sqlite3_prepare_v2(db, sql, out var statement) == 0 ? statement : throw new InvalidOperationException(sql)).ToArray();
        var body = new byte[1150];
        RandomNumberGenerator.Fill(body);
        var clock = Stopwatch.StartNew();
        long key = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            raw.sqlite3_exec(db, "BEGIN IMMEDIATE");
            for (var i = 0; i < batch; i++)
            {
                Insert(statements, ++key, body);
            }

            raw.sqlite3_exec(db, "COMMIT");
        }

        var result = key / clock.Elapsed.TotalSeconds;
        foreach (var statement in statements)
        {
            statement.Dispose();
        }

        raw.sqlite3_close(db);
        return result;
    }

    private static void Insert(sqlite3_stmt[] statements, long key, byte[] body)
    {
        var subject = key % 100;
        var id = Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(key)));
        Step(statements[0], key, 1L, id, subject, key, key + 1, body);
        Step(statements[1], key);
        Step(statements[2], key);
        Step(statements[3], subject, key);
        Step(statements[4], subject, key, key);
    }

    private static void Step(sqlite3_stmt statement, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            _ = values[i] switch
            {
                long number => raw.sqlite3_bind_int64(statement, i + 1, number),
                string text => raw.sqlite3_bind_text(statement, i + 1, text),
                _ => raw.sqlite3_bind_blob(statement, i + 1, (byte[])values[i]),
            };
        }

        if (raw.sqlite3_step(statement) != raw.SQLITE_DONE)
        {
            throw new InvalidOperationException("the floor's insert failed");
        }

        raw.sqlite3_reset(statement);
    }
}
