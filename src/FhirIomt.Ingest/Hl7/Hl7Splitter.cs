using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Hl7;

/// <summary>Messages of HL7 v2 one after the other; each becomes a text in its envelope.</summary>
internal sealed class Hl7Splitter(SplitLimits limits)
{
    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body)
    {
        var parts = Hl7Message.Split(body.Span);
        if (parts.Count == 0)
        {
            return Hl7Issues.NoHeader();
        }

        if (parts.Count > limits.MaxMessages)
        {
            return SplitIssues.TooMany(limits.MaxMessages);
        }

        var entries = new List<MessageEntry>(parts.Count);
        foreach (var (start, length) in parts)
        {
            entries.Add(Hl7Envelope.Of(entries.Count, body.Slice(start, length)));
        }

        return entries;
    }
}

/// <summary>Puts the text of one message into the envelope that mappings run on.</summary>
public static class Hl7Envelope
{
    public static MessageEntry Of(int index, ReadOnlyMemory<byte> message) => Hl7Message.Decode(message.Span).TryGetValue(out var text, out var issues)
        ? new MessageEntry.Taken(new DeviceReading(index, Wrap(text)))
        : new MessageEntry.Refused(index, message, issues[0]);

    private static byte[] Wrap(string text) => [.. "{\"Body\":"u8, .. JsonSerializer.SerializeToUtf8Bytes(text), (byte)'}'];
}
