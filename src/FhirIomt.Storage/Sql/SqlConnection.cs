namespace FhirIomt.Storage.Sql;

/// <summary>
/// One connection to an engine, with its compiled statements. Values are question marks in every engine's text. Calls block: the embedded engine has nothing
/// to wait for, and the others run at most as many at once as they have connections (docs/adr/0010). Not thread-safe: one user at a time.
/// </summary>
internal abstract class SqlConnection : IDisposable
{
    protected SqlConnection(SqlDialect dialect, bool readOnly) => (Dialect, IsReadOnly) = (dialect, readOnly);

    public SqlDialect Dialect { get; }

    /// <summary>It sees committed rows only.</summary>
    public bool IsReadOnly { get; }

    /// <summary>The statement of that text; the same text gives the same object, so a run must end before the next of the same text begins.</summary>
    public abstract SqlStatement Prepare(string sql);

    /// <summary>Runs a script without values.</summary>
    public abstract void Execute(string sql);

    public long Scalar(string sql)
    {
        using var rows = Prepare(sql).Run();
        return rows.Step() ? rows.Int64(0) : throw new InvalidOperationException("The statement answers no row.");
    }

    /// <summary>Until <see cref="EndSnapshot"/>, everything read is of one moment.</summary>
    public abstract void BeginSnapshot();

    public abstract void EndSnapshot();

    /// <summary>Everything that is read is of one moment.</summary>
    public T InSnapshot<T>(Func<T> read)
    {
        BeginSnapshot();
        try
        {
            return read();
        }
        finally
        {
            if (!IsLost)
            {
                EndSnapshot();
            }
        }
    }

    /// <summary>From now on a statement may take as long as it takes: for work on the whole store, which nobody's request waits for.</summary>
    public virtual void TakeTime()
    {
    }

    /// <summary>What the engine itself finds broken in its files, if it can look.</summary>
    public virtual IEnumerable<string> Damage() => [];

    /// <summary>It will not answer again; another must be opened.</summary>
    public virtual bool IsLost => false;

    public abstract void Dispose();
}
