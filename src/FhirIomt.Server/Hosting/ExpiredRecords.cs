using FhirIomt.Storage;

namespace FhirIomt.Server.Hosting;

/// <summary>Takes expired tokens, assertion ids and receipts out of the store, every ten minutes.</summary>
internal sealed class ExpiredRecords(IStore store, TimeProvider time, ILogger<ExpiredRecords> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await store.WriteAsync([new Purge()], stoppingToken).ConfigureAwait(false);
            }
            catch (StoreBusyException exception)
            {
                log.NotPurged(exception);
            }
        }
    }

    private sealed class Purge : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => transaction.DeleteExpiredRecords();
    }
}
