using Microsoft.Win32.SafeHandles;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// Carries the log's pages into the store's file beside the writer. SQLite itself lets whoever commits do it: at 5,000 messages a second that stopped the writer for
/// 130 ms about once a second. Here another thread carries while the writer goes on, so often that little is left; the writer carries that little itself, between two
/// transactions, because only a log that is all carried begins anew (docs/adr/0027-checkpoints-beside-the-writer.md).
/// </summary>
/// <param name="writer">Whose log it is: all but <see cref="Carry"/> runs on its thread.</param>
/// <param name="carried">Called by the writer when the log begins anew.</param>
/// <param name="path">The store's file.</param>
/// <param name="left">Pages that may be in the log already: what a server that was killed left there.</param>
internal sealed class Checkpoints(SqliteConnection writer, Func<SqliteConnection> open, Action carried, string path, long left) : IDisposable
{
    // Pages of the log, of 8 kB each.
    private const long Wanted = 16_000;
    private const long Most = 4 * Wanted;
    private const long LittleEnough = 1_000;
    private const int MaxPasses = 4;

    private SqliteConnection? _own;
    private SafeFileHandle? _file;
    private Task? _carrying;
    private long _written = left;
    private long _begun;

    /// <summary>Before each transaction of the writer.</summary>
    public void Between()
    {
        Volatile.Write(ref _written, _written + writer.TakePagesWritten());
        var grown = _written - _begun;
        if (_carrying is null)
        {
            _carrying = grown < Wanted ? null : Task.Factory.StartNew(Carry, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        else if (_carrying.IsCompleted || grown >= Most)
        {
            // A file that cannot keep up holds the writer back, instead of a log without end.
            var carrying = _carrying;
            _carrying = null;
            carrying.GetAwaiter().GetResult();
            Finish();
        }
    }

    public void Dispose()
    {
        _carrying?.GetAwaiter().GetResult();
        _own?.Dispose();
        _file?.Dispose();
    }

    private void Finish()
    {
        if (IsAllCarried())
        {
            _begun = _written;
            carried();
        }
        else
        {
            // A reader with an old snapshot keeps a part: it is tried again, half as much later.
            _begun = _written - (Wanted / 2);
        }
    }

    private bool IsAllCarried()
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

    // Each pass leaves what was written meanwhile, a fraction of what it found. SQLite lets the file reach the disk only when all of the log is carried, which would be the
    // writer's to wait for (100 ms): what a pass carried goes there at once. The handle stays open as long as the store: closing it gives up this process's locks on the file.
    private void Carry()
    {
        try
        {
            _own ??= open();

            // A connection that has read nothing yet knows of no log, and its checkpoint does nothing at all.
            _own.Scalar("PRAGMA schema_version");
            _file ??= File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            for (var pass = 0; pass < MaxPasses; pass++)
            {
                var before = Volatile.Read(ref _written);
                _own.Checkpoint();
                RandomAccess.FlushToDisk(_file);
                if (Volatile.Read(ref _written) - before <= LittleEnough)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is StoreBusyException or IOException)
        {
            // A full disk, for one: the log stays as it is, and whoever writes finds out by himself. Another attempt follows.
        }
    }
}
