using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// A store as one file. A backup is what one read transaction sees, written anew and without gaps while the server goes on; it is looked through before it gets
/// its name. A restore puts such a file in place of a store that nobody has open.
/// </summary>
public static class SqliteBackup
{
    /// <summary>Writes the backup and answers the number of current resources in it. It has every line of the audit that was there when it began, those that a server was still to take into its store too.</summary>
    /// <exception cref="StoreUnusableException">There is no store, or something is in the way.</exception>
    public static long Write(string directory, string file, SearchIndexer indexer, IndexPolicy policy, TimeProvider time)
    {
        var store = SqliteStore.PathIn(directory);
        if (!File.Exists(store))
        {
            throw new StoreUnusableException($"There is no store in '{directory}'.");
        }

        if (File.Exists(file))
        {
            throw new StoreUnusableException($"'{file}' is there already. Give the backup another name: a backup never replaces another.");
        }

        StoreLock.RequireOwner(store);
        var partial = file + ".partial";
        File.Delete(partial);
        try
        {
            // Before the copy is made: what the server takes from there meanwhile is in the copy.
            var waiting = AuditJournal.WaitingIn(AuditJournal.PathIn(directory));
            using (var connection = new SqliteConnection(store, readOnly: true))
            {
                // query_only would forbid it, though it writes to another file only.
                connection.Execute("PRAGMA query_only=OFF");
                connection.Prepare("VACUUM INTO ?").Add(partial).Done();
            }

            EnterWaiting(waiting, partial, indexer, policy, time);
            var resources = Verify(partial);
            Sync(partial);
            File.Move(partial, file);
            return resources;
        }
        finally
        {
            DeleteWithLog(partial);
        }
    }

    /// <summary>Puts the backup in the store's place and answers the number of current resources in it. What was there is kept beside it as <c>fhiriomt.db.replaced</c>.</summary>
    /// <param name="replace">Also when the store there holds something.</param>
    /// <exception cref="StoreUnusableException">The file is no backup, a server runs, or the store holds something.</exception>
    public static long Restore(string file, string directory, bool replace)
    {
        if (!File.Exists(file))
        {
            throw new StoreUnusableException($"There is no file '{file}'.");
        }

        Directory.CreateDirectory(directory);
        using var storeLock = StoreLock.TakeWithin(directory, TimeSpan.FromSeconds(2))
            ?? throw new StoreUnusableException($"A server has the store in '{directory}' open. Stop it first.");
        var store = SqliteStore.PathIn(directory);
        StoreLock.RequireOwner(store);
        if (!replace && File.Exists(store) && HoldsSomething(store))
        {
            throw new StoreUnusableException($"The store in '{directory}' holds something. Say --replace to put the backup in its place; it is kept beside it.");
        }

        var incoming = store + ".restoring";
        DeleteWithLog(incoming);
        File.Copy(file, incoming);
        var resources = Verify(incoming);
        Sync(incoming);
        if (File.Exists(store))
        {
            MoveAside(store);
        }

        File.Move(incoming, store);
        DeleteWithLog(incoming);
        return resources;
    }

    // A store of an older schema has no server of this build; what waits beside it goes into the store when it is brought to the new one.
    private static void EnterWaiting(AuditJournal.Waiting waiting, string file, SearchIndexer indexer, IndexPolicy policy, TimeProvider time)
    {
        if (waiting.Lines.Count == 0)
        {
            return;
        }

        using var connection = new SqliteConnection(file, readOnly: false);
        if (SqliteSchema.VersionOf(connection) == SqliteSchema.Current)
        {
            AuditJournal.Enter(waiting, connection, new SqlEngine(connection, indexer, policy, time));
        }
    }

    private static long Verify(string file)
    {
        using var connection = OpenFile(file);
        try
        {
            var version = SqliteSchema.VersionOf(connection);
            if (version == 0 || version > SqliteSchema.Current)
            {
                throw new StoreUnusableException(version == 0 ? $"'{file}' is no store." : $"'{file}' has schema {version}; this build knows {SqliteSchema.Current}. Use the newer build.");
            }

            return connection.Damage().FirstOrDefault() is { } damage
                ? throw new StoreUnusableException($"'{file}' is damaged: {damage}")
                : connection.Scalar("SELECT count(*) FROM resource WHERE deleted=0");
        }
        catch (StoreBusyException exception)
        {
            throw new StoreUnusableException($"'{file}' is no store: {exception.Message}");
        }
    }

    private static SqliteConnection OpenFile(string file)
    {
        try
        {
            return new SqliteConnection(file, readOnly: true);
        }
        catch (StoreBusyException exception)
        {
            throw new StoreUnusableException($"'{file}' is no store: {exception.Message}");
        }
    }

    private static bool HoldsSomething(string store)
    {
        using var connection = new SqliteConnection(store, readOnly: true);
        return SqliteSchema.VersionOf(connection) > 0 && connection.Scalar("SELECT (SELECT count(*) FROM (SELECT 1 FROM resource LIMIT 1) r)+(SELECT count(*) FROM (SELECT 1 FROM record WHERE kind NOT IN ('audit-journal','served-address') LIMIT 1) c)") > 0;
    }

    private static void MoveAside(string store)
    {
        // Everything from its log into the file, so that the file alone is the store.
        using (var connection = new SqliteConnection(store, readOnly: false))
        {
            connection.Prepare("PRAGMA wal_checkpoint(TRUNCATE)").Done();
        }

        File.Move(store, store + ".replaced", overwrite: true);
        DeleteLog(store);
    }

    private static void Sync(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
    }

    private static void DeleteWithLog(string file)
    {
        File.Delete(file);
        DeleteLog(file);
    }

    private static void DeleteLog(string file)
    {
        File.Delete(file + "-wal");
        File.Delete(file + "-shm");
    }
}
