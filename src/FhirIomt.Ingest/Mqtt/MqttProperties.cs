namespace FhirIomt.Ingest.Mqtt;

/// <summary>Where a property stands: each is allowed in some packets only (MQTT 5.0, 2.2.2.2).</summary>
[Flags]
internal enum PropertyPlace
{
    Connect = 1,
    Will = 2,
    Publish = 4,
    Acknowledge = 8,
    Subscribe = 16,
    Disconnect = 32,
    Auth = 64,
    Unsubscribe = 128,
}

/// <summary>The properties of a packet that anything here asks for; those of other kinds are checked and passed over. With MQTT 3.1.1 there are none.</summary>
public sealed class MqttProperties
{
    public static readonly MqttProperties None = new();

    private const PropertyPlace Message = PropertyPlace.Publish | PropertyPlace.Will;
    private const PropertyPlace Anywhere = (PropertyPlace)0xFF;

    private List<KeyValuePair<string, string>>? _user;
    private ulong _seen;

    public bool IsUtf8 { get; private set; }

    public string? ContentType { get; private set; }

    public uint? SessionExpirySeconds { get; private set; }

    public uint WillDelaySeconds { get; private set; }

    public int? ReceiveMaximum { get; private set; }

    public uint? MaximumPacketSize { get; private set; }

    public int? TopicAlias { get; private set; }

    public string? AuthenticationMethod { get; private set; }

    /// <summary>Without it the server says why with CONNACK and DISCONNECT only.</summary>
    public bool WantsProblems { get; private set; } = true;

    public IReadOnlyList<KeyValuePair<string, string>> User => _user ?? [];

    internal static MqttProperties Read(ref MqttReader packet, PropertyPlace place)
    {
        var length = packet.VariableInteger();
        if (length == 0)
        {
            return None;
        }

        var reader = packet.Slice(length);
        var properties = new MqttProperties();
        while (!reader.IsAtEnd)
        {
            properties.ReadOne(ref reader, place);
        }

        return properties;
    }

    private void ReadOne(ref MqttReader reader, PropertyPlace place)
    {
        var id = reader.VariableInteger();
        if (id != 0x26)
        {
            Once(id);
        }

        switch (id)
        {
            case 0x01: Check(place, Message); IsUtf8 = Flag(ref reader); break;
            case 0x02: Check(place, Message); reader.UInt32(); break;
            case 0x03: Check(place, Message); ContentType = reader.Text(); break;
            case 0x08: Check(place, Message); reader.Text(); break;
            case 0x09: Check(place, Message); reader.Binary(); break;
            case 0x0B: Check(place, PropertyPlace.Subscribe); NotZero(reader.VariableInteger()); break;
            case 0x11: Check(place, PropertyPlace.Connect | PropertyPlace.Disconnect); SessionExpirySeconds = reader.UInt32(); break;
            case 0x15: Check(place, PropertyPlace.Connect | PropertyPlace.Auth); AuthenticationMethod = reader.Text(); break;
            case 0x16: Check(place, PropertyPlace.Connect | PropertyPlace.Auth); reader.Binary(); break;
            case 0x17: Check(place, PropertyPlace.Connect); WantsProblems = Flag(ref reader); break;
            case 0x18: Check(place, PropertyPlace.Will); WillDelaySeconds = reader.UInt32(); break;
            case 0x19: Check(place, PropertyPlace.Connect); Flag(ref reader); break;
            case 0x1F: Check(place, PropertyPlace.Acknowledge | PropertyPlace.Disconnect | PropertyPlace.Auth); reader.Text(); break;
            case 0x21: Check(place, PropertyPlace.Connect); ReceiveMaximum = (int)NotZero(reader.UInt16()); break;
            case 0x22: Check(place, PropertyPlace.Connect); reader.UInt16(); break;
            case 0x23: Check(place, PropertyPlace.Publish); TopicAlias = reader.UInt16(); break;
            case 0x26: Check(place, Anywhere); (_user ??= []).Add(new(reader.Text(), reader.Text())); break;
            case 0x27: Check(place, PropertyPlace.Connect); MaximumPacketSize = (uint)NotZero(reader.UInt32()); break;
            default: throw new MqttProtocolException(MqttReason.MalformedPacket, $"There is no property {id} that a client may send.");
        }
    }

    // Each but the user's may be there once (2.2.2.2).
    private void Once(int id)
    {
        var bit = 1UL << (id & 63);
        if ((_seen & bit) != 0)
        {
            throw new MqttProtocolException(MqttReason.ProtocolError, $"The property {id} is there twice.");
        }

        _seen |= bit;
    }

    private static void Check(PropertyPlace place, PropertyPlace allowed)
    {
        if ((place & allowed) == 0)
        {
            throw new MqttProtocolException(MqttReason.ProtocolError, "A property stands in a packet that it does not belong to.");
        }
    }

    private static bool Flag(ref MqttReader reader) => reader.Byte() switch
    {
        0 => false,
        1 => true,
        _ => throw new MqttProtocolException(MqttReason.ProtocolError, "A property that is 0 or 1 is neither."),
    };

    private static long NotZero(long value) => value != 0 ? value : throw new MqttProtocolException(MqttReason.ProtocolError, "A property that must not be 0 is 0.");
}
