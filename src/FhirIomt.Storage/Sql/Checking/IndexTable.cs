namespace FhirIomt.Storage.Sql.Checking;

/// <summary>A table of the search index, as a check reads it.</summary>
/// <param name="Columns">Besides the key, in the order in which <see cref="HashingRowWriter"/> adds them.</param>
/// <param name="Kinds">One letter for each column: <c>n</c> number, <c>N</c> number or null, <c>d</c> double, <c>D</c> double or null, <c>s</c> text, <c>S</c> text or null.</param>
internal sealed record IndexTable(string Name, string Key, string[] Columns, string Kinds)
{
    /// <summary>Every table whose rows belong to a resource by its key.</summary>
    public static IReadOnlyList<IndexTable> All(SqlDialect dialect) =>
    [
        new("timeline", "key", ["subject", "codes", "start"], "nnn"),
        new("token_index", "key", ["parameter", "concept"], "nn"),
        new("identifier_index", "key", ["parameter", "value", "system"], "nsn"),
        new("string_index", "key", ["parameter", "folded", "value"], "nss"),
        new("date_index", "key", ["parameter", "start", "stop"], "nnn"),
        new("number_index", "key", ["parameter", "low", "high"], "ndd"),
        new("quantity_index", "key", ["parameter", "unit", "low", "high", "codes"], "nnddn"),
        new("reference_index", "key", ["parameter", "target"], "nn"),
        new("uri_index", "key", ["parameter", "value"], "ns"),
        new("component_index", "key", ["parameter", "repetition", "component", "item", "concept", "value", "system", "low", "high", "unit", "target"], "nnnnNSNDDNN"),
        new("full_text", dialect.FullTextKey, [], ""),
    ];

    /// <summary>Its first column is a parameter.</summary>
    public bool HasParameter => Columns is ["parameter", ..];

    public string Select => $"SELECT {string.Join(", ", [Key, .. Columns])} FROM {Name}";

    public ulong HashOf(SqlStatement.Rows rows)
    {
        var hash = new RowHash(Name);
        for (var index = 0; index < Kinds.Length; index++)
        {
            var column = index + 1;
            hash = Kinds[index] switch
            {
                'n' => hash.Add(rows.Int64(column)),
                'N' => hash.Add(rows.IsNull(column) ? null : rows.Int64(column)),
                'd' => hash.Add(rows.Real(column)),
                'D' => hash.Add(rows.IsNull(column) ? null : rows.Real(column)),
                's' => hash.Add(rows.Text(column)),
                _ => hash.Add(rows.IsNull(column) ? null : rows.Text(column)),
            };
        }

        return hash.Value;
    }
}
