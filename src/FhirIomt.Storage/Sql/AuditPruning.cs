namespace FhirIomt.Storage.Sql;

/// <summary>
/// Takes the oldest commits of the audit away. The hash of the last of them stays as an anchor, so that what is left can be verified from there on.
/// </summary>
internal sealed class AuditPruning(SqlConnection connection, RowWriter rows)
{
    /// <param name="before">Only commits whose last line has a smaller key.</param>
    /// <param name="limit">At most that many commits: what one transaction does, nobody else can write beside.</param>
    /// <returns>The key up to which there is nothing any more, and how many lines went.</returns>
    public (long Last, long Lines) Run(long before, int limit)
    {
        rows.Flush();
        var (last, size, count, hash) = Oldest(before, limit);
        if (count == 0)
        {
            return (0, 0);
        }

        var patients = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in AuditRows.Rows(connection, new AuditQuery(0, last, null, Descending: false, int.MaxValue)).TakeWhile(row => row.Key <= last))
        {
            patients.UnionWith(AuditRows.PatientsOf(AuditPack.Lines(row) ?? [])?.Keys ?? []);
        }

        // By patient: there is no index by key, which every line that is ever written would pay for.
        foreach (var patient in patients)
        {
            connection.Prepare("DELETE FROM audit_patient WHERE patient=? AND readings IN (0, 1) AND last<=?").Add(patient).Add(last).Done();
            Cut(new AuditHeading(patient, false), last);
            Cut(new AuditHeading(patient, true), last);
        }

        connection.Prepare("DELETE FROM audit WHERE key<=?").Add(last).Done();
        connection.Prepare("DELETE FROM audit_batch WHERE last<=?").Add(last).Done();
        rows.AuditBatch(last, last, 0, hash);
        return (last, size);
    }

    // Of the first entry that reaches beyond, what was before goes too.
    private void Cut(AuditHeading heading, long last)
    {
        if (AuditRows.EntryFrom(connection, heading, last + 1) is { } entry && entry[0] <= last)
        {
            connection.Prepare("DELETE FROM audit_patient WHERE patient=? AND readings=? AND last=?").Add(heading.Patient).Add(heading.Readings ? 1L : 0L).Add(entry[^1]).Done();
            AuditFiling.File(rows, entry.Where(key => key > last).Select(key => (heading, key)));
        }
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
