using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>Where one message stands in the body, and what was found about it.</summary>
internal readonly record struct MessageSpan(int Start, int Length, bool IsEnvelope, Issue? Issue);

/// <summary>Wraps messages: one buffer holds the envelopes of a whole request, and what is an envelope already stays a slice of the body.</summary>
internal static class EnvelopeBuilder
{
    public static ReadOnlySpan<byte> Before => "{\"Body\":"u8;

    public static List<MessageEntry> Build(ReadOnlyMemory<byte> body, List<MessageSpan> messages)
    {
        var size = 0L;
        foreach (var message in messages)
        {
            size += NeedsWrapping(message) ? Before.Length + message.Length + 1 : 0;
        }

        var buffer = new byte[size];
        var used = 0;
        var entries = new List<MessageEntry>(messages.Count);
        for (var index = 0; index < messages.Count; index++)
        {
            var message = messages[index];
            var text = body.Slice(message.Start, message.Length);
            entries.Add(message.Issue is { } issue
                ? new MessageEntry.Refused(index, text, issue)
                : new MessageEntry.Taken(new DeviceReading(index, message.IsEnvelope ? text : Wrap(text.Span, buffer, ref used))));
        }

        return entries;
    }

    private static bool NeedsWrapping(MessageSpan message) => message.Issue is null && !message.IsEnvelope;

    private static ReadOnlyMemory<byte> Wrap(ReadOnlySpan<byte> text, byte[] buffer, ref int used)
    {
        var start = used;
        Before.CopyTo(buffer.AsSpan(used));
        text.CopyTo(buffer.AsSpan(used + Before.Length));
        used += Before.Length + text.Length;
        buffer[used++] = (byte)'}';
        return buffer.AsMemory(start, used - start);
    }
}
