using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>How PostgreSQL says it.</summary>
internal sealed class PostgresDialect : SqlDialect
{
    private PostgresDialect()
    {
    }

    public static PostgresDialect Instance { get; } = new();

    // Sessions run with join_collapse_limit=1, which keeps written joins in their order.
    public override string OrderedJoin => "JOIN";

    public override string Apply => "CROSS JOIN LATERAL";

    public override string InsertOrIgnore(string table, string columns) =>
        $"INSERT INTO {table}({columns}) VALUES ({string.Join(',', columns.Split(',').Select(_ => '?'))}) ON CONFLICT DO NOTHING";

    public override string Contains(string column) => $"strpos({column}, ?)>0";

    public override string BytesContain(string column) => $"position(convert_to(?, 'UTF8') IN {column})>0";

    public override string Length(string column) => $"length({column})";

    // The index holds the head of a text, because a row of a B-tree must stay below 2,704 bytes; the whole is compared on the rows that it leaves.
    public override Condition StartsWith(string column, string prefix)
    {
        var head = PostgresText.Head(prefix);
        return head.Length < prefix.Length
            ? new Condition($"({PostgresText.HeadOf(column)}=? AND starts_with({column}, ?))", head, prefix)
            : new Condition($"({PostgresText.HeadOf(column)}>=? AND {PostgresText.HeadOf(column)}<?)", prefix, AfterPrefix(prefix));
    }

    public override Condition EqualTo(string column, string text) => new($"({PostgresText.HeadOf(column)}=? AND {column}=?)", PostgresText.Head(text), text);

    // As a query it becomes a hashed table; an array in a generic plan would be walked for each row.
    public override Condition InNumbers(string column, string numbers) => new($"{column} IN (SELECT unnest(string_to_array(?, ',')::bigint[]))", numbers);

    public override string FullTextKey => "key";

    public override Condition KeysWithPhrase(string column, string words) => new($"SELECT key FROM full_text WHERE {column} @@ phraseto_tsquery('simple', ?)", words);
}
