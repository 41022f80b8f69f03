using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>
/// What a transport knows about a message beside its payload, put into its envelope: <c>Properties</c> and <c>SystemProperties</c>, as IoT Hub calls them. What an
/// envelope that came says of the same name does not count: the transport knows better than the payload.
/// </summary>
public sealed class EnvelopeProperties
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly IReadOnlyDictionary<string, string> _properties;
    private readonly IReadOnlyDictionary<string, string> _system;
    private readonly byte[] _tail;

    public EnvelopeProperties(IReadOnlyDictionary<string, string> properties, IReadOnlyDictionary<string, string> system)
    {
        (_properties, _system) = (properties, system);
        _tail = [(byte)',', .. Json(Write).AsSpan(1)];
    }

    public IReadOnlyList<MessageEntry> AddTo(IReadOnlyList<MessageEntry> entries) =>
        [.. entries.Select(entry => entry is MessageEntry.Taken taken ? new MessageEntry.Taken(taken.Reading with { Envelope = AddTo(taken.Reading.Envelope) }) : entry)];

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

    private ReadOnlyMemory<byte> AddTo(ReadOnlyMemory<byte> envelope)
    {
        var text = envelope.Span.TrimEnd(" \t\r\n"u8);

        // Also where only some value reads so; then the long way comes to the same.
        return text.IndexOf("Properties"u8) < 0 && text.IndexOf((byte)'\\') < 0 && text.StartsWith(EnvelopeBuilder.Before) ? (byte[])[.. text[..^1], .. _tail] : Merge(envelope);
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

            WriteMerged(writer, "Properties", document.RootElement, _properties);
            WriteMerged(writer, "SystemProperties", document.RootElement, _system);
        });
    }

    private void Write(Utf8JsonWriter writer)
    {
        WriteMerged(writer, "Properties", default, _properties);
        WriteMerged(writer, "SystemProperties", default, _system);
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

    private static byte[] Json(Action<Utf8JsonWriter> members)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Options))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
