using System.Buffers;

namespace FhirIomt.Ingest.Mqtt;

/// <summary>
/// Cuts a stream into the packets of a client and reads them (MQTT 3.1.1 and 5.0). Every rule about the form of a packet is checked here; what a packet means in its
/// session is not. One for each connection: the version follows from CONNECT.
/// </summary>
public sealed class MqttDecoder(int maxPacketBytes)
{
    private const string Name = "MQTT";

    /// <summary>Null until CONNECT.</summary>
    public MqttVersion? Version { get; private set; }

    /// <summary>Takes the next packet off the buffer; false when it is not all there yet.</summary>
    /// <exception cref="MqttProtocolException">Malformed, too large, or not of this protocol.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out MqttPacket packet)
    {
        packet = MqttPacket.Ping.Instance;
        Span<byte> head = stackalloc byte[5];
        var available = (int)Math.Min(buffer.Length, head.Length);
        buffer.Slice(0, available).CopyTo(head);
        if (available < 2 || !MqttReader.TryVariableInteger(head[1..available], out var length, out var lengthBytes))
        {
            CheckFirst(available, head[0]);
            return false;
        }

        CheckFirst(available, head[0]);
        if (1 + lengthBytes + length > maxPacketBytes)
        {
            throw new MqttProtocolException(MqttReason.PacketTooLarge, $"A packet has more than {maxPacketBytes} bytes.");
        }

        if (buffer.Length < 1 + lengthBytes + length)
        {
            return false;
        }

        // A copy of its own: the message stays in hand until it is stored, the connection's buffer does not.
        var body = buffer.Slice(1 + lengthBytes, length).ToArray();
        buffer = buffer.Slice(1 + lengthBytes + length);
        packet = Decode((MqttPacketType)(head[0] >> 4), head[0] & 0x0F, body);
        return true;
    }

    // Whoever does not begin with CONNECT is told so at its first byte, not after the megabytes that it announces.
    private void CheckFirst(int available, byte first)
    {
        if (Version is null && available > 0 && first != (byte)MqttPacketType.Connect << 4)
        {
            throw new MqttProtocolException(MqttReason.ProtocolError, "The first packet is no CONNECT.");
        }
    }

    private MqttPacket Decode(MqttPacketType type, int flags, byte[] body)
    {
        if (type != MqttPacketType.Publish && flags != (type is MqttPacketType.PubRel or MqttPacketType.Subscribe or MqttPacketType.Unsubscribe ? 0b0010 : 0))
        {
            throw MqttReader.Malformed("The flags of the fixed header are not those of the packet.");
        }

        var reader = new MqttReader(body);
        return type switch
        {
            MqttPacketType.Connect => Connect(ref reader),
            MqttPacketType.Publish => Publish(ref reader, flags, body),
            MqttPacketType.PubAck or MqttPacketType.PubRec or MqttPacketType.PubRel or MqttPacketType.PubComp => Acknowledge(ref reader, type),
            MqttPacketType.Subscribe => Subscribe(ref reader),
            MqttPacketType.Unsubscribe => Unsubscribe(ref reader),
            MqttPacketType.PingReq => Empty(ref reader),
            MqttPacketType.Disconnect => Disconnect(ref reader),
            MqttPacketType.Auth when Version == MqttVersion.V5 => MqttPacket.Authenticate.Instance,
            _ => throw new MqttProtocolException(MqttReason.ProtocolError, "A client does not send packets of this type."),
        };
    }

    private MqttPacket.Connect Connect(ref MqttReader reader)
    {
        if (Version is not null)
        {
            throw new MqttProtocolException(MqttReason.ProtocolError, "A second CONNECT.");
        }

        var (name, level) = (reader.Text(), reader.Byte());
        if (name != Name || level is not ((byte)MqttVersion.V311 or (byte)MqttVersion.V5))
        {
            throw new MqttProtocolException(MqttReason.UnsupportedProtocolVersion, "The protocol is neither MQTT 3.1.1 nor MQTT 5.") { AnswerIn = name == Name && level > (byte)MqttVersion.V5 ? MqttVersion.V5 : MqttVersion.V311 };
        }

        Version = (MqttVersion)level;
        var flags = reader.Byte();
        var (hasUser, hasPassword, hasWill, qos) = ((flags & 0x80) != 0, (flags & 0x40) != 0, (flags & 0x04) != 0, (flags >> 3) & 3);
        if ((flags & 1) != 0 || qos == 3 || (!hasWill && (flags & 0x38) != 0) || (Version == MqttVersion.V311 && hasPassword && !hasUser))
        {
            throw MqttReader.Malformed("The flags of CONNECT contradict one another.");
        }

        var keepAlive = reader.UInt16();
        var properties = Properties(ref reader, PropertyPlace.Connect);
        var client = reader.Text();
        var will = hasWill ? Will(ref reader, qos, (flags & 0x20) != 0) : null;
        var user = hasUser ? reader.Text() : null;
        var password = hasPassword ? reader.Binary().ToArray() : null;
        reader.MustBeAtEnd();
        return new MqttPacket.Connect(Version.Value, client, (flags & 0x02) != 0, keepAlive, user, password, will, properties);
    }

    private MqttWill Will(ref MqttReader reader, int qos, bool isRetained)
    {
        var properties = Properties(ref reader, PropertyPlace.Will);
        var topic = CheckTopic(reader.Text());
        return new MqttWill(topic, reader.Binary().ToArray(), qos, isRetained, properties);
    }

    private MqttPacket.Publish Publish(ref MqttReader reader, int flags, byte[] body)
    {
        var (isRepeated, qos, isRetained) = ((flags & 8) != 0, (flags >> 1) & 3, (flags & 1) != 0);
        if (qos == 3 || (qos == 0 && isRepeated))
        {
            throw MqttReader.Malformed("The flags of PUBLISH contradict one another.");
        }

        var topic = reader.Text();
        var id = qos == 0 ? (ushort)0 : reader.PacketId();
        var properties = Properties(ref reader, PropertyPlace.Publish);
        if (topic.Length > 0 || properties.TopicAlias is null)
        {
            CheckTopic(topic);
        }

        return new MqttPacket.Publish(topic, body.AsMemory(body.Length - reader.Rest.Length), qos, isRetained, isRepeated, id, properties);
    }

    private MqttPacket.Acknowledge Acknowledge(ref MqttReader reader, MqttPacketType type)
    {
        var id = reader.PacketId();
        var reason = MqttReason.Success;
        if (Version == MqttVersion.V5 && !reader.IsAtEnd)
        {
            reason = (MqttReason)reader.Byte();
            if (!reader.IsAtEnd)
            {
                MqttProperties.Read(ref reader, PropertyPlace.Acknowledge);
            }
        }

        reader.MustBeAtEnd();
        return new MqttPacket.Acknowledge(type, id, reason);
    }

    private MqttPacket.Subscribe Subscribe(ref MqttReader reader)
    {
        var id = reader.PacketId();
        Properties(ref reader, PropertyPlace.Subscribe);
        var filters = new List<string>();
        while (!reader.IsAtEnd)
        {
            filters.Add(reader.Text());
            var options = reader.Byte();
            if ((options & 3) == 3 || (options & (Version == MqttVersion.V5 ? 0xC0 : 0xFC)) != 0 || (options & 0x30) == 0x30)
            {
                throw MqttReader.Malformed("The options of a subscription are not those of the protocol.");
            }
        }

        return new MqttPacket.Subscribe(id, NotNone(filters));
    }

    private MqttPacket.Unsubscribe Unsubscribe(ref MqttReader reader)
    {
        var id = reader.PacketId();
        Properties(ref reader, PropertyPlace.Unsubscribe);
        var filters = new List<string>();
        while (!reader.IsAtEnd)
        {
            filters.Add(reader.Text());
        }

        return new MqttPacket.Unsubscribe(id, NotNone(filters));
    }

    private MqttPacket.Disconnect Disconnect(ref MqttReader reader)
    {
        if (Version == MqttVersion.V311 || reader.IsAtEnd)
        {
            reader.MustBeAtEnd();
            return new MqttPacket.Disconnect(MqttReason.Success, MqttProperties.None);
        }

        var reason = (MqttReason)reader.Byte();
        var properties = reader.IsAtEnd ? MqttProperties.None : MqttProperties.Read(ref reader, PropertyPlace.Disconnect);
        reader.MustBeAtEnd();
        return new MqttPacket.Disconnect(reason, properties);
    }

    private static MqttPacket.Ping Empty(ref MqttReader reader)
    {
        reader.MustBeAtEnd();
        return MqttPacket.Ping.Instance;
    }

    private MqttProperties Properties(ref MqttReader reader, PropertyPlace place) => Version == MqttVersion.V5 ? MqttProperties.Read(ref reader, place) : MqttProperties.None;

    private static string CheckTopic(string topic) => topic.Length > 0 && !topic.AsSpan().ContainsAny('+', '#') ? topic
        : throw new MqttProtocolException(MqttReason.TopicNameInvalid, "A topic is empty or holds a wildcard.");

    private static List<string> NotNone(List<string> filters) => filters.Count > 0 ? filters : throw new MqttProtocolException(MqttReason.ProtocolError, "A packet names no topic.");
}
