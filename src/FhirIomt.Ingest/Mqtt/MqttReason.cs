namespace FhirIomt.Ingest.Mqtt;

/// <summary>The protocol's versions that are spoken, by the number that CONNECT has for them.</summary>
public enum MqttVersion
{
    V311 = 4,
    V5 = 5,
}

/// <summary>Control packets (MQTT 5.0, 2.1.2).</summary>
public enum MqttPacketType
{
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

/// <summary>Reason codes (MQTT 5.0, 2.4).</summary>
public enum MqttReason
{
    Success = 0x00,
    DisconnectWithWill = 0x04,
    NoSubscriptionExisted = 0x11,
    UnspecifiedError = 0x80,
    MalformedPacket = 0x81,
    ProtocolError = 0x82,
    ImplementationSpecificError = 0x83,
    UnsupportedProtocolVersion = 0x84,
    ClientIdentifierNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerBusy = 0x89,
    ServerShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    TopicNameInvalid = 0x90,
    PacketIdentifierInUse = 0x91,
    PacketIdentifierNotFound = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    QuotaExceeded = 0x97,
    PayloadFormatInvalid = 0x99,
}

/// <summary>The other side broke the protocol: its connection ends, with the reason where the version has a packet for it.</summary>
public sealed class MqttProtocolException(MqttReason reason, string message) : IOException(message)
{
    public MqttReason Reason { get; } = reason;

    /// <summary>The answer that a CONNECT of another version understands; the version that the connection would have.</summary>
    public MqttVersion? AnswerIn { get; init; }
}
