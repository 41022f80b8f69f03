using Npgsql;
using static FhirIomt.Storage.PostgreSql.BufferColumn;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>One buffer for each table's added and removed rows, in the order in which they are sent.</summary>
internal sealed class RowTables
{
    private readonly List<RowBuffer> _all = [];
    private readonly (RowBuffer Added, RowBuffer Removed) _timeline;
    private readonly (RowBuffer Added, RowBuffer Removed) _token;
    private readonly (RowBuffer Added, RowBuffer Removed) _identifier;
    private readonly (RowBuffer Added, RowBuffer Removed) _text;
    private readonly (RowBuffer Added, RowBuffer Removed) _date;
    private readonly (RowBuffer Added, RowBuffer Removed) _number;
    private readonly (RowBuffer Added, RowBuffer Removed) _quantity;
    private readonly (RowBuffer Added, RowBuffer Removed) _reference;
    private readonly (RowBuffer Added, RowBuffer Removed) _uri;

    public RowTables()
    {
        const string Number = "bigint", Text = "text", Real = "double precision", Blob = "bytea";
        History = Add("resource_history", "", ("type", Number), ("id", Text), ("version", Number), ("key", Number), ("deleted", Number), ("body", Blob));
        Resource = Add("resource", "", ("key", Number), ("type", Number), ("id", Text), ("version", Number), ("deleted", Number), ("subject", Number + "?"), ("codes", Number + "?"), ("start", Number + "?"), ("stop", Number + "?"), ("body", Blob));
        Columns = Track(new RowBuffer(
            "UPDATE resource r SET subject=v.subject, codes=v.codes, start=v.start, stop=v.stop FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS v(key, subject, codes, start, stop) WHERE r.key=v.key",
            new Numbers(), new PerhapsNumbers(), new PerhapsNumbers(), new PerhapsNumbers(), new PerhapsNumbers()));
        CodeSetMember = Add("code_set_concept", Ignore, ("parameter", Number), ("concept", Number), ("code_set", Number));
        Component = Add("component_index", Ignore, ("key", Number), ("parameter", Number), ("repetition", Number), ("component", Number), ("item", Number),
            ("concept", Number + "?"), ("value", Text), ("system", Number + "?"), ("low", Real), ("high", Real), ("unit", Number + "?"), ("target", Number + "?"));
        FullText = Track(new RowBuffer(
            "INSERT INTO full_text(key, narrative, content) SELECT v.key, to_tsvector('simple', v.narrative), to_tsvector('simple', v.content) FROM unnest($1::bigint[], $2::text[], $3::text[]) AS v(key, narrative, content) ON CONFLICT (key) DO UPDATE SET narrative=excluded.narrative, content=excluded.content",
            new Numbers(), new Texts(), new Texts()));
        _timeline = Both("timeline", "", ("subject", Number), ("codes", Number), ("start", Number), ("key", Number));
        _token = Both("token_index", "", ("parameter", Number), ("concept", Number), ("key", Number));
        _identifier = Both("identifier_index", "", ("parameter", Number), ("value", Text), ("key", Number), ("system", Number));

        // The head finds the row by its index; the whole decides.
        _text = Both("string_index", "left(t.folded, 600)=left(v.folded, 600) AND md5(t.value)=md5(v.value) AND ", ("parameter", Number), ("folded", Text), ("key", Number), ("value", Text));
        _date = Both("date_index", "", ("parameter", Number), ("start", Number), ("stop", Number), ("key", Number));
        _number = Both("number_index", "", ("parameter", Number), ("low", Real), ("high", Real), ("key", Number));
        _quantity = Both("quantity_index", "", ("parameter", Number), ("unit", Number), ("low", Real), ("high", Real), ("codes", Number), ("key", Number));
        _reference = Both("reference_index", "", ("parameter", Number), ("target", Number), ("key", Number));
        _uri = Both("uri_index", "", ("parameter", Number), ("value", Text), ("key", Number));
        ComponentsRemoved = Track(new RowBuffer("DELETE FROM component_index WHERE key=ANY($1)", new Numbers()));
        FullTextRemoved = Track(new RowBuffer("DELETE FROM full_text WHERE key=ANY($1)", new Numbers()));
        Record = Add("record", " ON CONFLICT (kind, id) DO UPDATE SET body=excluded.body, expires=excluded.expires", ("kind", Text), ("id", Text), ("body", Blob), ("expires", Number + "?"));
        Audit = Add("audit", "", ("key", Number), ("body", Blob));
        AuditPatient = Add("audit_patient", Ignore, ("patient", Text), ("readings", "smallint"), ("last", Number), ("earlier", Blob));
        AuditBatch = Add("audit_batch", "", ("last", Number), ("first", Number), ("size", Number), ("hash", Blob));
        RecordRemoved = Track(new RowBuffer("DELETE FROM record t USING unnest($1::text[], $2::text[]) AS v(kind, id) WHERE t.kind=v.kind AND t.id=v.id", new Texts(), new Texts()));
    }

    private const string Ignore = " ON CONFLICT DO NOTHING";

    public RowBuffer Resource { get; }

    public RowBuffer History { get; }

    public RowBuffer Columns { get; }

    public RowBuffer CodeSetMember { get; }

    public RowBuffer Component { get; }

    public RowBuffer ComponentsRemoved { get; }

    public RowBuffer FullText { get; }

    public RowBuffer FullTextRemoved { get; }

    public RowBuffer Record { get; }

    public RowBuffer RecordRemoved { get; }

    public RowBuffer Audit { get; }

    public RowBuffer AuditPatient { get; }

    public RowBuffer AuditBatch { get; }

    public int Count => _all.Sum(buffer => buffer.Count);

    public RowBuffer Timeline(bool adding) => adding ? _timeline.Added : _timeline.Removed;

    public RowBuffer Token(bool adding) => adding ? _token.Added : _token.Removed;

    public RowBuffer Identifier(bool adding) => adding ? _identifier.Added : _identifier.Removed;

    public RowBuffer Text(bool adding) => adding ? _text.Added : _text.Removed;

    public RowBuffer Date(bool adding) => adding ? _date.Added : _date.Removed;

    public RowBuffer Number(bool adding) => adding ? _number.Added : _number.Removed;

    public RowBuffer Quantity(bool adding) => adding ? _quantity.Added : _quantity.Removed;

    public RowBuffer Reference(bool adding) => adding ? _reference.Added : _reference.Removed;

    public RowBuffer Uri(bool adding) => adding ? _uri.Added : _uri.Removed;

    /// <summary>Everything added, then everything removed.</summary>
    public void MoveTo(NpgsqlBatch batch) => _all.ForEach(buffer => buffer.MoveTo(batch));

    public void Clear() => _all.ForEach(buffer => buffer.Clear());

    private RowBuffer Track(RowBuffer buffer)
    {
        _all.Add(buffer);
        return buffer;
    }

    private RowBuffer Add(string table, string onConflict, params (string Name, string Type)[] columns) => Track(Insert(table, onConflict, columns));

    private (RowBuffer Added, RowBuffer Removed) Both(string table, string alsoEqual, params (string Name, string Type)[] columns)
    {
        var names = string.Join(", ", columns.Select(column => column.Name));
        var equal = string.Join(" AND ", columns.Select(column => $"t.{column.Name}=v.{column.Name}"));
        var removed = new RowBuffer($"DELETE FROM {table} t USING unnest({Arrays(columns)}) AS v({names}) WHERE {alsoEqual}{equal}", [.. columns.Select(ColumnOf)]);
        return (Track(Insert(table, Ignore, columns)), Track(removed));
    }

    private static RowBuffer Insert(string table, string onConflict, (string Name, string Type)[] columns) =>
        new($"INSERT INTO {table}({string.Join(", ", columns.Select(column => column.Name))}) SELECT * FROM unnest({Arrays(columns)}){onConflict}", [.. columns.Select(ColumnOf)]);

    private static string Arrays((string Name, string Type)[] columns) => string.Join(", ", columns.Select((column, index) => $"${index + 1}::{column.Type.TrimEnd('?')}[]"));

    private static BufferColumn ColumnOf((string Name, string Type) column) => column.Type switch
    {
        "bigint" or "smallint" => new Numbers(),
        "bigint?" => new PerhapsNumbers(),
        "text" => new Texts(),
        "bytea" => new Blobs(),
        _ => new Reals(),
    };
}
