using FhirIomt.Repository.Definitions;
using FhirIomt.Storage;

namespace FhirIomt.Server.Hosting;

/// <summary>Takes up definitions that other processes have written to the store: within a second, and before the first request.</summary>
internal sealed class DefinitionsRefresh(ServerDefinitions definitions, IStore store, ILogger<DefinitionsRefresh> log, TimeProvider time) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await definitions.RefreshAsync(cancellationToken).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), time);
        var generation = -1L;
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (store.Generation == generation)
            {
                continue;
            }

            try
            {
                var seen = store.Generation;
                await definitions.RefreshAsync(stoppingToken).ConfigureAwait(false);
                generation = seen;
            }
            catch (StoreBusyException exception)
            {
                log.DefinitionsNotRefreshed(exception);
            }
        }
    }
}
