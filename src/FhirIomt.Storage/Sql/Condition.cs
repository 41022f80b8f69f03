using System.Runtime.InteropServices;

namespace FhirIomt.Storage.Sql;

/// <summary>A piece of SQL with the values for its question marks, in order. Values never become text of the statement.</summary>
internal sealed class Condition
{
    // Put together once, in the end: a piece goes through several conditions on its way into a statement, and its characters went along.
    private readonly List<string> _pieces = [];
    private readonly List<object?> _values = [];

    public Condition(string sql, params ReadOnlySpan<object?> values) => Append(sql, values);

    public static Condition Never => new("(1=0)");

    public static Condition Always => new("(1=1)");

    public string Sql => string.Concat(CollectionsMarshal.AsSpan(_pieces));

    public IReadOnlyList<object?> Values => _values;

    /// <summary>The same for the same text with the same values.</summary>
    public string Fingerprint => Sql + '\u0001' + string.Join('\u0001', _values);

    public static Condition Join(string separator, IReadOnlyList<Condition> parts, Condition whenEmpty, bool parenthesised = true)
    {
        if (parts.Count == 0)
        {
            return whenEmpty;
        }

        // SQLite takes expressions a thousand levels deep, and a long chain is as deep as it has parts.
        const int MaxChain = 50;
        if (parts.Count > MaxChain && parenthesised)
        {
            return Join(separator, [.. parts.Chunk((parts.Count + MaxChain - 1) / MaxChain).Select(chunk => Join(separator, chunk, whenEmpty))], whenEmpty);
        }

        var joined = new Condition(parenthesised ? "(" : "");
        for (var index = 0; index < parts.Count; index++)
        {
            joined.Append(index == 0 ? "" : separator).Append(parts[index]);
        }

        return parenthesised ? joined.Append(")") : joined;
    }

    public static Condition AnyOf(IReadOnlyList<Condition> parts) => Join(" OR ", parts, Never);

    public static Condition AllOf(IReadOnlyList<Condition> parts) => Join(" AND ", parts, Always);

    public static Condition In(string column, IReadOnlyCollection<long> numbers) =>
        numbers.Count == 0 ? Never : new Condition($"{column} IN ({string.Join(',', Enumerable.Repeat('?', numbers.Count))})", [.. numbers.Cast<object?>()]);

    public Condition Append(string sql, params ReadOnlySpan<object?> values)
    {
        _pieces.Add(sql);
        _values.AddRange(values);
        return this;
    }

    public Condition Append(Condition other)
    {
        _pieces.AddRange(other._pieces);
        _values.AddRange(other._values);
        return this;
    }

    public SqlStatement Prepare(SqlConnection connection)
    {
        var statement = connection.Prepare(Sql);
        foreach (var value in _values)
        {
            statement.Add(value);
        }

        return statement;
    }
}
