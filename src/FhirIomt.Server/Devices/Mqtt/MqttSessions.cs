using System.Collections.Concurrent;
using FhirIomt.Core;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Server.Devices.Streaming;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>The sessions of this server, in memory. After a restart there are none, which CONNACK says; what clients then send again is known by its content.</summary>
internal sealed class MqttSessions(MqttOptions options, PayloadReader reader, MessageIntake intake, TimeProvider time, ILogger<MqttSessions> logger) : BackgroundService
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, MqttSession> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(MqttSession Session, PendingWill Will)> _orphans = [];
    private readonly Lock _lock = new();

    public int Count => _sessions.Count;

    /// <summary>The session of a connection that begins, and whether it was there. Who had it before is told to go.</summary>
    public (MqttSession Session, bool WasThere) Open(Sender sender, string clientId, bool cleanStart, TimeSpan expiry, MqttConnection connection)
    {
        var key = $"{sender.Id}\n{clientId}";
        MqttConnection? before;
        (MqttSession, bool) opened;
        lock (_lock)
        {
            var known = _sessions.TryGetValue(key, out var found) && !(found.EndsAt <= time.GetUtcNow()) ? found : null;
            before = known?.Connection;
            var session = known is null || cleanStart ? new MqttSession(key) : known;
            if (cleanStart && known?.Will is { } will)
            {
                _orphans.Enqueue((known, will));
            }

            (session.Connection, session.EndsAt, session.Will) = (connection, null, null);
            session.Expiry = expiry < options.SessionsKept ? expiry : options.SessionsKept;
            if (known is null && _sessions.Count >= options.MaxSessions)
            {
                session.Expiry = TimeSpan.Zero;
            }

            // Also without expiry: the next connection of that client must find this one, to end it.
            _sessions[key] = session;
            opened = (session, ReferenceEquals(session, known));
        }

        before?.End(MqttReason.SessionTakenOver);
        return opened;
    }

    /// <summary>The connection is gone; the session goes with it, or stays as long as was agreed.</summary>
    public void Leave(MqttSession session, MqttConnection connection, PendingWill? will)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(session.Connection, connection))
            {
                // Taken over: a will that may wait hopes for the client that is back, another is due (3.1.2.5).
                if (will?.Due <= time.GetUtcNow())
                {
                    _orphans.Enqueue((session, will));
                }

                return;
            }

            session.Connection = null;
            session.EndsAt = time.GetUtcNow() + session.Expiry;
            session.Will = will is null || will.Due <= session.EndsAt ? will : will with { Due = session.EndsAt.Value };
            if (session.Expiry == TimeSpan.Zero && will is null)
            {
                _sessions.TryRemove(KeyValuePair.Create(session.Key, session));
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tick, time);
        while (await NextAsync(timer, stoppingToken).ConfigureAwait(false))
        {
            while (_orphans.TryDequeue(out var orphan))
            {
                await PublishAsync(orphan.Session, orphan.Will, stoppingToken).ConfigureAwait(false);
            }

            foreach (var session in _sessions.Values.Where(session => session.EndsAt is not null))
            {
                if (TakeDue(session) is { } will)
                {
                    await PublishAsync(session, will, stoppingToken).ConfigureAwait(false);
                }
            }
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private PendingWill? TakeDue(MqttSession session)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var will = session.Will?.Due <= now ? session.Will : null;
            session.Will = will is null ? session.Will : null;
            if (session.EndsAt <= now)
            {
                _sessions.TryRemove(KeyValuePair.Create(session.Key, session));
            }

            return will;
        }
    }

    // "I am gone" is no reading, whatever the sender's default mapping would make of it: only a topic that names a mapping says that it is.
    private async Task PublishAsync(MqttSession session, PendingWill will, CancellationToken stopping)
    {
        if (PayloadReader.NamedMapping(MqttTopic.Parse(will.Will.Topic), will.Will.Properties.User) is null)
        {
            return;
        }

        try
        {
            var payload = new StreamPayload(will.Will.Topic, will.Will.Payload, will.Will.Properties.ContentType, will.Will.Properties.User);
            if ((await reader.ReadAsync(will.Sender, will.Address, payload, keepsRefused: true, stopping).ConfigureAwait(false)).TryGetValue(out var message, out _))
            {
                await intake.SubmitAsync(message, session.Lane, stopping).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.WillNotTaken(exception);
        }
    }
}
