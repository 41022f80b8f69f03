using System.Buffers.Binary;
using System.Text;

namespace FhirIomt.Ingest.Mqtt;

/// <summary>Reads the fields of one packet (MQTT 5.0, 1.5). Whatever goes beyond the end, or is not UTF-8, is malformed.</summary>
internal ref struct MqttReader(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    public MqttReader Slice(int length) => new(Take(length));

    /// <summary>A packet identifier, which is never 0.</summary>
    public ushort PacketId() => UInt16() is var id and not 0 ? id : throw new MqttProtocolException(MqttReason.ProtocolError, "A packet identifier is 0.");

    public string Text()
    {
        try
        {
            var text = Strict.GetString(Binary());
            return text.Contains('\0', StringComparison.Ordinal) ? throw Malformed("A text holds U+0000.") : text;
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("A text is not UTF-8.");
        }
    }

    public int VariableInteger()
    {
        if (!TryVariableInteger(_rest, out var value, out var length))
        {
            throw Malformed("A length ends too early.");
        }

        // The shortest form is the only one (1.5.5).
        if (length > 1 && _rest[length - 1] == 0)
        {
            throw Malformed("A length is written longer than need be.");
        }

        _rest = _rest[length..];
        return value;
    }

    /// <summary>False when more bytes are needed.</summary>
    /// <exception cref="MqttProtocolException">Longer than four bytes.</exception>
    public static bool TryVariableInteger(ReadOnlySpan<byte> bytes, out int value, out int length)
    {
        value = 0;
        for (length = 0; length < bytes.Length;)
        {
            var one = bytes[length];
            value |= (one & 0x7F) << (7 * length++);
            if ((one & 0x80) == 0)
            {
                return true;
            }

            if (length == 4)
            {
                throw Malformed("A length has more than four bytes.");
            }
        }

        return false;
    }

    public readonly void MustBeAtEnd()
    {
        if (!_rest.IsEmpty)
        {
            throw Malformed("A packet has bytes after its end.");
        }
    }

    public static MqttProtocolException Malformed(string message) => new(MqttReason.MalformedPacket, message);

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Malformed("A packet ends too early.");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
