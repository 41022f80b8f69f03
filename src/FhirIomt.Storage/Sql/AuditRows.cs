using System.Runtime.InteropServices;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage.Sql;

/// <summary>Reads the audit.</summary>
internal static class AuditRows
{
    // Few rows have the lines of a page; more are asked for when they have not.
    private const int RowsAtOnce = 16;
    private const int MostRowsAtOnce = 1024;

    /// <summary>The lines that a query asks for, out of the rows they are packed in.</summary>
    public static IReadOnlyList<StoredAudit> Read(SqlConnection connection, UnfiledAudit unfiled, AuditQuery query)
    {
        var found = new List<StoredAudit>();
        foreach (var row in query.Patient is { } of ? RowsOf(connection, unfiled, query, of) : Rows(connection, query))
        {
            var lines = AuditPack.Lines(row) ?? [];
            foreach (var line in query.Descending ? lines.Reverse() : lines)
            {
                if (line.Key >= query.First && line.Key <= query.Last && (query.Patient is not { } patient || PatientsOf(line)?.Contains(patient, StringComparer.Ordinal) == true))
                {
                    found.Add(line);
                    if (found.Count == query.Limit)
                    {
                        return found;
                    }
                }
            }
        }

        return found;
    }

    /// <summary>Whole rows that may have lines of that stretch, about whomever, as they are stored.</summary>
    public static IEnumerable<StoredAudit> Rows(SqlConnection connection, AuditQuery query)
    {
        var (first, last) = (query.First, LastRow(query));
        for (var size = RowsAtOnce; ; size = Math.Min(size * 4, MostRowsAtOnce))
        {
            var rows = Page(connection, query.Descending, first, last, size);
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < size)
            {
                yield break;
            }

            (first, last) = query.Descending ? (first, rows[^1].Key - 1) : (rows[^1].Key + 1, last);
        }
    }

    /// <summary>Of the entries under a heading the first that reaches to a key or beyond, as its keys; null when there is none.</summary>
    public static List<long>? EntryFrom(SqlConnection connection, AuditHeading heading, long key)
    {
        using var rows = connection.Prepare("SELECT last, earlier FROM audit_patient WHERE patient=? AND readings=? AND last>=? ORDER BY last LIMIT 1")
            .Add(heading.Patient).Add(heading.Readings ? 1L : 0L).Add(key).Run();
        return rows.Step() ? AuditKeys.Unpack(rows.Int64(0), rows.Blob(1)) : null;
    }

    // A row has its last line's key, so the one that the stretch ends in has a larger one.
    private static long LastRow(AuditQuery query) => query.Last > long.MaxValue - AuditPack.MaxLines ? long.MaxValue : query.Last + AuditPack.MaxLines - 1;

    private static List<StoredAudit> Page(SqlConnection connection, bool descending, long first, long last, long size)
    {
        using var rows = connection.Prepare($"SELECT key, body FROM audit WHERE key>=? AND key<=? ORDER BY key{(descending ? " DESC" : "")} LIMIT ?").Add(first).Add(last).Add(size).Run();
        var found = new List<StoredAudit>();
        while (rows.Step())
        {
            found.Add(new StoredAudit(rows.Int64(0), rows.Blob(1)));
        }

        return found;
    }

    private static IEnumerable<StoredAudit> RowsOf(SqlConnection connection, UnfiledAudit unfiled, AuditQuery query, string patient)
    {
        var page = new List<long>(RowsAtOnce);
        var size = RowsAtOnce;
        foreach (var key in KeysOf(connection, unfiled, query, patient))
        {
            page.Add(key);
            if (page.Count == size)
            {
                foreach (var row in Bodies(connection, page, size))
                {
                    yield return row;
                }

                page.Clear();
                size = Math.Min(size * 4, MostRowsAtOnce);
            }
        }

        foreach (var row in page.Count == 0 ? [] : Bodies(connection, page, size))
        {
            yield return row;
        }
    }

    // What is not filed first, with the key up to which all is: rows that are filed after that are in memory here, those before it in the store.
    private static IEnumerable<long> KeysOf(SqlConnection connection, UnfiledAudit unfiled, AuditQuery query, string patient)
    {
        var (first, last) = (query.First, LastRow(query));
        var (filed, newest) = unfiled.KeysOf(connection, patient, query.WithReadings);
        var fresh = newest.Where(key => key >= first && key <= last);
        IEnumerable<long> Filed(bool readings) => FiledKeys(connection, new AuditHeading(patient, readings), query.Descending, first, Math.Min(last, filed));

        var old = query.WithReadings ? Filed(true) : Merged(Filed(true), Filed(false), query.Descending);
        return query.Descending ? fresh.Reverse().Concat(old) : old.Concat(fresh);
    }

    private static IEnumerable<long> FiledKeys(SqlConnection connection, AuditHeading heading, bool descending, long first, long last)
    {
        // The entry that the stretch ends in reaches beyond it.
        var (low, high) = (first, descending ? EntryFrom(connection, heading, last) is { } ending ? ending[^1] : last : long.MaxValue);
        for (var size = RowsAtOnce; ; size = Math.Min(size * 4, MostRowsAtOnce))
        {
            var entries = Entries(connection, heading, descending, low, high, size);
            foreach (var entry in entries)
            {
                foreach (var key in descending ? entry.AsEnumerable().Reverse() : entry)
                {
                    if (key >= first && key <= last)
                    {
                        yield return key;
                    }
                }
            }

            if (entries.Count < size || (!descending && entries[^1][^1] >= last))
            {
                yield break;
            }

            (low, high) = descending ? (low, entries[^1][^1] - 1) : (entries[^1][^1] + 1, high);
        }
    }

    private static List<List<long>> Entries(SqlConnection connection, AuditHeading heading, bool descending, long low, long high, long size)
    {
        using var rows = connection.Prepare($"SELECT last, earlier FROM audit_patient WHERE patient=? AND readings=? AND last>=? AND last<=? ORDER BY last{(descending ? " DESC" : "")} LIMIT ?")
            .Add(heading.Patient).Add(heading.Readings ? 1L : 0L).Add(low).Add(high).Add(size).Run();
        var found = new List<List<long>>();
        while (rows.Step())
        {
            found.Add(AuditKeys.Unpack(rows.Int64(0), rows.Blob(1)));
        }

        return found;
    }

    private static IEnumerable<long> Merged(IEnumerable<long> one, IEnumerable<long> other, bool descending)
    {
        using var left = one.GetEnumerator();
        using var right = other.GetEnumerator();
        var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        while (hasLeft || hasRight)
        {
            var isLeft = hasLeft && (!hasRight || (left.Current < right.Current) != descending);
            yield return isLeft ? left.Current : right.Current;
            (hasLeft, hasRight) = isLeft ? (left.MoveNext(), hasRight) : (hasLeft, right.MoveNext());
        }
    }

    // In the order of the keys that are given. The last one fills what is empty, so that few statements are compiled.
    private static IEnumerable<StoredAudit> Bodies(SqlConnection connection, List<long> keys, int size)
    {
        var statement = connection.Prepare($"SELECT key, body FROM audit WHERE key IN ({string.Join(',', Enumerable.Repeat('?', size))})");
        for (var index = 0; index < size; index++)
        {
            statement.Add(keys[Math.Min(index, keys.Count - 1)]);
        }

        var found = new Dictionary<long, StoredAudit>();
        using (var rows = statement.Run())
        {
            while (rows.Step())
            {
                found[rows.Int64(0)] = new StoredAudit(rows.Int64(0), rows.Blob(1));
            }
        }

        return keys.Select(found.GetValueOrDefault).OfType<StoredAudit>();
    }

    /// <summary>The patients that a line names; null when it is no line.</summary>
    private static IReadOnlyList<string>? PatientsOf(StoredAudit line)
    {
        if (!JsonTree.Parse(line.Body).TryGetValue(out var tree, out _))
        {
            return null;
        }

        var patients = new List<string>();
        foreach (var patient in tree.Root["p"u8].Items)
        {
            patients.Add(patient.AsString() ?? "");
        }

        return patients;
    }

    /// <summary>The patients that lines of a row name, and whether such a line tells what readings became; null when one of them is no line.</summary>
    public static IReadOnlyDictionary<string, bool>? PatientsOf(IReadOnlyList<StoredAudit> lines)
    {
        var rows = new List<AuditRow>(lines.Count);
        foreach (var line in lines)
        {
            if (PatientsOf(line) is not { } named)
            {
                return null;
            }

            rows.Add(new AuditRow(line.Body, named));
        }

        return AuditPack.PatientsOf(CollectionsMarshal.AsSpan(rows));
    }
}
