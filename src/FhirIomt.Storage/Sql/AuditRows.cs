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
    public static IReadOnlyList<StoredAudit> Read(SqlConnection connection, AuditQuery query)
    {
        var found = new List<StoredAudit>();
        foreach (var row in Rows(connection, query))
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

    /// <summary>Whole rows that may have lines of that stretch, as they are stored.</summary>
    public static IEnumerable<StoredAudit> Rows(SqlConnection connection, AuditQuery query)
    {
        // A row has its last line's key, so the one that the stretch ends in has a larger one.
        var (first, last) = (query.First, query.Last > long.MaxValue - AuditPack.MaxLines ? long.MaxValue : query.Last + AuditPack.MaxLines - 1);
        for (var size = RowsAtOnce; ; size = Math.Min(size * 4, MostRowsAtOnce))
        {
            var rows = Page(connection, query, first, last, size);
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

    private static List<StoredAudit> Page(SqlConnection connection, AuditQuery query, long first, long last, long size)
    {
        var order = query.Descending ? " DESC" : "";
        using var rows = query.Patient is null
            ? connection.Prepare($"SELECT key, body FROM audit WHERE key>=? AND key<=? ORDER BY key{order} LIMIT ?").Add(first).Add(last).Add(size).Run()
            : OfPatient(connection, query, order, first, last, size).Run();
        var found = new List<StoredAudit>();
        while (rows.Step())
        {
            found.Add(new StoredAudit(rows.Int64(0), rows.Blob(1)));
        }

        return found;
    }

    // Both kinds by one statement, so that none that is committed meanwhile is passed over.
    private static SqlStatement OfPatient(SqlConnection connection, AuditQuery query, string order, long first, long last, long size)
    {
        string Keys(int readings) => $"SELECT key FROM audit_patient WHERE patient=? AND readings={readings} AND key>=? AND key<=? ORDER BY key{order} LIMIT ?";
        SqlStatement Bound(SqlStatement statement) => statement.Add(query.Patient!).Add(first).Add(last).Add(size);

        var keys = query.WithReadings ? Keys(1) : $"SELECT key FROM (SELECT key FROM ({Keys(0)}) a UNION ALL SELECT key FROM ({Keys(1)}) b) c ORDER BY key{order} LIMIT ?";
        var statement = connection.Prepare($"SELECT a.key, a.body FROM ({keys}) p {connection.Dialect.OrderedJoin} audit a ON a.key=p.key ORDER BY p.key{order}");
        return query.WithReadings ? Bound(statement) : Bound(Bound(statement)).Add(size);
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
