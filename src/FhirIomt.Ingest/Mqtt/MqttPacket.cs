using System.Text;

namespace FhirIomt.Ingest.Mqtt;

/// <summary>What a client says. A closed set.</summary>
public abstract record MqttPacket
{
    private MqttPacket()
    {
    }

    /// <param name="KeepAliveSeconds">0: none.</param>
    /// <param name="Password">UTF-8 as a rule; null without.</param>
    public sealed record Connect(MqttVersion Version, string ClientId, bool CleanStart, int KeepAliveSeconds, string? UserName, byte[]? Password, MqttWill? Will, MqttProperties Properties) : MqttPacket
    {
        /// <summary>The password as a text.</summary>
        public string? Secret { get; } = Password is null ? null : Encoding.UTF8.GetString(Password);

        /// <summary>Without anything that it carries: a record would say its secret.</summary>
        public override string ToString() => nameof(Connect);
    }

    /// <param name="Topic">Empty where an alias stands for it.</param>
    /// <param name="Id">0 with QoS 0.</param>
    public sealed record Publish(string Topic, ReadOnlyMemory<byte> Payload, int Qos, bool IsRetained, bool IsRepeated, ushort Id, MqttProperties Properties) : MqttPacket;

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    public sealed record Acknowledge(MqttPacketType Type, ushort Id, MqttReason Reason) : MqttPacket;

    public sealed record Subscribe(ushort Id, IReadOnlyList<string> Filters) : MqttPacket;

    public sealed record Unsubscribe(ushort Id, IReadOnlyList<string> Filters) : MqttPacket;

    public sealed record Ping : MqttPacket
    {
        public static readonly Ping Instance = new();
    }

    public sealed record Disconnect(MqttReason Reason, MqttProperties Properties) : MqttPacket;

    public sealed record Authenticate : MqttPacket
    {
        public static readonly Authenticate Instance = new();
    }
}

/// <summary>What is published for a client that goes without a word.</summary>
public sealed record MqttWill(string Topic, byte[] Payload, int Qos, bool IsRetained, MqttProperties Properties);
