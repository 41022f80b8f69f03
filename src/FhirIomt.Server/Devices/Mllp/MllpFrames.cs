using System.Buffers;
using System.IO.Pipelines;

namespace FhirIomt.Server.Devices.Mllp;

/// <summary>What stands between two frames, or where one was cut.</summary>
internal sealed class MllpFrameException(string message) : IOException(message);

/// <summary>Cuts a stream into messages: VT, the message, FS and CR (HL7 Minimal Lower Layer Protocol).</summary>
internal sealed class MllpFrames(PipeReader reader, int maxBytes, TimeSpan idle)
{
    private const byte Start = 0x0B;
    private const byte End = 0x1C;
    private const byte Carriage = 0x0D;

    public static byte[] Frame(ReadOnlySpan<byte> message) => [Start, .. message, End, Carriage];

    /// <summary>The next message; null when the other side has ended.</summary>
    /// <exception cref="MllpFrameException">Too long, or cut off in the middle.</exception>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(idle);
        while (true)
        {
            var read = await reader.ReadAsync(limit.Token).ConfigureAwait(false);
            var buffer = read.Buffer;
            if (TryTake(ref buffer, out var message))
            {
                reader.AdvanceTo(buffer.Start);
                return message;
            }

            if (buffer.Length > maxBytes)
            {
                throw new MllpFrameException("A message is longer than Mllp:MaxMessageBytes.");
            }

            if (read.IsCompleted)
            {
                return buffer.PositionOf(Start) is null ? null : throw new MllpFrameException("A message was cut off.");
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    // What stands before a start is a CR that belongs to the frame before, or noise of a line: neither is a message.
    private static bool TryTake(ref ReadOnlySequence<byte> buffer, out byte[] message)
    {
        message = [];
        if (buffer.PositionOf(Start) is not { } start)
        {
            buffer = buffer.Slice(buffer.End);
            return false;
        }

        buffer = buffer.Slice(start);
        if (buffer.PositionOf(End) is not { } end)
        {
            return false;
        }

        message = buffer.Slice(buffer.GetPosition(1), end).ToArray();
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        if (!buffer.IsEmpty && buffer.FirstSpan[0] == Carriage)
        {
            buffer = buffer.Slice(1);
        }

        return true;
    }
}
