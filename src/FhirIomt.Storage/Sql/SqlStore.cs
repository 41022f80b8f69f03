using System.Collections.Concurrent;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql.Checking;

namespace FhirIomt.Storage.Sql;

/// <summary>What the stores of all SQL engines share: the one writer, the readers, and the look at what other processes changed.</summary>
public abstract class SqlStore : IStore
{
    // Readers beyond this wait: reads are short, and more connections than this only divide the same caches.
    private const int MaxReaders = 32;

    private readonly SqlEngine _engine;
    private readonly GroupCommitWriter _writer;
    private readonly ConcurrentBag<SqlConnection> _idle = [];
    private readonly SemaphoreSlim _readers = new(MaxReaders);
    private readonly ReaderTurns? _turns;
    private readonly Timer _poll;

    /// <param name="turns">Null where the engine's work is this process's own, or that of another machine.</param>
    private protected SqlStore(SqlEngine engine, GroupCommitWriter writer, TimeSpan poll, ReaderTurns? turns = null)
    {
        _engine = engine;
        _writer = writer;
        _turns = turns;
        _poll = new Timer(_ => TakeUpOtherProcesses(), null, poll, poll);
    }

    public long Generation => _engine.Generation;

    public long AccessGeneration => _engine.AccessGeneration;

    /// <summary>The version of its tables: this build's, since opening brings a store to it.</summary>
    public abstract int Schema { get; }

    public virtual ValueTask<StoredResource?> ReadAsync(string type, string id, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.Read(connection, type, id), cancellationToken);

    public virtual ValueTask<StoredResource?> ReadNearestAsync(string type, string id, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ReadNearest(connection, type, id), cancellationToken);

    public ValueTask<StoredResource?> ReadVersionAsync(string type, string id, long version, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ReadVersion(connection, type, id, version), cancellationToken);

    public ValueTask<Outcome<SearchPage>> SearchAsync(SearchQuery query, SearchAccess access, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.Search(connection, query, access), cancellationToken);

    public ValueTask<Outcome<HistoryPage>> HistoryAsync(HistoryQuery query, CancellationToken cancellationToken) =>
        ReadingAsync(connection => connection.InSnapshot(() => new HistoryRun(_engine, connection, query).Run()), cancellationToken);

    public Task WriteAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken) => _writer.WriteAsync(operations, cancellationToken);

    public ValueTask<StoredRecord?> FindRecordAsync(string kind, string id, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.FindRecord(connection, kind, id), cancellationToken);

    public ValueTask<IReadOnlyList<StoredRecord>> ListRecordsAsync(string kind, CancellationToken cancellationToken) =>
        ListNewestRecordsAsync(kind, int.MaxValue, cancellationToken);

    public ValueTask<IReadOnlyList<StoredRecord>> ListNewestRecordsAsync(string kind, int limit, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ListRecords(connection, kind, limit), cancellationToken);

    public ValueTask<IReadOnlyList<StoredRecord>> ListRecordsBeforeAsync(string kind, string? before, int limit, CancellationToken cancellationToken) =>
        ReadingAsync(connection => _engine.ListRecords(connection, kind, limit, before), cancellationToken);

    public ValueTask<long> CountRecordsAsync(string kind, CancellationToken cancellationToken) => ReadingAsync(
        connection =>
        {
            using var rows = connection.Prepare("SELECT count(*) FROM record WHERE kind=?").Add(kind).Run();
            return rows.Step() ? rows.Int64(0) : 0;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<StoredLabel>> ListLabelsAsync(IReadOnlyList<string> types, int limit, CancellationToken cancellationToken) =>
        ReadingAsync(connection => LabelRows.Read(_engine, connection, types, limit), cancellationToken);

    public virtual Task AppendAuditAsync(IReadOnlyList<AuditRow> lines, CancellationToken cancellationToken) => WriteAsync([new AuditLines(lines)], cancellationToken);

    public virtual ValueTask<IReadOnlyList<StoredAudit>> ReadAuditAsync(AuditQuery query, CancellationToken cancellationToken) =>
        ReadingAsync(connection => AuditRows.Read(connection, _engine.UnfiledAudit, query), cancellationToken);

    /// <summary>Walks through the whole audit, beside whoever writes it.</summary>
    /// <param name="expected">A hash that somebody noted, in hexadecimal; null when none was.</param>
    /// <param name="progress">Hears how many lines were looked at.</param>
    public AuditCheckReport CheckAudit(string? expected, IProgress<long>? progress)
    {
        using var connection = OpenReader();
        connection.TakeTime();
        return connection.InSnapshot(() => new AuditCheck(connection, expected, progress).Run());
    }

    /// <summary>Compares the store with itself, beside whoever uses it.</summary>
    /// <param name="repair">Mend what was found; what is left afterwards is what cannot be mended by indexing.</param>
    /// <param name="progress">Hears how many resources are compared.</param>
    /// <returns>What was found before anything was mended, and what a second look found afterwards; the second is null when nothing was mended.</returns>
    public async Task<(StoreCheckReport Found, StoreCheckReport? Left)> CheckAsync(bool repair, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var found = Look(progress);
        if (!repair || !found.NeedRepair)
        {
            return (found.Report, null);
        }

        await WriteAsync([new StoreRepair([], found.HasOrphans, found.HasBrokenSets)], cancellationToken).ConfigureAwait(false);
        foreach (var keys in found.Wrong.Chunk(StoreRepair.MaxKeys))
        {
            await WriteAsync([new StoreRepair(keys, orphans: false, codeSets: false)], cancellationToken).ConfigureAwait(false);
        }

        return (found.Report, Look(progress).Report);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _poll.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }

        _readers.Dispose();
        _turns?.Dispose();
    }

    private protected abstract SqlConnection OpenReader();

    // A connection of its own: it reads for as long as the store is large.
    private StoreFindings Look(IProgress<long>? progress)
    {
        using var connection = OpenReader();
        return new StoreCheck(_engine, connection).Run(progress);
    }

    private async ValueTask<T> ReadingAsync<T>(Func<SqlConnection, T> read, CancellationToken cancellationToken)
    {
        var hasTurn = _turns is not null && await _turns.TakeAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadingByReaderAsync(read, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (hasTurn)
            {
                _turns!.GiveBack();
            }
        }
    }

    private async ValueTask<T> ReadingByReaderAsync<T>(Func<SqlConnection, T> read, CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A connection that lay idle may have died there; what it was asked is only read, so another can be asked.
            return _idle.TryTake(out var idle) ? ReadingFromIdle(idle, read) : Reading(OpenReader(), read);
        }
        finally
        {
            _readers.Release();
        }
    }

    private T ReadingFromIdle<T>(SqlConnection idle, Func<SqlConnection, T> read)
    {
        try
        {
            return Reading(idle, read);
        }
        catch (StoreLostException)
        {
            return Reading(OpenReader(), read);
        }
    }

    private T Reading<T>(SqlConnection connection, Func<SqlConnection, T> read)
    {
        try
        {
            return read(connection);
        }
        finally
        {
            GiveBack(connection);
        }
    }

    private void GiveBack(SqlConnection connection)
    {
        if (connection.IsLost)
        {
            connection.Dispose();
        }
        else
        {
            _idle.Add(connection);
        }
    }

    private void TakeUpOtherProcesses()
    {
        SqlConnection? connection = null;
        try
        {
            connection = _idle.TryTake(out var idle) ? idle : OpenReader();
            var stored = connection.Scalar("SELECT generation FROM clock");
            if (stored > _engine.Generations)
            {
                _engine.Generations = stored;
            }
        }
        catch (StoreBusyException)
        {
            // An exception on a timer's thread would end the process; the next look is soon.
        }
        finally
        {
            if (connection is not null)
            {
                GiveBack(connection);
            }
        }
    }

    private sealed class AuditLines(IReadOnlyList<AuditRow> lines) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            foreach (var line in lines)
            {
                transaction.Audit(line);
            }
        }
    }
}
