namespace FhirIomt.Storage.Sql;

/// <summary>
/// Takes the oldest commits of the audit away. The hash of the last of them stays as an anchor, so that what is left can be verified from there on.
/// </summary>
internal sealed class AuditPruning(SqlConnection connection, RowWriter rows)
{
    /// <param name="before">Only commits whose last line has a smaller key.</param>
    /// <param name="limit">At most that many commits: what one transaction does, nobody else can write beside.</param>
    /// <returns>Lines that went.</returns>
    public long Run(long before, int limit)
    {
        rows.Flush();
        var (last, size, count, hash) = Oldest(before, limit);
        if (count == 0)
        {
            return 0;
        }

        // One by one: there is no index by key, which every line that is ever written would pay for.
        foreach (var row in AuditRows.Rows(connection, new AuditQuery(0, last, null, Descending: false, int.MaxValue)).TakeWhile(row => row.Key <= last))
        {
            foreach (var patient in AuditRows.PatientsOf(AuditPack.Lines(row) ?? [])?.Keys ?? [])
            {
                connection.Prepare("DELETE FROM audit_patient WHERE patient=? AND readings IN (0, 1) AND key=?").Add(patient).Add(row.Key).Done();
            }
        }

        connection.Prepare("DELETE FROM audit WHERE key<=?").Add(last).Done();
        connection.Prepare("DELETE FROM audit_batch WHERE last<=?").Add(last).Done();
        rows.AuditBatch(last, last, 0, hash);
        return size;
    }

    private (long Last, long Size, int Count, byte[] Hash) Oldest(long before, int limit)
    {
        using var found = connection.Prepare("SELECT last, size, hash FROM audit_batch WHERE last<? ORDER BY last LIMIT ?").Add(before).Add((long)limit).Run();
        var (last, size, count, hash) = (0L, 0L, 0, Array.Empty<byte>());
        while (found.Step())
        {
            (last, size, hash) = (found.Int64(0), size + found.Int64(1), found.Blob(2));
            count += found.Int64(1) > 0 ? 1 : 0;
        }

        return (last, size, count, hash);
    }
}
