using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Gatt;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Measurements;

/// <summary>
/// What a gateway sends of one notification: <c>{"deviceId","characteristic","valueHex"|"valueBase64","receivedAt","gatewayId"?,"utcOffset"?,"deviceClock"?,"deviceClockAt"?,
/// "sessionStart"?,"contextHex"?,"userSlot"?}</c>.
/// </summary>
internal sealed record GattMessage(string DeviceId, ushort Characteristic, byte[] Value, byte[] Context, DateTimeOffset ReceivedAt)
{
    // A notification has at most 512 bytes; some gateways join several.
    private const int MaxBytes = 4096;

    public string? GatewayId { get; private init; }

    public string? PatientHint { get; private init; }

    public DateTimeOffset? SessionStart { get; private init; }

    /// <summary>What has to be added to the device's clock to have UTC; null when nobody said.</summary>
    public TimeSpan? ToUtc { get; private init; }

    /// <summary>By how much the device's clock was wrong, measured; null when it was not.</summary>
    public TimeSpan? ClockOffset { get; private init; }

    /// <summary>The time of day that the receiver's own zone adds, for telling how wrong a clock is.</summary>
    public byte? UserSlot { get; private init; }

    public static Outcome<GattMessage> Read(ResourceNode body, DateTimeOffset enqueued)
    {
        if (body["deviceId"u8].AsString() is not { Length: > 0 } device)
        {
            return MeasurementIssues.Missing("deviceId", "Send the address or EUI-64 of the sensor.");
        }

        if (CharacteristicOf(body["characteristic"u8].AsText()) is not { } characteristic)
        {
            return MeasurementIssues.Missing("characteristic", "Send the 16-bit UUID, for example \"2A37\".");
        }

        if (BytesOf(body["valueHex"u8].AsString(), body["valueBase64"u8].AsString() ?? body["base64"u8].AsString()) is not { Length: > 0 } value)
        {
            return MeasurementIssues.Missing("valueHex", "Send the bytes of the characteristic in hexadecimal as valueHex, or in Base64 as valueBase64.");
        }

        var (received, receivedText) = (TimeOf(body["receivedAt"u8]), body["receivedAt"u8].AsString());
        if (receivedText is not null && received is null)
        {
            return MeasurementIssues.BadTime("receivedAt");
        }

        var message = new GattMessage(device, characteristic, value, BytesOf(body["contextHex"u8].AsString(), body["contextBase64"u8].AsString()) ?? [], received ?? enqueued)
        {
            GatewayId = body["gatewayId"u8].AsString(),
            PatientHint = body["patientHint"u8].AsString(),
            SessionStart = TimeOf(body["sessionStart"u8]),
            UserSlot = byte.TryParse(body["userSlot"u8].AsText(), NumberStyles.None, CultureInfo.InvariantCulture, out var slot) ? slot : null,
        };
        return message.WithClock(body, receivedText);
    }

    // Two clocks read at one moment say most; then a declared offset; then the zone in which the gateway, which is where the device is, writes its own time.
    private Outcome<GattMessage> WithClock(ResourceNode body, string? receivedText)
    {
        var zone = OffsetOf(body["utcOffset"u8].AsString()) ?? OffsetIn(receivedText);
        if (body["deviceClock"u8].AsString() is { } clockText)
        {
            if (!DateTime.TryParseExact(clockText, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var clock) || clock.Year is < 1000 or > 8999 || TimeOf(body["deviceClockAt"u8]) is not { } at)
            {
                return MeasurementIssues.BadTime("deviceClock");
            }

            var toUtc = at.UtcDateTime - clock;
            return this with { ToUtc = toUtc, ClockOffset = zone is { } local ? toUtc + local : null };
        }

        return this with { ToUtc = -zone };
    }

    /// <summary>The moment that a time of the device's clock is; null when nobody knows in which zone it runs.</summary>
    public DateTimeOffset? Instant(DateTime deviceTime) => ToUtc is { } toUtc ? new DateTimeOffset(deviceTime + toUtc, TimeSpan.Zero) : null;

    private static DateTimeOffset? TimeOf(ResourceNode node) =>
        node.IsString && DeviceTime.Read(node.ContentSpan, out var instant, out _) == TimeReading.Read && instant.Year is > 1000 and < 9000 ? instant : null;

    // "Z" says what time it is, but not what a clock on the wall beside the device shows.
    private static TimeSpan? OffsetIn(string? time) => time is { Length: > 6 } && time[^6] is '+' or '-' && time[^3] == ':' ? OffsetOf(time[^6..]) : null;

    private static TimeSpan? OffsetOf(string? text) =>
        text is ['+' or '-', .. { Length: 5 } clock] && TimeSpan.TryParseExact(clock, "hh':'mm", CultureInfo.InvariantCulture, out var offset) ? (text[0] == '-' ? -offset : offset) : null;

    private static ushort? CharacteristicOf(string? text)
    {
        // A full UUID of Bluetooth's base, 0000xxxx-0000-1000-8000-00805f9b34fb, or its 16 bits, with or without 0x.
        var digits = text is { Length: 36 } && text.EndsWith("-0000-1000-8000-00805f9b34fb", StringComparison.OrdinalIgnoreCase) && text.StartsWith("0000", StringComparison.Ordinal) ? text[4..8]
            : text is not null && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return digits is { Length: 4 } && ushort.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static byte[]? BytesOf(string? hex, string? base64)
    {
        if (hex is not null)
        {
            var digits = hex.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace(":", "", StringComparison.Ordinal);
            return digits.Length % 2 == 0 && digits.Length <= 2 * MaxBytes && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
        }

        var buffer = new byte[MaxBytes];
        return base64 is not null && Convert.TryFromBase64String(base64, buffer, out var written) ? buffer[..written] : null;
    }
}
