using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace FhirIomt.Ingest.Mqtt;

/// <summary>What CONNACK tells a client of MQTT 5 about the server.</summary>
/// <param name="ReceiveMaximum">Messages of QoS 1 and 2 that may be under way at once.</param>
public sealed record MqttWelcome(bool SessionPresent, int ReceiveMaximum, int MaximumPacketSize, int TopicAliasMaximum)
{
    /// <summary>Where it is another than the client asked for.</summary>
    public uint? SessionExpirySeconds { get; init; }

    public string? AssignedClientId { get; init; }

    public int? KeepAliveSeconds { get; init; }
}

/// <summary>Writes the packets of a server (MQTT 3.1.1 and 5.0).</summary>
public static class MqttEncoder
{
    private static readonly byte[] Ping = [(byte)MqttPacketType.PingResp << 4, 0];

    public static ReadOnlyMemory<byte> PingResponse => Ping;

    public static byte[] Welcome(MqttVersion version, MqttWelcome welcome)
    {
        if (version == MqttVersion.V311)
        {
            return [(byte)MqttPacketType.ConnAck << 4, 2, welcome.SessionPresent ? (byte)1 : (byte)0, 0];
        }

        var properties = new ArrayBufferWriter<byte>(64);
        if (welcome.SessionExpirySeconds is { } expiry)
        {
            Number(properties, 0x11, expiry);
        }

        Short(properties, 0x21, welcome.ReceiveMaximum);
        Number(properties, 0x27, (uint)welcome.MaximumPacketSize);
        if (welcome.AssignedClientId is { } client)
        {
            Text(properties, 0x12, client);
        }

        Short(properties, 0x22, welcome.TopicAliasMaximum);

        // Wildcards, subscription identifiers, shared subscriptions: nobody can subscribe here.
        properties.Write((ReadOnlySpan<byte>)[0x28, 0, 0x29, 0, 0x2A, 0]);
        if (welcome.KeepAliveSeconds is { } keepAlive)
        {
            Short(properties, 0x13, keepAlive);
        }

        return Packet(MqttPacketType.ConnAck, [welcome.SessionPresent ? (byte)1 : (byte)0, 0], properties.WrittenSpan, default);
    }

    /// <summary>A CONNECT that is refused; with 3.1.1 by the nearest of its five codes (3.2.2.3).</summary>
    public static byte[] RefuseConnect(MqttVersion version, MqttReason reason, string? why)
    {
        if (version == MqttVersion.V5)
        {
            return Packet(MqttPacketType.ConnAck, [0, (byte)reason], Why(why), default);
        }

        byte code = reason switch
        {
            MqttReason.UnsupportedProtocolVersion => 1,
            MqttReason.ClientIdentifierNotValid => 2,
            MqttReason.BadUserNameOrPassword => 4,
            MqttReason.NotAuthorized => 5,
            _ => 3,
        };
        return [(byte)MqttPacketType.ConnAck << 4, 2, 0, code];
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP; with 3.1.1 they have no reason.</summary>
    public static byte[] Acknowledge(MqttVersion version, MqttPacketType type, ushort id, MqttReason reason, string? why)
    {
        var (high, low) = ((byte)(id >> 8), (byte)id);
        if (version == MqttVersion.V311 || (reason == MqttReason.Success && why is null))
        {
            return [(byte)((int)type << 4), 2, high, low];
        }

        return why is null ? [(byte)((int)type << 4), 3, high, low, (byte)reason] : Packet(type, [high, low, (byte)reason], Why(why), default);
    }

    /// <summary>Every filter is refused: one code for each.</summary>
    public static byte[] RefuseSubscribe(MqttVersion version, ushort id, int filters, string why)
    {
        var codes = new byte[filters];
        Array.Fill(codes, (byte)(version == MqttVersion.V5 ? MqttReason.NotAuthorized : MqttReason.UnspecifiedError));
        return version == MqttVersion.V5
            ? Packet(MqttPacketType.SubAck, [(byte)(id >> 8), (byte)id], Why(why), codes)
            : Packet(MqttPacketType.SubAck, [(byte)(id >> 8), (byte)id], codes);
    }

    public static byte[] Unsubscribed(MqttVersion version, ushort id, int filters)
    {
        if (version == MqttVersion.V311)
        {
            return [(byte)MqttPacketType.UnsubAck << 4, 2, (byte)(id >> 8), (byte)id];
        }

        var codes = new byte[filters];
        Array.Fill(codes, (byte)MqttReason.NoSubscriptionExisted);
        return Packet(MqttPacketType.UnsubAck, [(byte)(id >> 8), (byte)id], default, codes);
    }

    /// <summary>MQTT 5 only: before it a server ends the connection without a word.</summary>
    public static byte[] Disconnect(MqttReason reason, string? why) => Packet(MqttPacketType.Disconnect, [(byte)reason], Why(why), default);

    private static ReadOnlySpan<byte> Why(string? why)
    {
        if (why is null)
        {
            return default;
        }

        var properties = new ArrayBufferWriter<byte>(why.Length + 8);
        Text(properties, 0x1F, why);
        return properties.WrittenSpan;
    }

    private static byte[] Packet(MqttPacketType type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> tail)
    {
        Span<byte> length = stackalloc byte[4];
        var used = VariableInteger(length, properties.Length);
        return Packet(type, head, [.. length[..used], .. properties, .. tail]);
    }

    private static byte[] Packet(MqttPacketType type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest)
    {
        Span<byte> length = stackalloc byte[4];
        var used = VariableInteger(length, head.Length + rest.Length);
        return [(byte)((int)type << 4), .. length[..used], .. head, .. rest];
    }

    private static int VariableInteger(Span<byte> into, int value)
    {
        var used = 0;
        do
        {
            into[used++] = (byte)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
            value >>= 7;
        }
        while (value > 0);
        return used;
    }

    private static void Short(ArrayBufferWriter<byte> into, byte property, int value) => into.Write((ReadOnlySpan<byte>)[property, (byte)(value >> 8), (byte)value]);

    private static void Number(ArrayBufferWriter<byte> into, byte property, uint value)
    {
        Span<byte> bytes = stackalloc byte[5];
        bytes[0] = property;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], value);
        into.Write(bytes);
    }

    private static void Text(ArrayBufferWriter<byte> into, byte property, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Short(into, property, bytes.Length);
        into.Write(bytes);
    }
}
