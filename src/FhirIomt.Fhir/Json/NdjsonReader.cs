using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>One line of NDJSON.</summary>
/// <param name="Number">Counts from 1, blank lines too.</param>
/// <param name="Value">What the line holds; refusals name the line and the column in it.</param>
public readonly record struct NdjsonLine(int Number, Outcome<JsonTree> Value);

/// <summary>Reads newline-delimited JSON as it arrives: one bad line never hides its neighbours, and no more than one line is held in memory.</summary>
public static class NdjsonReader
{
    /// <summary>The lines that are not blank. A line longer than the limit is refused and skipped to its end.</summary>
    public static async IAsyncEnumerable<NdjsonLine> ReadAsync(Stream stream, JsonLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        var number = 0;
        var isSkipping = false;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = read.Buffer;
            while (TryTakeLine(ref buffer, read.IsCompleted, limits.MaxBytes, out var line, out var isWhole))
            {
                number += isSkipping ? 0 : 1;
                if (!isSkipping && Parse(line, isWhole, number, limits) is { } value)
                {
                    yield return new NdjsonLine(number, value);
                }

                isSkipping = !isWhole;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await pipe.CompleteAsync().ConfigureAwait(false);
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> buffer, bool isLast, int maxBytes, out ReadOnlySequence<byte> line, out bool isWhole)
    {
        isWhole = true;
        if (buffer.PositionOf((byte)'\n') is { } end)
        {
            line = buffer.Slice(0, end);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
            return true;
        }

        line = buffer;
        isWhole = isLast;
        if (buffer.IsEmpty || (!isLast && buffer.Length <= maxBytes))
        {
            return false;
        }

        buffer = buffer.Slice(buffer.End);
        return true;
    }

    private static Outcome<JsonTree>? Parse(in ReadOnlySequence<byte> line, bool isWhole, int number, JsonLimits limits)
    {
        if (!isWhole || line.Length > limits.MaxBytes + 1)
        {
            return JsonIssues.LineTooLong(limits.MaxBytes, number);
        }

        var bytes = line.ToArray().AsMemory();
        bytes = bytes.Span.EndsWith("\r"u8) ? bytes[..^1] : bytes;
        if (bytes.Span.Trim(" \t"u8).IsEmpty)
        {
            return null;
        }

        var outcome = JsonTree.Parse(bytes, limits);
        return outcome.Succeeded ? outcome : Outcome<JsonTree>.Refused([.. outcome.Issues.Select(issue => issue with { Position = new TextPosition(number, issue.Position?.Column ?? 1) })]);
    }
}
