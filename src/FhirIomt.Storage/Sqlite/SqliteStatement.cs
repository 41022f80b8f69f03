using FhirIomt.Storage.Sql;
using SQLitePCL;

namespace FhirIomt.Storage.Sqlite;

/// <summary>A compiled statement of SQLite.</summary>
internal sealed class SqliteStatement(SqliteConnection connection, sqlite3_stmt statement) : SqlStatement, IDisposable
{
    private int _bound;

    public override SqlStatement Add(long value)
    {
        connection.Check(raw.sqlite3_bind_int64(statement, ++_bound, value));
        return this;
    }

    public override SqlStatement Add(double value)
    {
        connection.Check(raw.sqlite3_bind_double(statement, ++_bound, value));
        return this;
    }

    public override SqlStatement Add(string value)
    {
        connection.Check(raw.sqlite3_bind_text(statement, ++_bound, value));
        return this;
    }

    public override SqlStatement Add(ReadOnlySpan<byte> value)
    {
        connection.Check(raw.sqlite3_bind_blob(statement, ++_bound, value));
        return this;
    }

    public override SqlStatement AddNull()
    {
        connection.Check(raw.sqlite3_bind_null(statement, ++_bound));
        return this;
    }

    public void Dispose() => statement.Dispose();

    protected override void Begin() => _bound = 0;

    protected override bool Step()
    {
        var result = raw.sqlite3_step(statement);
        connection.Check(result);
        return result == raw.SQLITE_ROW;
    }

    protected override void Reset() => raw.sqlite3_reset(statement);

    protected override long Int64(int column) => raw.sqlite3_column_int64(statement, column);

    protected override double Real(int column) => raw.sqlite3_column_double(statement, column);

    protected override bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    protected override string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();

    protected override byte[] Blob(int column) => raw.sqlite3_column_blob(statement, column).ToArray();
}
