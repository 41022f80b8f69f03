using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;

namespace FhirIomt.Server.Hosting;

/// <summary>Takes away the lines of the audit whose time is over, once an hour, and records that it did; warns when there is no audit.</summary>
internal sealed class AuditRetention(IStore store, AuditLog audit, ServerOptions options, TimeProvider time, ILogger<AuditRetention> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // Commits at a time: others get their turn between.
    private const int CommitsAtOnce = 100;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Audit.Enabled)
        {
            log.AuditIsOff();
        }

        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await PruneAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (StoreBusyException exception)
            {
                log.NotPurged(exception);
            }
        }
    }

    internal async Task PruneAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - options.Audit.Keep;
        Prune prune;
        do
        {
            prune = new Prune(before, audit);
            await store.WriteAsync([prune], cancellationToken).ConfigureAwait(false);
        }
        while (prune.Gone > 0);
    }

    private sealed class Prune(DateTimeOffset before, AuditLog audit) : WriteOperation
    {
        public long Gone { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            Gone = transaction.PruneAudit(before, CommitsAtOnce);
            if (Gone > 0)
            {
                audit.Record(transaction, new AuditEntry("prune") { Sender = "server", Target = $"{Gone} lines before {before:yyyy-MM-dd'T'HH:mm:ss'Z'}" });
            }
        }
    }
}
