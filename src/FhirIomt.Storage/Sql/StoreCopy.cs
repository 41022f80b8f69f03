namespace FhirIomt.Storage.Sql;

/// <summary>
/// Takes everything over from another store: versions with their keys and times, history, records; the index is made anew from the bodies. A few hundred rows to a
/// transaction, and how far it came is written with them: what is stopped goes on from there, and until the end the store is not opened for anything else.
/// </summary>
internal sealed class StoreCopy(SqlConnection source, SqlConnection target, Func<SqlEngine> engine, RowWriter rows)
{
    private const int GroupSize = 500;
    private const string Name = "copy";

    // How far each part came has a row of its own.
    private const string Resources = "copy-resource";
    private const string History = "copy-history";

    // Made anew when the types of the source are in.
    private WriteTransaction _transaction = new(target, engine(), rows);
    private long _done;

    /// <summary>Whether a copy into that store was begun and not finished.</summary>
    public static bool IsPending(SqlConnection connection)
    {
        using var row = connection.Prepare("SELECT position FROM progress WHERE name=?").Add(Name).Run();
        return row.Step();
    }

    /// <summary>Copies what is left to copy and answers how many rows there were in all.</summary>
    /// <exception cref="StoreUnusableException">The target holds something already.</exception>
    public long Run(IProgress<long>? progress)
    {
        Begin();
        CopyRows(Resources, "resource", isCurrent: true, progress);
        CopyRows(History, "resource_history", isCurrent: false, progress);
        CopyRecords(progress);
        CopyAudit(progress);
        Write(() => target.Prepare("DELETE FROM progress WHERE name IN (?,?,?)").Add(Name).Add(Resources).Add(History).Done());
        return _done;
    }

    private void Begin()
    {
        if (IsPending(target))
        {
            return;
        }

        // One line of the audit too: the source's lines are older, and would not go before it.
        if (HasRows("resource") || HasRows("resource_history") || HasRows("record") || HasRows("audit"))
        {
            throw new StoreUnusableException("The target store holds something already. A copy goes into an empty one.");
        }

        Write(() =>
        {
            CopyTypes();
            target.Prepare("INSERT INTO progress(name, position) VALUES (?,1)").Add(Name).Done();
        });
        _transaction = new WriteTransaction(target, engine(), rows);
    }

    private bool HasRows(string table)
    {
        using var row = target.Prepare($"SELECT 1 FROM {table} LIMIT 1").Run();
        return row.Step();
    }

    // Keys hold the numbers of types.
    private void CopyTypes()
    {
        target.Prepare("DELETE FROM resource_type").Done();
        var types = new List<(long, string)>();
        using (var read = source.Prepare("SELECT id, name FROM resource_type").Run())
        {
            while (read.Step())
            {
                types.Add((read.Int64(0), read.Text(1)));
            }
        }

        foreach (var (id, name) in types)
        {
            target.Prepare("INSERT INTO resource_type(id, name) VALUES (?,?)").Add(id).Add(name).Done();
        }
    }

    private void CopyRows(string part, string table, bool isCurrent, IProgress<long>? progress)
    {
        var group = new List<ResourceRow>(GroupSize);
        do
        {
            group.Clear();
            using (var read = source.Prepare($"SELECT key, type, id, version, deleted, body FROM {table} WHERE key>? ORDER BY key LIMIT ?").Add(Position(part)).Add((long)GroupSize).Run())
            {
                while (read.Step())
                {
                    group.Add(new ResourceRow(read.Int64(0), read.Int64(1), read.Text(2), read.Int64(3), read.Int64(4) != 0, default, read.Blob(5)));
                }
            }

            if (group.Count > 0)
            {
                Write(() =>
                {
                    group.ForEach(row => _transaction.Import(row, isCurrent));
                    Remember(part, group[^1].Key);
                });
                _done += group.Count;
                progress?.Report(_done);
            }
        }
        while (group.Count == GroupSize);
    }

    // Records are few beside resources, and writing one twice does no harm: they go by their order, without a position of their own.
    private void CopyRecords(IProgress<long>? progress)
    {
        var group = new List<StoredRecord>(GroupSize);
        var (kind, id) = ("", "");
        do
        {
            group.Clear();
            using (var read = source.Prepare("SELECT kind, id, body, expires FROM record WHERE kind>? OR (kind=? AND id>?) ORDER BY kind, id LIMIT ?").Add(kind).Add(kind).Add(id).Add((long)GroupSize).Run())
            {
                while (read.Step())
                {
                    group.Add(new StoredRecord(read.Text(0), read.Text(1), read.Blob(2), read.IsNull(3) ? null : DateTimeOffset.FromUnixTimeMilliseconds(read.Int64(3))));
                }
            }

            if (group.Count > 0)
            {
                (kind, id) = (group[^1].Kind, group[^1].Id);
                Write(() => group.ForEach(_transaction.PutRecord));
                _done += group.Count;
                progress?.Report(_done);
            }
        }
        while (group.Count == GroupSize);
    }

    // As it is, keys and hashes: the chain goes on where it stood.
    private void CopyAudit(IProgress<long>? progress)
    {
        var after = Math.Max(0, target.Scalar("SELECT coalesce(max(key), 0) FROM audit"));
        foreach (var group in AuditRows.Rows(source, new AuditQuery(after + 1, long.MaxValue, null, Descending: false, int.MaxValue)).Chunk(GroupSize))
        {
            Write(() => _transaction.ImportAudit(group));
            _done += group.Length;
            progress?.Report(_done);
        }

        CopyChain();
    }

    private void CopyChain()
    {
        var batches = new List<(long First, long Last, long Size, byte[] Hash)>();
        using (var read = source.Prepare("SELECT first, last, size, hash FROM audit_batch WHERE last>? ORDER BY last").Add(target.Scalar("SELECT coalesce(max(last), -1) FROM audit_batch")).Run())
        {
            while (read.Step())
            {
                batches.Add((read.Int64(0), read.Int64(1), read.Int64(2), read.Blob(3)));
            }
        }

        if (batches.Count > 0)
        {
            Write(() =>
            {
                batches.ForEach(batch => rows.AuditBatch(batch.First, batch.Last, batch.Size, batch.Hash));
                _transaction.ImportChain(batches[^1].Last, batches[^1].Hash);
            });
        }
    }

    private long Position(string part)
    {
        using var row = target.Prepare("SELECT position FROM progress WHERE name=?").Add(part).Run();
        return row.Step() ? row.Int64(0) : -1;
    }

    private void Remember(string part, long position) =>
        target.Prepare("INSERT INTO progress(name, position) VALUES (?,?) ON CONFLICT(name) DO UPDATE SET position=excluded.position").Add(part).Add(position).Done();

    private void Write(Action work)
    {
        _transaction.Begin([]);
        try
        {
            work();
            _transaction.Commit();
        }
        catch
        {
            _transaction.RollBack();
            throw;
        }
    }
}
