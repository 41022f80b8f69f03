using System.Threading.Channels;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// The one writer: takes everything that waits, runs it in one transaction, commits once, then answers everybody. While one commit waits for the
/// disk the next group gathers, so throughput grows with load and a lone write waits for nobody.
/// When an operation throws, nothing of the group is kept and each batch of it runs again in a transaction of its own, so a failure stays with its cause.
/// </summary>
internal sealed class GroupCommitWriter : IAsyncDisposable
{
    // Back-pressure: callers wait here when the disk is slower than the network.
    private const int MaxWaiting = 1024;

    // Bounds the time a group holds the write lock; 2,000 Observations take about 100 ms.
    private const int MaxOperationsInGroup = 2000;

    private readonly Channel<Batch> _queue = Channel.CreateBounded<Batch>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly SqlConnection _connection;
    private readonly WriteTransaction _transaction;
    private readonly Task _loop;

    public GroupCommitWriter(SqlConnection connection, SqlEngine engine, RowWriter rows)
    {
        _connection = connection;
        _transaction = new WriteTransaction(connection, engine, rows);
        _loop = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    public async Task WriteAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken)
    {
        var batch = new Batch(operations);
        await _queue.Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);

        // Once queued it will run: the answer is awaited even when the caller has gone, so that nobody acts on half a write.
        await batch.Done.Task.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        _connection.Dispose();
    }

    private async Task RunAsync()
    {
        var group = new List<Batch>();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            for (var operations = 0; operations < MaxOperationsInGroup && _queue.Reader.TryRead(out var batch); operations += batch.Operations.Count)
            {
                group.Add(batch);
            }

            CommitGroup(group);
        }
    }

    private void CommitGroup(List<Batch> group)
    {
        if (TryCommit(group, out var failure))
        {
            group.ForEach(batch => batch.Done.TrySetResult());
            return;
        }

        if (group.Count == 1 || failure is StoreLostException)
        {
            // Running them one by one would meet the same silence, or do twice what may have been done.
            group.ForEach(batch => batch.Done.TrySetException(failure!));
            return;
        }

        foreach (var batch in group)
        {
            CommitGroup([batch]);
        }
    }

    private bool TryCommit(List<Batch> group, out Exception? failure)
    {
        failure = null;
        var begun = false;
        try
        {
            _transaction.Begin(group.SelectMany(batch => batch.Operations).SelectMany(operation => operation.Reads));
            begun = true;
            foreach (var batch in group)
            {
                foreach (var operation in batch.Operations)
                {
                    operation.Run(_transaction);
                }
            }

            _transaction.Commit();
            return true;
        }
        catch (Exception exception)
        {
            failure = exception;
            if (begun)
            {
                RollBack();
            }

            return false;
        }
    }

    private void RollBack()
    {
        try
        {
            _transaction.RollBack();
        }
        catch (StoreBusyException)
        {
            // The engine rolls back by itself when the disk is full or unreadable; then there is nothing left to roll back.
        }
    }

    private sealed record Batch(IReadOnlyList<WriteOperation> Operations)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
