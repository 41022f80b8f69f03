using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage.Sql;

/// <summary>Reads the audit.</summary>
internal static class AuditRows
{
    public static IReadOnlyList<StoredAudit> Read(SqlConnection connection, AuditQuery query)
    {
        var order = query.Descending ? " DESC" : "";
        var statement = query.Patient is { } patient
            ? connection.Prepare($"SELECT a.key, a.body FROM audit_patient p {connection.Dialect.OrderedJoin} audit a ON a.key=p.key WHERE p.patient=? AND p.key>=? AND p.key<=? ORDER BY p.key{order} LIMIT ?").Add(patient)
            : connection.Prepare($"SELECT key, body FROM audit WHERE key>=? AND key<=? ORDER BY key{order} LIMIT ?");
        using var rows = statement.Add(query.First).Add(query.Last).Add((long)query.Limit).Run();
        var found = new List<StoredAudit>();
        while (rows.Step())
        {
            found.Add(new StoredAudit(rows.Int64(0), rows.Blob(1)));
        }

        return found;
    }

    /// <summary>The patients that a line names; null when it is no line.</summary>
    public static IReadOnlyCollection<string>? PatientsOf(StoredAudit line)
    {
        if (!JsonTree.Parse(line.Body).TryGetValue(out var tree, out _))
        {
            return null;
        }

        var patients = new HashSet<string>(StringComparer.Ordinal);
        foreach (var patient in tree.Root["p"u8].Items)
        {
            patients.Add(patient.AsString() ?? "");
        }

        return patients;
    }
}
