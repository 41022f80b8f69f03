using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>application/x-ndjson: one message per line. A broken line is refused alone.</summary>
internal sealed class LineSplitter(SplitLimits limits)
{
    private readonly MessageScanner _scanner = new(limits.MaxDepth);

    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body)
    {
        var messages = new List<MessageSpan>();
        var span = body.Span;
        var lineNumber = 0;
        for (var start = 0; start < span.Length;)
        {
            lineNumber++;
            var end = span[start..].IndexOf((byte)'\n');
            var line = end < 0 ? span[start..] : span.Slice(start, end);
            if (!line.Trim(" \t\r"u8).IsEmpty)
            {
                if (messages.Count == limits.MaxMessages)
                {
                    return SplitIssues.TooMany(limits.MaxMessages);
                }

                messages.Add(Scan(line, start, lineNumber));
            }

            start += line.Length + 1;
        }

        return EnvelopeBuilder.Build(body, messages);
    }

    private MessageSpan Scan(ReadOnlySpan<byte> line, int start, int lineNumber)
    {
        Issue issue;
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = MessageScanner.ReaderDepth });
            reader.Read();
            var message = _scanner.Scan(ref reader, line);
            reader.Read();
            if (Utf8.IsValid(line))
            {
                return message with { Start = start + message.Start, Issue = message.Issue is null ? null : message.Issue with { Position = Move(message.Issue.Position, lineNumber) } };
            }

            issue = SplitIssues.NotUtf8(new TextPosition(lineNumber, 1));
        }
        catch (JsonException exception)
        {
            issue = SplitIssues.NotJson(SplitIssues.PositionOf(exception, lineNumber));
        }

        return new MessageSpan(start, line.TrimEnd((byte)'\r').Length, IsEnvelope: false, issue);
    }

    private static TextPosition? Move(TextPosition? inLine, int lineNumber) => inLine is { } position ? position with { Line = lineNumber } : null;
}
