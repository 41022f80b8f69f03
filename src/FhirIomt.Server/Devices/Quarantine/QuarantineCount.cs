using System.Diagnostics.Metrics;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Quarantine;

/// <summary>How many messages wait: counted from the store every minute, and in between by what this node puts there. Other nodes' messages show at the next count.</summary>
internal sealed class QuarantineCount : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly IStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<QuarantineCount> _logger;
    private long _count;

    public QuarantineCount(IStore store, TimeProvider time, ILogger<QuarantineCount> logger)
    {
        (_store, _time, _logger) = (store, time, logger);
        Telemetry.ObserveQuarantine(() => Volatile.Read(ref _count));
    }

    public long Value => Volatile.Read(ref _count);

    public void Added(int messages) => Interlocked.Add(ref _count, messages);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        do
        {
            try
            {
                Volatile.Write(ref _count, await _store.CountRecordsAsync(RecordKind.Quarantine, stoppingToken).ConfigureAwait(false));
            }
            catch (StoreBusyException exception)
            {
                _logger.NotCounted(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }
}

internal static partial class QuarantineLog
{
    [LoggerMessage(EventId = 74, Level = LogLevel.Warning, Message = "The quarantine could not be counted")]
    public static partial void NotCounted(this ILogger logger, Exception exception);
}
