namespace FhirIomt.Storage.Sql.Searching;

/// <summary>The codes of the stored units of a system, each once. Kept until the table has another unit.</summary>
internal sealed class StoredUnits
{
    private volatile Known? _known;

    public IReadOnlyList<string> Codes(SqlConnection connection, long system)
    {
        // Numbers only grow, and no unit is ever taken away.
        var last = connection.Scalar("SELECT coalesce(max(id), 0) FROM unit");
        if (_known is { } known && known.Last == last && known.System == system)
        {
            return known.Codes;
        }

        var codes = new List<string>();
        using (var rows = connection.Prepare("SELECT DISTINCT code FROM unit WHERE system=? AND code<>'' ORDER BY code").Add(system).Run())
        {
            while (rows.Step())
            {
                codes.Add(rows.Text(0));
            }
        }

        // What a running transaction has added may be rolled back, and its numbers given to other units.
        if (connection.IsReadOnly)
        {
            _known = new Known(last, system, codes);
        }

        return codes;
    }

    private sealed record Known(long Last, long System, IReadOnlyList<string> Codes);
}
