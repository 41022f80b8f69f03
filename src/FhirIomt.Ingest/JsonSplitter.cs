using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>application/json: a top-level array holds one message per element, any other value is one message.</summary>
internal sealed class JsonSplitter(SplitLimits limits)
{
    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return SplitIssues.NotUtf8();
        }

        var messages = new List<MessageSpan>();
        try
        {
            if (!TryScan(body.Span, messages))
            {
                return SplitIssues.TooMany(limits.MaxMessages);
            }
        }
        catch (JsonException exception)
        {
            return SplitIssues.NotJson(SplitIssues.PositionOf(exception));
        }

        return EnvelopeBuilder.Build(body, messages);
    }

    private bool TryScan(ReadOnlySpan<byte> body, List<MessageSpan> messages)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MessageScanner.ReaderDepth });
        var scanner = new MessageScanner(limits.MaxDepth);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            messages.Add(scanner.Scan(ref reader, body));
        }
        else
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (messages.Count == limits.MaxMessages)
                {
                    return false;
                }

                messages.Add(scanner.Scan(ref reader, body));
            }
        }

        // Throws when anything but white space follows.
        reader.Read();
        return true;
    }
}
