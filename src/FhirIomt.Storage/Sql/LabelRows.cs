namespace FhirIomt.Storage.Sql;

/// <summary>Which profiles, tags and security labels resources of a type have, from the indexes: jumping from one value to the next reads as many rows as there are values.</summary>
internal static class LabelRows
{
    private static readonly string[] Parameters = ["_profile", "_security", "_tag"];

    public static IReadOnlyList<StoredLabel> Read(SqlEngine engine, SqlConnection connection, IReadOnlyList<string> types, int limit)
    {
        var found = new HashSet<StoredLabel>();
        foreach (var type in types)
        {
            foreach (var code in Parameters)
            {
                if (engine.Dictionaries.Find(connection, DictionaryKey.Parameter(engine.TypeNumber(type), code)) is { } parameter)
                {
                    ReadConcepts(engine, connection, code, parameter, found, limit);
                    ReadUris(connection, code, parameter, found, limit);
                }
            }
        }

        return [.. found];
    }

    private static void ReadConcepts(SqlEngine engine, SqlConnection connection, string code, long parameter, HashSet<StoredLabel> found, int limit)
    {
        var concepts = $"SELECT x FROM ({Values("token_index", "concept")}) a UNION SELECT x FROM ({Values("code_set_concept", "concept")}) b";
        using var rows = connection.Prepare($"SELECT s.uri, c.code FROM ({concepts}) i JOIN concept c ON c.id=i.x JOIN system s ON s.id=c.system WHERE c.system<>? LIMIT ?")
            .Add(parameter).Add(parameter).Add(parameter).Add(parameter).Add(engine.Dictionaries.TextSystem).Add((long)limit).Run();
        while (rows.Step() && found.Count < limit)
        {
            found.Add(new StoredLabel(code, rows.Text(0), rows.Text(1)));
        }
    }

    private static void ReadUris(SqlConnection connection, string code, long parameter, HashSet<StoredLabel> found, int limit)
    {
        using var rows = connection.Prepare($"SELECT x FROM ({Values("uri_index", "value")}) a LIMIT ?").Add(parameter).Add(parameter).Add((long)limit).Run();
        while (rows.Step() && found.Count < limit)
        {
            found.Add(new StoredLabel(code, "", rows.Text(0)));
        }
    }

    // Takes the parameter twice.
    private static string Values(string table, string column) =>
        $"WITH RECURSIVE s(x) AS (SELECT min({column}) FROM {table} WHERE parameter=? UNION ALL SELECT (SELECT min({column}) FROM {table} WHERE parameter=? AND {column}>s.x) FROM s WHERE s.x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL";
}
