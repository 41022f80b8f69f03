using SQLitePCL;

namespace FhirIomt.Storage.Sqlite;

/// <summary>A compiled statement. Bind from 1, then <see cref="Run"/>; disposing the run makes it ready for the next.</summary>
internal sealed class SqliteStatement(SqliteConnection connection, sqlite3_stmt statement) : IDisposable
{
    private int _bound;

    public SqliteStatement Add(long value)
    {
        connection.Check(raw.sqlite3_bind_int64(statement, ++_bound, value));
        return this;
    }

    public SqliteStatement Add(long? value) => value is { } known ? Add(known) : AddNull();

    public SqliteStatement Add(string value)
    {
        connection.Check(raw.sqlite3_bind_text(statement, ++_bound, value));
        return this;
    }

    public SqliteStatement Add(ReadOnlySpan<byte> value)
    {
        connection.Check(raw.sqlite3_bind_blob(statement, ++_bound, value));
        return this;
    }

    public SqliteStatement Add(object? value) => value switch
    {
        null => AddNull(),
        long number => Add(number),
        string text => Add(text),
        _ => throw new InvalidOperationException($"A {value.GetType().Name} cannot be bound."),
    };

    public Rows Run()
    {
        _bound = 0;
        return new Rows(connection, statement);
    }

    /// <summary>Runs a statement that answers no rows.</summary>
    public void Done()
    {
        using var rows = Run();
        rows.Step();
    }

    public void Dispose() => statement.Dispose();

    private SqliteStatement AddNull()
    {
        connection.Check(raw.sqlite3_bind_null(statement, ++_bound));
        return this;
    }

    /// <summary>One run of the statement; columns count from 0.</summary>
    public readonly ref struct Rows(SqliteConnection connection, sqlite3_stmt statement)
    {
        public bool Step()
        {
            var result = raw.sqlite3_step(statement);
            connection.Check(result);
            return result == raw.SQLITE_ROW;
        }

        public long Int64(int column) => raw.sqlite3_column_int64(statement, column);

        public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

        public string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();

        public byte[] Blob(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

        public void Dispose()
        {
            raw.sqlite3_reset(statement);
        }
    }
}
