using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Life;

/// <summary>
/// When each device was last heard of. Kept in memory and written every ten seconds, many devices in one commit: a write for each message would cost as much as the message.
/// </summary>
internal sealed class LastSeen(IStore store, TimeProvider time, ILogger<LastSeen> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _heard = new(StringComparer.Ordinal);

    public void Hear(string deviceId) => _heard[deviceId] = time.GetUtcNow();

    /// <summary>Null: never, as far as the store knows.</summary>
    public async ValueTask<DateTimeOffset?> FindAsync(string deviceId, CancellationToken cancellationToken) => _heard.TryGetValue(deviceId, out var heard) ? heard
        : await store.FindRecordAsync(RecordKind.DeviceSeen, deviceId, cancellationToken).ConfigureAwait(false) is { } record ? Read(record) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                await SaveAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await SaveAsync().ConfigureAwait(false);
        }
    }

    internal async Task SaveAsync()
    {
        var heard = _heard.ToArray();
        if (heard.Length == 0)
        {
            return;
        }

        try
        {
            await store.WriteAsync([new Save(heard)], CancellationToken.None).ConfigureAwait(false);
            foreach (var one in heard)
            {
                // Only what is written: a device that was heard again meanwhile is written the next time.
                _heard.TryRemove(one);
            }
        }
        catch (StoreBusyException exception)
        {
            logger.NotSaved(exception);
        }
    }

    private static DateTimeOffset Read(StoredRecord record) => DateTimeOffset.Parse(Encoding.UTF8.GetString(record.Body.Span).Trim('"'), CultureInfo.InvariantCulture);

    private sealed class Save(KeyValuePair<string, DateTimeOffset>[] heard) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            foreach (var (device, at) in heard)
            {
                transaction.PutRecord(new StoredRecord(RecordKind.DeviceSeen, device, Encoding.UTF8.GetBytes($"\"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\"")));
            }
        }
    }
}

internal static partial class LifeLog
{
    [LoggerMessage(EventId = 75, Level = LogLevel.Warning, Message = "When devices were last heard of could not be written")]
    public static partial void NotSaved(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 77, Level = LogLevel.Error, Message = "A silent device could not be told of: {Code} at {Place}")]
    public static partial void NotTold(this ILogger logger, string code, string? place);

    [LoggerMessage(EventId = 76, Level = LogLevel.Warning, Message = "Silent devices could not be looked for")]
    public static partial void NotLooked(this ILogger logger, Exception exception);
}
