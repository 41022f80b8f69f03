namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// Carries the log's pages into the store's file beside the writer. SQLite itself lets whoever commits do it: at 5,000 messages a second that stopped the writer for
/// 130 ms about once a second. Here another thread carries while the writer goes on, so often that little is left; the writer carries that little itself, between two
/// transactions, because only a log that is all carried begins anew (docs/adr/0027-checkpoints-beside-the-writer.md).
/// </summary>
/// <param name="writer">Whose log it is; all members but <see cref="Carry"/> are for its thread.</param>
internal sealed class Checkpoints(SqliteConnection writer, Func<SqliteConnection> open) : IDisposable
{
    // Pages of the log, of 8 kB each.
    private const long Wanted = 16_000;
    private const long Most = 4 * Wanted;
    private const long LittleEnough = 1_000;
    private const int MaxPasses = 4;

    private SqliteConnection? _own;
    private Task? _carrying;
    private long _written;
    private long _begun;

    /// <summary>When the transaction is in the log.</summary>
    public void Committed()
    {
        Volatile.Write(ref _written, _written + writer.TakePagesWritten());
        if (_carrying is null && _written - _begun >= Wanted)
        {
            _carrying = Task.Factory.StartNew(Carry, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>When the writer has no transaction open.</summary>
    public void Between()
    {
        // A file that cannot keep up holds the writer back, instead of a log without end.
        if (_carrying is null || !(_carrying.IsCompleted || _written - _begun >= Most))
        {
            return;
        }

        _carrying.GetAwaiter().GetResult();
        _carrying = null;

        // A reader with an old snapshot keeps a part: it is tried again, half as much later.
        _begun = TryFinish() ? _written : _written - (Wanted / 2);
    }

    public void Dispose()
    {
        _carrying?.GetAwaiter().GetResult();
        _own?.Dispose();
    }

    private bool TryFinish()
    {
        try
        {
            return writer.Checkpoint();
        }
        catch (StoreBusyException)
        {
            return false;
        }
    }

    // Each pass leaves what was written meanwhile, a fraction of what it found.
    private void Carry()
    {
        try
        {
            _own ??= open();
            for (var pass = 0; pass < MaxPasses; pass++)
            {
                var before = Volatile.Read(ref _written);
                _own.Checkpoint();
                if (Volatile.Read(ref _written) - before <= LittleEnough)
                {
                    return;
                }
            }
        }
        catch (StoreBusyException)
        {
            // A full disk, for one: the log stays as it is, and whoever writes finds out by himself. Another attempt follows.
        }
    }
}
