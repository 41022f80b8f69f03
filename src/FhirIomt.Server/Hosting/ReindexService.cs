using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Server.Hosting;

/// <summary>Works off what <c>$reindex</c> was asked for, one transaction after the other; what a stopped server left is taken up again.</summary>
internal sealed class ReindexService(Reindexing reindexing, ILogger<ReindexService> log, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await reindexing.CompleteEmptyAsync(cancellationToken).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await reindexing.StepAsync(stoppingToken).ConfigureAwait(false))
                {
                    continue;
                }
            }
            catch (StoreBusyException exception)
            {
                log.NotReindexed(exception);
            }

            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(false);
        }
    }
}
