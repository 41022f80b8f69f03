namespace FhirIomt.Storage.Sql;

/// <summary>
/// Indexes every stored resource from its body, a few hundred to a transaction, and remembers how far it came: what is stopped goes on from there. For the
/// migration of a schema, which begins with empty tables and lets nobody else in. It knows R4's parameters only: a script that begins one also takes away the records of
/// <see cref="RecordKind.SearchIndex"/>, so that parameters of somebody's own are indexed again by the server.
/// </summary>
internal sealed class IndexRebuild(SqlConnection connection, SqlEngine engine, RowWriter rows)
{
    // A group as large as a full group commit: the write lock is held as long as then.
    private const int GroupSize = 500;

    private const string Name = "index";

    private readonly WriteTransaction _transaction = new(connection, engine, rows);

    /// <summary>Whether a rebuild was begun and not finished.</summary>
    public static bool IsPending(SqlConnection connection)
    {
        using var rows = connection.Prepare("SELECT position FROM progress WHERE name=?").Add(Name).Run();
        return rows.Step();
    }

    /// <summary>Does what is left of a rebuild; nothing when none was begun.</summary>
    /// <param name="progress">Hears how many resources are done, after each transaction.</param>
    public void Finish(IProgress<long>? progress = null)
    {
        var done = 0L;
        while (Position() is { } position)
        {
            _transaction.Begin([]);
            try
            {
                var keys = KeysAfter(position);
                foreach (var key in keys)
                {
                    _transaction.Reindex(key);
                }

                Remember(keys);
                _transaction.Commit();
                done += keys.Count;
                progress?.Report(done);
            }
            catch
            {
                _transaction.RollBack();
                throw;
            }
        }
    }

    private long? Position()
    {
        using var row = connection.Prepare("SELECT position FROM progress WHERE name=?").Add(Name).Run();
        return row.Step() ? row.Int64(0) : null;
    }

    private List<long> KeysAfter(long position)
    {
        var keys = new List<long>(GroupSize);
        using var found = connection.Prepare("SELECT key FROM resource WHERE key>? ORDER BY key LIMIT ?").Add(position).Add((long)GroupSize).Run();
        while (found.Step())
        {
            keys.Add(found.Int64(0));
        }

        return keys;
    }

    private void Remember(List<long> keys)
    {
        if (keys.Count == 0)
        {
            connection.Prepare("DELETE FROM progress WHERE name=?").Add(Name).Done();
        }
        else
        {
            connection.Prepare("UPDATE progress SET position=? WHERE name=?").Add(keys[^1]).Add(Name).Done();
        }
    }
}
