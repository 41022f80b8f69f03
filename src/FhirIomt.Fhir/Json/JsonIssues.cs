using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>Every refusal of the JSON reader: IOMT-0100 to IOMT-0104.</summary>
internal static class JsonIssues
{
    public static Issue NotJson(ReadOnlySpan<byte> utf8, JsonException exception, JsonLimits limits)
    {
        var line = (int)(exception.LineNumber ?? 0) + 1;
        var column = (int)(exception.BytePositionInLine ?? 0) + 1;
        var tooDeep = exception.Message.Contains("maximum configured depth", StringComparison.Ordinal);
        return tooDeep
            ? new Issue(IssueSeverity.Fatal, IssueKind.TooCostly, "IOMT-0101", $"The JSON is nested deeper than {limits.MaxDepth} levels.")
            {
                Position = new TextPosition(line, column),
                Fix = "Flatten the document.",
            }
            : new Issue(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0100", WhatIsWrong(utf8))
            {
                Position = new TextPosition(line, column),
                Fix = "Send one complete JSON value in UTF-8, without comments, trailing commas and byte-order mark.",
            };
    }

    private static string WhatIsWrong(ReadOnlySpan<byte> utf8) =>
        utf8.IsEmpty ? "The body is empty." : utf8.StartsWith(Encoding.UTF8.Preamble) ? "The text begins with a byte-order mark, which JSON does not allow." : "The text is not valid JSON.";

    public static Issue DuplicateName(string name, TextPosition position) =>
        new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0102", $"The member '{Shorten(name)}' appears twice in one object.") { Position = position, Fix = "Keep one of the two." };

    public static Issue TooLong(int bytes, int maxBytes) =>
        new(IssueSeverity.Fatal, IssueKind.TooLong, "IOMT-0103", $"The text has {bytes} bytes; at most {maxBytes} are taken.") { Fix = "Send it in smaller parts." };

    public static Issue LineTooLong(int maxBytes, int line) =>
        new(IssueSeverity.Fatal, IssueKind.TooLong, "IOMT-0103", $"The line has more than {maxBytes} bytes.") { Position = new TextPosition(line, 1), Fix = "Send the resource in smaller parts." };

    /// <summary>The first place that is not UTF-8, or null.</summary>
    public static Issue? FindBadUtf8(ReadOnlySpan<byte> utf8)
    {
        if (Utf8.IsValid(utf8))
        {
            return null;
        }

        var offset = 0;
        while (Rune.DecodeFromUtf8(utf8[offset..], out _, out var length) == OperationStatus.Done)
        {
            offset += length;
        }

        return new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0104", "The text is not valid UTF-8.") { Position = TextPosition.At(utf8, offset), Fix = "Encode it as UTF-8." };
    }

    public static Issue LoneSurrogate(TextPosition position) =>
        new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0104", "A \\u escape is half of a surrogate pair.") { Position = position, Fix = "Escape both halves, or write the character itself in UTF-8." };

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
