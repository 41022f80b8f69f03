namespace FhirIomt.Storage.Sql;

/// <summary>A compiled statement. Add the values in the order of their question marks, then <see cref="Run"/>; disposing the run makes it ready for the next.</summary>
internal abstract class SqlStatement
{
    public abstract SqlStatement Add(long value);

    public abstract SqlStatement Add(double value);

    public abstract SqlStatement Add(string value);

    public abstract SqlStatement Add(ReadOnlySpan<byte> value);

    public abstract SqlStatement AddNull();

    public SqlStatement Add(long? value) => value is { } known ? Add(known) : AddNull();

    public SqlStatement Add(double? value) => value is { } known ? Add(known) : AddNull();

    public SqlStatement AddText(string? value) => value is null ? AddNull() : Add(value);

    public SqlStatement Add(object? value) => value switch
    {
        null => AddNull(),
        long number => Add(number),
        string text => Add(text),
        double number => Add(number),
        _ => throw new InvalidOperationException($"A {value.GetType().Name} cannot be bound."),
    };

    public Rows Run()
    {
        Begin();
        return new Rows(this);
    }

    /// <summary>Runs a statement that answers no rows.</summary>
    public void Done()
    {
        using var rows = Run();
        rows.Step();
    }

    protected abstract void Begin();

    protected abstract bool Step();

    protected abstract void Reset();

    protected abstract long Int64(int column);

    protected abstract double Real(int column);

    protected abstract bool IsNull(int column);

    protected abstract string Text(int column);

    protected abstract byte[] Blob(int column);

    /// <summary>One run of the statement; columns count from 0.</summary>
    public readonly ref struct Rows(SqlStatement statement)
    {
        public bool Step() => statement.Step();

        public long Int64(int column) => statement.Int64(column);

        public double Real(int column) => statement.Real(column);

        public bool IsNull(int column) => statement.IsNull(column);

        public string Text(int column) => statement.Text(column);

        public byte[] Blob(int column) => statement.Blob(column);

        public void Dispose() => statement.Reset();
    }
}
