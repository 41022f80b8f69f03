using System.Runtime.InteropServices;

namespace FhirIomt.Storage.Sql;

/// <summary>What entries of the audit stand under.</summary>
/// <param name="Readings">Rows with lines that tell what readings became are listed by themselves.</param>
internal readonly record struct AuditHeading(string Patient, bool Readings);

/// <summary>
/// Whom the newest rows of the audit are about, kept in memory until <see cref="AuditFiling"/> files them. Nothing is lost with it: it is made from the rows, those that this
/// process writes as they are committed, those of others when somebody asks.
/// </summary>
/// <param name="filed">Rows up to this key are filed.</param>
internal sealed class UnfiledAudit(long filed)
{
    private const int PageSize = 1024;

    // One reads rows at a time; what is known is changed under the other lock only, which nobody keeps while he waits for the store.
    private readonly Lock _reading = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<AuditHeading, List<long>> _keys = [];
    private long _filed = filed;
    private long _known = filed;
    private long _oldest = long.MaxValue;
    private int _count;

    /// <summary>The number of entries and the key of the oldest, of those that are known.</summary>
    public (int Count, long Oldest) Waiting
    {
        get
        {
            lock (_lock)
            {
                return (_count, _oldest);
            }
        }
    }

    /// <summary>Whether all rows up to that key are known.</summary>
    public bool Knows(long key) => Volatile.Read(ref _known) >= key;

    /// <summary>A transaction of this process has been committed.</summary>
    /// <param name="before">What the clock stood at before it.</param>
    /// <param name="after">What it stands at now.</param>
    public void Committed(long before, long after, IReadOnlyList<(long Key, IReadOnlyDictionary<string, bool> Patients)> rows, long filed)
    {
        lock (_lock)
        {
            // Otherwise another process has written in between: its rows and these are read when somebody asks.
            if (_known >= before)
            {
                foreach (var (key, patients) in rows)
                {
                    Enter(key, patients);
                }

                Volatile.Write(ref _known, Math.Max(_known, after));
            }

            Forget(filed);
        }
    }

    /// <summary>Reads the rows that are not known yet.</summary>
    /// <param name="last">Up to this key all are committed, so that afterwards all are known.</param>
    public void CatchUp(SqlConnection connection, long last)
    {
        lock (_reading)
        {
            ReadOn(connection, last);
            lock (_lock)
            {
                Volatile.Write(ref _known, Math.Max(_known, last));
            }
        }
    }

    /// <summary>The rows about a patient that are not filed, ascending, and the key up to which they are.</summary>
    public (long Filed, List<long> Keys) KeysOf(SqlConnection connection, string patient, bool withReadings)
    {
        lock (_reading)
        {
            ReadOn(connection, long.MaxValue);
        }

        lock (_lock)
        {
            List<long> keys = [.. _keys.GetValueOrDefault(new AuditHeading(patient, true)) ?? []];
            if (!withReadings && _keys.TryGetValue(new AuditHeading(patient, false), out var others))
            {
                keys.AddRange(others);
                keys.Sort();
            }

            return (_filed, keys);
        }
    }

    /// <summary>All that is not filed up to a key, in the order of the patients' ids.</summary>
    public IReadOnlyList<(AuditHeading Heading, long[] Keys)> UpTo(long key)
    {
        lock (_lock)
        {
            var found = new List<(AuditHeading Heading, long[] Keys)>(_keys.Count);
            foreach (var (heading, keys) in _keys)
            {
                if (keys[0] <= key)
                {
                    found.Add((heading, CollectionsMarshal.AsSpan(keys)[..CountUpTo(keys, key)].ToArray()));
                }
            }

            found.Sort((one, other) => string.CompareOrdinal(one.Heading.Patient, other.Heading.Patient) is var order and not 0 ? order : one.Heading.Readings.CompareTo(other.Heading.Readings));
            return found;
        }
    }

    private void ReadOn(SqlConnection connection, long last)
    {
        List<StoredAudit> page;
        do
        {
            (var filed, page) = Page(connection, Volatile.Read(ref _known), last);
            var rows = page.ConvertAll(row => (row.Key, Patients: AuditRows.PatientsOf(AuditPack.Lines(row) ?? [])));
            lock (_lock)
            {
                foreach (var (key, patients) in rows)
                {
                    if (patients is not null)
                    {
                        Enter(key, patients);
                    }
                }

                Volatile.Write(ref _known, Math.Max(_known, page.Count > 0 ? page[^1].Key : 0));
                Forget(filed);
            }
        }
        while (page.Count == PageSize);
    }

    // One statement, since it may be a round trip: how far is filed, then the rows. The chain only fills its place.
    private static (long Filed, List<StoredAudit> Rows) Page(SqlConnection connection, long after, long last)
    {
        using var found = connection.Prepare(
            "SELECT 0 AS part, audit_filed AS key, chain AS body FROM clock UNION ALL SELECT 1, key, body FROM (SELECT key, body FROM audit WHERE key>? AND key<=? ORDER BY key LIMIT ?) a ORDER BY part, key")
            .Add(after).Add(last).Add((long)PageSize).Run();
        found.Step();
        var (filed, rows) = (found.Int64(1), new List<StoredAudit>());
        while (found.Step())
        {
            rows.Add(new StoredAudit(found.Int64(1), found.Blob(2)));
        }

        return (filed, rows);
    }

    private void Enter(long key, IReadOnlyDictionary<string, bool> patients)
    {
        // Meanwhile it may have been entered by who wrote it.
        if (key <= _filed || key <= _known)
        {
            return;
        }

        foreach (var (patient, readings) in patients)
        {
            ref var keys = ref CollectionsMarshal.GetValueRefOrAddDefault(_keys, new AuditHeading(patient, readings), out _);
            (keys ??= []).Add(key);
        }

        _count += patients.Count;
        _oldest = patients.Count == 0 ? _oldest : Math.Min(_oldest, key);
    }

    private void Forget(long filed)
    {
        if (filed <= _filed)
        {
            return;
        }

        (_filed, _oldest) = (filed, long.MaxValue);
        foreach (var (heading, keys) in _keys)
        {
            var gone = CountUpTo(keys, filed);
            _count -= gone;
            if (gone == keys.Count)
            {
                _keys.Remove(heading);
            }
            else
            {
                keys.RemoveRange(0, gone);
                _oldest = Math.Min(_oldest, keys[0]);
            }
        }
    }

    private static int CountUpTo(List<long> keys, long key)
    {
        var place = keys.BinarySearch(key);
        return place < 0 ? ~place : place + 1;
    }
}
