using FhirIomt.Ingest.Mqtt;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>What became of a publish, as its acknowledgement says it.</summary>
internal readonly record struct MqttReceipt(MqttReason Reason, string? Why)
{
    public static readonly MqttReceipt Success = new(MqttReason.Success, null);

    /// <summary>The server takes it no further: nothing is acknowledged, and the connection ends so that the client sends again.</summary>
    public bool EndsConnection { get; init; }

    public bool IsRefusal => Reason >= MqttReason.UnspecifiedError;
}

/// <summary>A publish of QoS 1 until it is stored, or of QoS 2 until it is released.</summary>
/// <param name="Key">The same for the same message.</param>
internal sealed record MqttIncoming(ushort Id, int Qos, string? Key, Task<MqttReceipt> Receipt);

/// <summary>
/// What outlives a connection (MQTT 5.0, 4.1): the publishes that are not finished. It belongs to a sender and a client identifier: with another's credential the same
/// identifier is another session.
/// </summary>
internal sealed class MqttSession(string key)
{
    // The protocol's own limit is 65,535; no client has that many under way, and each costs about 200 bytes.
    private const int MaxUnfinished = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, MqttIncoming> _incoming = [];

    public string Key { get; } = key;

    /// <summary>Whose it is now; null without connection. Changed by <see cref="MqttSessions"/> only.</summary>
    public MqttConnection? Connection { get; set; }

    public TimeSpan Expiry { get; set; }

    /// <summary>When it ends; null while connected.</summary>
    public DateTimeOffset? EndsAt { get; set; }

    public PendingWill? Will { get; set; }

    /// <summary>Messages of one session keep their order.</summary>
    public int Lane { get; } = string.GetHashCode(key, StringComparison.Ordinal);

    public MqttIncoming? Find(ushort id)
    {
        lock (_lock)
        {
            return _incoming.GetValueOrDefault(id);
        }
    }

    /// <summary>False when there are too many.</summary>
    public bool TryAdd(MqttIncoming incoming)
    {
        lock (_lock)
        {
            if (_incoming.Count >= MaxUnfinished && !_incoming.ContainsKey(incoming.Id))
            {
                return false;
            }

            _incoming[incoming.Id] = incoming;
            return true;
        }
    }

    /// <summary>Takes away this publish, unless another has its identifier already.</summary>
    public void Finish(MqttIncoming incoming)
    {
        lock (_lock)
        {
            if (_incoming.TryGetValue(incoming.Id, out var known) && ReferenceEquals(known, incoming))
            {
                _incoming.Remove(incoming.Id);
            }
        }
    }

    /// <summary>PUBREL: the identifier is free again.</summary>
    public bool Release(ushort id)
    {
        lock (_lock)
        {
            return _incoming.Remove(id);
        }
    }
}

/// <summary>A will that waits for its time, or for its client to come back.</summary>
internal sealed record PendingWill(Sender Sender, string? Address, MqttWill Will, DateTimeOffset Due);
