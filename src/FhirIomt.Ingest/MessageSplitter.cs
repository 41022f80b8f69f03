using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>
/// Cuts a request body into device messages, each in the envelope that mappings run on. One broken message refuses itself only; a body that cannot be
/// cut at all is refused as a whole (codes IOMT-0500 to IOMT-0510).
/// </summary>
public sealed class MessageSplitter(SplitLimits limits)
{
    /// <summary>
    /// <c>application/json</c>: each element of a top-level array, or the one value. <c>application/x-ndjson</c> (also <c>ndjson</c>, <c>jsonl</c>): each line
    /// that is not blank. <c>application/hl7-v2</c> (also <c>…+er7</c>): each message that begins with MSH, in the charset of its own, as a text.
    /// <c>application/xml</c>: each record, correlation, workout and summary of an export of Apple Health. <c>text/csv</c>: each row after the header, as an object of texts. An element that is an object with a member <c>Body</c> is taken as an envelope
    /// already; anything else becomes <c>{"Body":…}</c>.
    /// </summary>
    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body, string contentType)
    {
        if (body.Length > limits.MaxBytes)
        {
            return SplitIssues.TooLong(body.Length, limits.MaxBytes);
        }

        if (contentType.Contains("application/hl7-v2", StringComparison.OrdinalIgnoreCase))
        {
            return new Hl7.Hl7Splitter(limits).Split(body);
        }

        if (!IsUtf8(contentType, out var mediaType))
        {
            return SplitIssues.ContentType(contentType);
        }

        if (mediaType is "application/xml" or "text/xml")
        {
            return new HealthExport.HealthExportSplitter(limits).Split(body);
        }

        var text = body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body;
        if (text.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return SplitIssues.Empty();
        }

        return mediaType switch
        {
            "application/json" => new JsonSplitter(limits).Split(text),
            "application/x-ndjson" or "application/ndjson" or "application/jsonl" => new LineSplitter(limits).Split(text),
            "text/csv" => new CsvSplitter(limits).Split(text),
            _ => SplitIssues.ContentType(contentType),
        };
    }

    private static bool IsUtf8(string contentType, out string mediaType)
    {
        var parts = contentType.Split(';', StringSplitOptions.TrimEntries);
        mediaType = parts[0].ToLowerInvariant();
        var charset = parts.Skip(1).FirstOrDefault(part => part.StartsWith("charset=", StringComparison.OrdinalIgnoreCase))?[8..].Trim('"');
        return charset is null || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase);
    }
}
