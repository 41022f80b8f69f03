using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>
/// What a transport knows about a message beside its payload, put into its envelope: <c>Properties</c> and <c>SystemProperties</c>, as IoT Hub calls them. What an
/// envelope that came says of the same name does not count: the transport knows better than the payload.
/// </summary>
public sealed class EnvelopeProperties(IReadOnlyDictionary<string, string> properties, IReadOnlyDictionary<string, string> system)
{
    public IReadOnlyList<MessageEntry> AddTo(IReadOnlyList<MessageEntry> entries)
    {
        var added = new MessageEntry[entries.Count];
        byte[]? tail = null;
        for (var index = 0; index < added.Length; index++)
        {
            added[index] = entries[index] is MessageEntry.Taken taken ? new MessageEntry.Taken(taken.Reading with { Envelope = AddTo(taken.Reading.Envelope, ref tail) }) : entries[index];
        }

        return added;
    }

    /// <summary>A payload that cannot be read, as a text or in base64, with the reason: for transports that have no way of sending it back.</summary>
    public MessageEntry Keep(int index, ReadOnlyMemory<byte> payload, Issue issue) => new MessageEntry.Unreadable(
        new DeviceReading(index, Json(writer =>
        {
            if (Utf8.IsValid(payload.Span))
            {
                writer.WriteString("Body"u8, Encoding.UTF8.GetString(payload.Span));
            }
            else
            {
                writer.WriteStartObject("Body"u8);
                writer.WriteBase64String("base64"u8, payload.Span);
                writer.WriteEndObject();
            }

            Write(writer);
        })),
        issue);

    // The same behind every message of a payload, and written once: most payloads are one message.
    private ReadOnlyMemory<byte> AddTo(ReadOnlyMemory<byte> envelope, ref byte[]? tail)
    {
        var text = envelope.Span.TrimEnd(" \t\r\n"u8);

        // Also where only some value reads so; then the long way comes to the same.
        if (text.IndexOf("Properties"u8) >= 0 || text.Contains((byte)'\\') || !text.StartsWith(EnvelopeBuilder.Before))
        {
            return Merge(envelope);
        }

        tail ??= [(byte)',', .. Json(Write).AsSpan(1)];
        return (byte[])[.. text[..^1], .. tail];
    }

    private byte[] Merge(ReadOnlyMemory<byte> envelope)
    {
        using var document = JsonDocument.Parse(envelope, new JsonDocumentOptions { MaxDepth = MessageScanner.ReaderDepth });
        return Json(writer =>
        {
            foreach (var member in document.RootElement.EnumerateObject().Where(member => member.Name is not ("Properties" or "SystemProperties")))
            {
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
            }

            WriteMerged(writer, "Properties", document.RootElement, properties);
            WriteMerged(writer, "SystemProperties", document.RootElement, system);
        });
    }

    private void Write(Utf8JsonWriter writer)
    {
        WriteMerged(writer, "Properties", default, properties);
        WriteMerged(writer, "SystemProperties", default, system);
    }

    private static void WriteMerged(Utf8JsonWriter writer, string name, JsonElement envelope, IReadOnlyDictionary<string, string> known)
    {
        writer.WriteStartObject(name);
        if (envelope.ValueKind == JsonValueKind.Object && envelope.TryGetProperty(name, out var came) && came.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in came.EnumerateObject().Where(member => !known.ContainsKey(member.Name)))
            {
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
            }
        }

        foreach (var (key, value) in known)
        {
            writer.WriteString(key, value);
        }

        writer.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> members) => JsonBytes.Of(members, static (writer, members) =>
    {
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
    });
}
