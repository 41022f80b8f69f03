using System.Security.Cryptography;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// Lines of the audit that are no part of a write: durable in a file of their own, and taken into the store all together once a second. SQLite cannot tell a reader which pages a commit changed, so each commit
/// makes every reader forget all it holds: a hundred small ones a second, of lines about reads, cost those reads up to a third (docs/adr/0024).
/// </summary>
internal sealed class AuditJournal : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // As long as a large transaction holds the writer.
    private const int MaxTaken = 2000;

    // Some seconds of the fastest reads. More wait only where the store takes nothing; then whoever appends hears of it.
    private const int MaxWaiting = 100_000;

    private readonly SqliteConnection _connection;
    private readonly string _id;
    private readonly Func<WriteOperation, Task> _write;
    private readonly SemaphoreSlim _taking = new(1);
    private readonly Lock _file = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _loop;
    private int _waiting;

    /// <param name="write">Writes to the store.</param>
    public AuditJournal(string path, Func<WriteOperation, Task> write)
    {
        _connection = Connect(path);
        _id = IdOf(_connection);
        _write = write;
        _loop = RunAsync();
    }

    /// <summary>The file of a store's journal.</summary>
    public static string PathIn(string directory) => Path.Combine(directory, "fhiriomt-audit.db");

    /// <summary>Takes into a store that is just being opened what a process left that was killed.</summary>
    public static void Recover(string path, SqliteConnection store, SqlEngine engine)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var journal = Connect(path);
        var id = IdOf(journal);
        for (var lines = After(journal, 0); lines.Count > 0; lines = After(journal, 0))
        {
            Enter(id, lines, store, engine);
            Forget(journal, lines[^1].Number);
        }
    }

    /// <summary>What waits in a journal that a server may be writing to.</summary>
    public static Waiting WaitingIn(string path)
    {
        if (!File.Exists(path))
        {
            return new Waiting("", []);
        }

        using var journal = Connect(path);
        return journal.InSnapshot(() =>
        {
            var lines = new List<(long Number, AuditRow Line)>();
            for (var next = After(journal, 0); next.Count > 0; next = After(journal, next[^1].Number))
            {
                lines.AddRange(next);
            }

            return new Waiting(IdOf(journal), lines);
        });
    }

    /// <summary>Enters what waited into a copy of the store that was made later: what had been taken into the store meanwhile is not entered again.</summary>
    public static void Enter(Waiting waiting, SqliteConnection copy, SqlEngine engine)
    {
        foreach (var lines in waiting.Lines.Chunk(MaxTaken))
        {
            Enter(waiting.Journal, [.. lines], copy, engine);
        }
    }

    private static void Enter(string journal, List<(long Number, AuditRow Line)> lines, SqliteConnection store, SqlEngine engine)
    {
        var transaction = new WriteTransaction(store, engine, new SqliteRowWriter(store));
        transaction.Begin([]);
        new Taking(journal, lines).Run(transaction);
        transaction.Commit();
    }

    /// <summary>Returns when the lines are durable; never waits for the store.</summary>
    public void Append(IReadOnlyList<AuditRow> lines)
    {
        lock (_file)
        {
            if (_waiting + lines.Count > MaxWaiting)
            {
                throw new StoreBusyException($"{_waiting} lines of the audit wait to be taken into the store.");
            }

            Write(lines);
            _waiting += lines.Count;
        }
    }

    /// <summary>Takes all lines into the store.</summary>
    public async Task TakeAsync()
    {
        await _taking.WaitAsync().ConfigureAwait(false);
        try
        {
            for (var lines = Next(); lines.Count > 0; lines = Next())
            {
                await _write(new Taking(_id, lines)).ConfigureAwait(false);
                lock (_file)
                {
                    Forget(_connection, lines[^1].Number);
                    _waiting -= lines.Count;
                }
            }
        }
        finally
        {
            _taking.Release();
        }
    }

    /// <summary>Afterwards nothing waits, unless the store takes nothing: then the next process finds it here.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await TryTakeAsync().ConfigureAwait(false);
        _connection.Dispose();
        _ending.Dispose();
        _taking.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token).ConfigureAwait(false))
            {
                await TryTakeAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task TryTakeAsync()
    {
        try
        {
            await TakeAsync().ConfigureAwait(false);
        }
        catch (StoreBusyException)
        {
            // They are durable here and the next round tries again; what cannot be taken for long is told to those who append.
        }
    }

    private List<(long Number, AuditRow Line)> Next()
    {
        lock (_file)
        {
            return _waiting == 0 ? [] : After(_connection, 0);
        }
    }

    private void Write(IReadOnlyList<AuditRow> lines)
    {
        _connection.Execute("BEGIN IMMEDIATE");
        try
        {
            foreach (var line in lines)
            {
                _connection.Prepare("INSERT INTO line(body, patients) VALUES (?,?)").Add(line.Body.Span).Add(string.Join('\n', line.Patients)).Done();
            }

            _connection.Execute("COMMIT");
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    private void RollBack()
    {
        try
        {
            _connection.Execute("ROLLBACK");
        }
        catch (StoreBusyException)
        {
            // With a full disk SQLite has done so itself.
        }
    }

    private static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(path, readOnly: false);
        try
        {
            connection.Execute("PRAGMA journal_mode=WAL");
            connection.Execute("PRAGMA synchronous=FULL");

            // Numbers are never given twice, so that the store knows what it has taken; an id tells journals apart, should one be put in another's place.
            connection.Execute("CREATE TABLE IF NOT EXISTS line(number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL, patients TEXT NOT NULL)");
            connection.Execute("CREATE TABLE IF NOT EXISTS journal(one INTEGER PRIMARY KEY CHECK (one=1), id TEXT NOT NULL)");
            connection.Prepare("INSERT OR IGNORE INTO journal(one, id) VALUES (1, ?)").Add(RandomNumberGenerator.GetHexString(32, lowercase: true)).Done();
            return connection;
        }
        catch (StoreBusyException exception)
        {
            connection.Dispose();
            throw new StoreUnusableException($"'{path}' cannot be used: {exception.Message}. It has lines of the audit from the last second before a crash, if there was one; without it a new one is made.");
        }
    }

    private static string IdOf(SqliteConnection journal)
    {
        using var rows = journal.Prepare("SELECT id FROM journal").Run();
        rows.Step();
        return rows.Text(0);
    }

    // The oldest after one, as many as are taken at once.
    private static List<(long Number, AuditRow Line)> After(SqliteConnection journal, long number)
    {
        var lines = new List<(long, AuditRow)>();
        using var rows = journal.Prepare("SELECT number, body, patients FROM line WHERE number>? ORDER BY number LIMIT ?").Add(number).Add((long)MaxTaken).Run();
        while (rows.Step())
        {
            lines.Add((rows.Int64(0), new AuditRow(rows.Blob(1), rows.Text(2).Split('\n', StringSplitOptions.RemoveEmptyEntries))));
        }

        return lines;
    }

    private static void Forget(SqliteConnection journal, long last) => journal.Prepare("DELETE FROM line WHERE number<=?").Add(last).Done();

    /// <param name="Journal">Its id.</param>
    /// <param name="Lines">In their order.</param>
    public sealed record Waiting(string Journal, IReadOnlyList<(long Number, AuditRow Line)> Lines);

    /// <summary>Enters the lines with the number of the last, so that those of a commit after which the process died are not entered again.</summary>
    private sealed class Taking(string journal, List<(long Number, AuditRow Line)> lines) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            var taken = transaction.FindRecord(RecordKind.AuditJournal, journal) is { } record ? BitConverter.ToInt64(record.Body.Span) : 0;
            foreach (var (_, line) in lines.Where(one => one.Number > taken))
            {
                transaction.Audit(line);
            }

            transaction.PutRecord(new StoredRecord(RecordKind.AuditJournal, journal, BitConverter.GetBytes(Math.Max(taken, lines[^1].Number))));
        }
    }
}
