using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>Every refusal of the JSON reader: IOMT-0100 to IOMT-0104.</summary>
internal static class JsonIssues
{
    public static Issue NotJson(ReadOnlySpan<byte> utf8, JsonException exception, JsonLimits limits)
    {
        var line = (int)(exception.LineNumber ?? 0) + 1;
        var column = (int)(exception.BytePositionInLine ?? 0) + 1;
        var tooDeep = exception.Message.Contains("depth", StringComparison.Ordinal);
        return tooDeep
            ? new Issue(IssueSeverity.Fatal, IssueKind.TooCostly, "IOMT-0101", $"The JSON is nested deeper than {limits.MaxDepth} levels.")
            {
                Position = new TextPosition(line, column),
                Fix = "Flatten the document.",
            }
            : new Issue(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0100", utf8.IsEmpty ? "The body is empty." : "The text is not valid JSON.")
            {
                Position = new TextPosition(line, column),
                Fix = "Send one complete JSON value in UTF-8, without comments and trailing commas.",
            };
    }

    public static Issue DuplicateName(string name, TextPosition position) =>
        new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0102", $"The member '{Shorten(name)}' appears twice in one object.") { Position = position, Fix = "Keep one of the two." };

    public static Issue TooLong(int bytes, int maxBytes) =>
        new(IssueSeverity.Fatal, IssueKind.TooLong, "IOMT-0103", $"The text has {bytes} bytes; at most {maxBytes} are taken.") { Fix = "Send it in smaller parts." };

    public static Issue BadUtf8() =>
        new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0104", "The text is not valid UTF-8.") { Fix = "Encode it as UTF-8." };

    public static Issue LoneSurrogate(TextPosition position) =>
        new(IssueSeverity.Fatal, IssueKind.Structure, "IOMT-0104", "A \\u escape is half of a surrogate pair.") { Position = position, Fix = "Escape both halves, or write the character itself in UTF-8." };

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
