using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>How SQLite says it.</summary>
internal sealed class SqliteDialect : SqlDialect
{
    private SqliteDialect()
    {
    }

    public static SqliteDialect Instance { get; } = new();

    // SQLite never reorders a CROSS JOIN.
    public override string OrderedJoin => "CROSS JOIN";

    public override bool IsInProcess => true;

    public override string InsertOrIgnore(string table, string columns) =>
        $"INSERT OR IGNORE INTO {table}({columns}) VALUES ({string.Join(',', columns.Split(',').Select(_ => '?'))})";

    public override string Contains(string column) => $"instr({column}, ?)>0";

    public override string BytesContain(string column) => $"instr({column}, CAST(? AS BLOB))>0";

    public override string Length(string column) => $"length({column})";

    public override Condition StartsWith(string column, string prefix) => new($"({column}>=? AND {column}<?)", prefix, AfterPrefix(prefix));

    public override Condition EqualTo(string column, string text) => new($"{column}=?", text);

    public override Condition InNumbers(string column, string numbers) => new($"{column} IN (SELECT value FROM json_each(?))", $"[{numbers}]");

    public override string FullTextKey => "rowid";

    public override Condition KeysWithPhrase(string column, string words) => new("SELECT rowid FROM full_text WHERE full_text MATCH ?", $"{column} : \"{words}\"");
}
