using System.Globalization;
using System.Threading.Channels;
using FhirIomt.Core;
using FhirIomt.Fhir.Search;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>Settings of the audit.</summary>
/// <param name="FailClosed">Nobody is answered before the line about it is durable; what cannot be recorded is not answered.</param>
/// <param name="IsEnabled">False is for measuring what it costs.</param>
public sealed record AuditSettings(bool FailClosed, bool IsEnabled)
{
    public static AuditSettings Default { get; } = new(FailClosed: false, IsEnabled: true);
}

/// <summary>
/// Takes the lines that are no part of a write, and writes many of them in one commit. When the store is slower than the requests, they wait here. When it takes nothing
/// at all, as with a full disk, what does not fit here is counted, so that reads go on, and a line of its own says how many are missing, from when to when.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    // Beyond it answers wait for the audit to catch up. An entry holds a search's patients, so a full queue is some megabytes.
    private const int MaxWaiting = 4096;

    // As large as a large transaction: the writer is held no longer by it.
    private const int MaxInCommit = 1000;

    // Eight reads in a millisecond: gathering for this long makes one commit of what would be several, and costs what a crash within it loses.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // How often somebody who waits for room looks whether there is some.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly IStore _store;
    private readonly string? _serverBase;
    private readonly AuditSettings _settings;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _failed;
    private readonly Task _loop;
    private readonly Gap _gap = new();
    private volatile bool _ending;
    private volatile bool _isRefused;

    /// <param name="failed">Hears that lines could not be written; they are tried again.</param>
    public AuditLog(IStore store, SearchIndexer indexer, AuditSettings settings, TimeProvider time, Action<Exception> failed)
    {
        (_store, _serverBase, _settings, _time, _failed) = (store, indexer.ServerBase, settings, time, failed);
        _loop = Task.Run(RunAsync);
    }

    public bool IsEnabled => _settings.IsEnabled;

    /// <summary>Records it; in fail-closed mode returns when it is durable, otherwise when it is taken.</summary>
    public async ValueTask RecordAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        if (!IsEnabled)
        {
            return;
        }

        var waiting = new Waiting(entry, _time.GetUtcNow(), _settings.FailClosed ? NewDone() : null);
        if (!await TryEnqueueAsync(waiting, cancellationToken).ConfigureAwait(false))
        {
            _gap.Add(waiting.At);
        }
        else if (waiting.Done is { } done)
        {
            await done.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Returns when everything that was recorded before is durable, or the store takes nothing.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var waiting = new Waiting(null, default, NewDone());
        if (await TryEnqueueAsync(waiting, cancellationToken).ConfigureAwait(false))
        {
            var done = waiting.Done!.Task;
            while (!done.IsCompleted && !_isRefused)
            {
                await Task.WhenAny(done, Task.Delay(Look, TimeProvider.System, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Adds a line to the commit of a write.</summary>
    public void Record(IWriteTransaction transaction, AuditEntry entry)
    {
        if (IsEnabled)
        {
            transaction.Audit(AuditLine.Write(entry, _serverBase, _time.GetUtcNow()));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _ending = true;
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    // False: there is no room, and there will be none until the store takes something again.
    private async ValueTask<bool> TryEnqueueAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        while (!_queue.Writer.TryWrite(waiting))
        {
            if (_ending)
            {
                throw new StoreBusyException("The server is stopping.");
            }

            if (_isRefused)
            {
                return false;
            }

            await Task.Delay(Look, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private async Task RunAsync()
    {
        var group = new List<Waiting>();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            if (!_settings.FailClosed && !_ending)
            {
                await Task.Delay(Gathering, TimeProvider.System).ConfigureAwait(false);
            }

            group.Clear();
            while (group.Count < MaxInCommit && _queue.Reader.TryRead(out var waiting))
            {
                group.Add(waiting);
            }

            await CommitAsync(group).ConfigureAwait(false);
        }
    }

    private async Task CommitAsync(List<Waiting> group)
    {
        var lines = Written(group);
        while (true)
        {
            try
            {
                if (lines.Count > 0)
                {
                    await _store.AppendAuditAsync(lines, CancellationToken.None).ConfigureAwait(false);
                }

                _isRefused = false;
                group.ForEach(waiting => waiting.Done?.TrySetResult());
                break;
            }
            catch (Exception exception) when (_settings.FailClosed || _ending)
            {
                // Whoever waits for it is refused. At the end of the process nobody is left to wait for a store that does not come back.
                _failed(exception);
                group.ForEach(waiting => waiting.Done?.TrySetException(exception));
                return;
            }
            catch (StoreBusyException exception)
            {
                _isRefused = true;
                _failed(exception);
                await Task.Delay(Pause, TimeProvider.System).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // A bug, and trying again would meet it again: said loudly, and the lines behind these are still written.
                _failed(exception);
                group.ForEach(waiting => waiting.Done?.TrySetException(exception));
                return;
            }
        }

        if (_gap.Take() is { } gap)
        {
            await CommitAsync([new Waiting(gap, _time.GetUtcNow(), Done: null)]).ConfigureAwait(false);
        }
    }

    private List<AuditRow> Written(List<Waiting> group)
    {
        var rows = new List<AuditRow>(group.Count);
        foreach (var waiting in group.Where(waiting => waiting.Entry is not null))
        {
            try
            {
                rows.Add(AuditLine.Write(waiting.Entry!, _serverBase, waiting.At));
            }
            catch (Exception exception)
            {
                // One that cannot be put into words must not take the others along.
                _failed(exception);
                waiting.Done?.TrySetException(exception);
            }
        }

        return rows;
    }

    private static TaskCompletionSource NewDone() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lines for which there was no room.</summary>
    private sealed class Gap
    {
        private readonly Lock _lock = new();
        private long _count;
        private DateTimeOffset _first;
        private DateTimeOffset _last;

        public void Add(DateTimeOffset at)
        {
            lock (_lock)
            {
                _first = _count == 0 ? at : _first;
                (_count, _last) = (_count + 1, at);
            }
        }

        public AuditEntry? Take()
        {
            lock (_lock)
            {
                var missing = _count;
                _count = 0;
                return missing == 0 ? null : new AuditEntry("gap")
                {
                    Outcome = AuditOutcome.Failed,
                    Issues = string.Create(CultureInfo.InvariantCulture, $"IOMT-0896: the store took nothing, and {missing} lines between {_first:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} and {_last:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} were not kept."),
                };
            }
        }
    }

    /// <param name="Entry">Null: only asks to be told.</param>
    private sealed record Waiting(AuditEntry? Entry, DateTimeOffset At, TaskCompletionSource? Done);
}
