using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Quarantine;

/// <summary>A message that waits: its payload, why it waits, which mapping met it, and who sent it.</summary>
/// <param name="Id">Of the message, as its receipt has it.</param>
/// <param name="MappingVersion">0 for a mapping that comes with the server.</param>
/// <param name="Envelope">What mappings run on; with the body that somebody mended, where somebody did.</param>
/// <param name="Original">The body as it came, where it was mended; otherwise empty.</param>
internal sealed record QuarantinedMessage(
    string Id, Sender Sender, DateTimeOffset Received, string Mapping, long MappingVersion, string MappingHash, string? Zone, ReadOnlyMemory<byte> Issues, ReadOnlyMemory<byte> Envelope,
    ReadOnlyMemory<byte> Original)
{
    public IEnumerable<string> Codes
    {
        get
        {
            var codes = new List<string>();
            foreach (var issue in JsonTree.Parse(Issues).Require().Root.Children)
            {
                if (issue["code"u8].AsString() is { } code && !issue["severity"u8].TextEquals("warning"u8))
                {
                    codes.Add(code);
                }
            }

            return codes.Distinct(StringComparer.Ordinal);
        }
    }

    public MessageEntry Entry => new MessageEntry.Taken(new DeviceReading(0, Envelope));

    public static QuarantinedMessage Of(MessageBatch batch, MessageWork message, string id) => new(
        id, batch.Sender, batch.Request.Enqueued ?? batch.ReceivedAt, batch.Mapping.Name, batch.Mapping.Version, batch.Mapping.Set.Version, batch.Zone?.Id,
        JsonBytes.Of(writer => MessageReceipt.WriteIssueArray(writer, message.Issues)), message.Envelope, default);

    public static QuarantinedMessage Read(StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        var sender = root["sender"u8].AsString()!;
        var name = sender[(sender.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return new QuarantinedMessage(
            record.Id,
            sender.StartsWith("device/", StringComparison.Ordinal) ? new Sender.Device(name, null) : new Sender.Vendor(name, null, root["patientSystem"u8].AsString()),
            DateTimeOffset.Parse(root["received"u8].AsString()!, System.Globalization.CultureInfo.InvariantCulture),
            root["mapping"u8].AsString()!,
            long.Parse(root["mappingVersion"u8].AsText()!, System.Globalization.CultureInfo.InvariantCulture),
            root["mappingHash"u8].AsString() ?? "",
            root["zone"u8].AsString(),
            root["issues"u8].Raw, root["envelope"u8].Raw, root["original"u8].Raw);
    }

    public byte[] Write() => JsonBytes.Of(WriteTo);

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, Id);
        writer.WriteString("sender"u8, Sender.Id);
        if (Sender is Sender.Vendor { PatientSystem: { } system })
        {
            writer.WriteString("patientSystem"u8, system);
        }

        writer.WriteString("received"u8, Received);
        writer.WriteString("mapping"u8, Mapping);
        writer.WriteNumber("mappingVersion"u8, MappingVersion);
        writer.WriteString("mappingHash"u8, MappingHash);
        if (Zone is not null)
        {
            writer.WriteString("zone"u8, Zone);
        }

        writer.WritePropertyName("issues"u8);
        writer.WriteRawValue(Issues.Span, skipInputValidation: true);
        writer.WritePropertyName("envelope"u8);
        writer.WriteRawValue(Envelope.Span, skipInputValidation: true);
        if (!Original.IsEmpty)
        {
            writer.WritePropertyName("original"u8);
            writer.WriteRawValue(Original.Span, skipInputValidation: true);
        }

        writer.WriteEndObject();
    }

    /// <summary>What a list shows: everything but the payload, which is a patient's data.</summary>
    public void WriteSummary(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, Id);
        writer.WriteString("sender"u8, Sender.Id);
        writer.WriteString("received"u8, Received);
        writer.WriteString("mapping"u8, Mapping);
        writer.WriteNumber("mappingVersion"u8, MappingVersion);
        writer.WriteStartArray("codes"u8);
        foreach (var code in Codes)
        {
            writer.WriteStringValue(code);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
