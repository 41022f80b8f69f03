namespace FhirIomt.Storage.Sql;

/// <summary>How far the audit is filed under its patients; part of the clock, so that nodes go on with each other's work.</summary>
/// <param name="Filed">Rows up to this key are filed.</param>
/// <param name="Target">Up to which key the round that is under way files; 0: none is.</param>
/// <param name="After">The patient up to whom the round has come, in the order of ids.</param>
internal readonly record struct AuditFiled(long Filed, long Target, string After)
{
    public bool IsUnderWay => Target != 0;

    /// <summary>Nothing up to that key is left to be filed.</summary>
    public AuditFiled UpTo(long key) => key >= Target ? new AuditFiled(Math.Max(Filed, key), 0, "") : this with { Filed = Math.Max(Filed, key) };
}

/// <summary>
/// Files rows of the audit under the patients they are about, when many wait: entries of one patient lie together on pages of their own, and writing each with its row
/// made a third of all that messages of many patients wrote. A round goes through the patients a few at a time, with commits that are made anyway; whoever
/// searches meanwhile finds the rest in <see cref="UnfiledAudit"/> (docs/adr/0028).
/// </summary>
internal sealed class AuditFiling(SqlConnection connection, UnfiledAudit unfiled, RowWriter rows, TimeProvider time)
{
    // 13 entries for each of 5,000 devices. A process that starts reads them once, in 0.3 to 1 s on a slow machine.
    private const int EntriesInRound = 65_536;

    // Where little is written, the rest does not wait for more.
    private static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    // How often rows of other nodes are counted.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // With as many as a commit brings a round is over before the next can be due, whoever the entries are about; some more, where a commit brings none.
    private const int AlwaysFiled = 16;

    private IReadOnlyList<(AuditHeading Heading, long[] Keys)> _round = [];
    private long _target;
    private long _looked = time.GetTimestamp();

    /// <summary>Does the commit's part, if there is something to do.</summary>
    /// <param name="last">What the clock stood at before the transaction: rows up to it are committed.</param>
    /// <param name="added">Entries that the commit brings.</param>
    public AuditFiled GoOn(AuditFiled filed, long last, int added)
    {
        if (!filed.IsUnderWay)
        {
            if (!IsDue(last))
            {
                return filed;
            }

            filed = new AuditFiled(filed.Filed, last, "");
        }

        if (_target != filed.Target)
        {
            KnowAll(last);
            (_round, _target) = (unfiled.UpTo(filed.Target), filed.Target);
        }

        return Part(filed, added + AlwaysFiled);
    }

    /// <summary>Files rows at once.</summary>
    /// <param name="entries">In the order of their keys.</param>
    public static void File(RowWriter rows, IEnumerable<(AuditHeading Heading, long Key)> entries)
    {
        foreach (var heading in entries.GroupBy(entry => entry.Heading, entry => entry.Key))
        {
            File(rows, heading.Key, [.. heading]);
        }
    }

    private static void File(RowWriter rows, AuditHeading heading, ReadOnlySpan<long> keys)
    {
        var (last, earlier) = AuditKeys.Pack(keys);
        rows.AuditPatient(heading, last, earlier);
    }

    private AuditFiled Part(AuditFiled filed, int limit)
    {
        var next = FirstAfter(filed.After);
        for (var done = 0; next < _round.Count; next++, done++)
        {
            var (heading, keys) = _round[next];
            if (done >= limit && heading.Patient != filed.After)
            {
                return filed;
            }

            // What was taken away since the round began, its time being over, is not filed.
            var fresh = Array.FindIndex(keys, key => key > filed.Filed);
            if (fresh >= 0)
            {
                File(rows, heading, keys.AsSpan(fresh));
            }

            filed = filed with { After = heading.Patient };
        }

        return filed.UpTo(filed.Target);
    }

    private int FirstAfter(string patient)
    {
        var (low, high) = (0, _round.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = string.CompareOrdinal(_round[middle].Heading.Patient, patient) <= 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private bool IsDue(long last)
    {
        if (!unfiled.Knows(last) && time.GetElapsedTime(_looked) >= Look)
        {
            KnowAll(last);
        }

        var (count, oldest) = unfiled.Waiting;
        return count >= EntriesInRound || (count > 0 && AuditKey.TimeOf(oldest) <= time.GetUtcNow() - MaxWait);
    }

    private void KnowAll(long last)
    {
        _looked = time.GetTimestamp();
        if (!unfiled.Knows(last))
        {
            unfiled.CatchUp(connection, last);
        }
    }
}
