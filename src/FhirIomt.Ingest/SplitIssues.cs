using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>Every refusal of a request body or one of its messages: IOMT-0500 to IOMT-0510.</summary>
internal static class SplitIssues
{
    public static Issue NotJson(TextPosition position) =>
        Error(IssueKind.Structure, "IOMT-0500", "The text is not valid JSON.", "Send JSON in UTF-8, without comments and trailing commas.", position);

    public static Issue ContentType(string contentType) =>
        Error(IssueKind.NotSupported, "IOMT-0501", $"Messages of type '{contentType}' are not taken.", "Send application/json, application/x-ndjson or text/csv, in UTF-8.");

    public static Issue TooLong(int bytes, int maxBytes) =>
        Error(IssueKind.TooLong, "IOMT-0502", $"The body has {bytes} bytes; at most {maxBytes} are taken.", "Send it in smaller parts.");

    public static Issue TooDeep(int maxDepth, TextPosition position) =>
        Error(IssueKind.TooCostly, "IOMT-0503", $"The message is nested deeper than {maxDepth} levels.", "Flatten the message.", position);

    public static Issue DuplicateName(string name, TextPosition position) =>
        Error(IssueKind.Structure, "IOMT-0504", $"The member '{(name.Length <= 64 ? name : name[..64] + "…")}' appears twice in one object.", "Keep one of the two.", position);

    public static Issue TooMany(int maxMessages) =>
        Error(IssueKind.TooCostly, "IOMT-0505", $"The body holds more than {maxMessages} messages.", "Send it in smaller parts.");

    public static Issue NotUtf8(TextPosition? position = null) =>
        Error(IssueKind.Structure, "IOMT-0506", "The text is not valid UTF-8.", "Encode it as UTF-8.", position);

    public static Issue BadHeader(string why) =>
        Error(IssueKind.Structure, "IOMT-0507", $"The header row cannot be used: {why}.", "Give each column its own name in the first row.", new TextPosition(1, 1));

    public static Issue FieldCount(int fields, int columns, TextPosition position) =>
        Error(IssueKind.Structure, "IOMT-0508", $"The row has {fields} fields, the header {columns}.", "Write one field per column; quote fields that hold commas.", position);

    public static Issue BadQuote(TextPosition position) =>
        Error(IssueKind.Structure, "IOMT-0509", "A quoted field is not closed, or goes on after its closing quote.", "Double the quotes inside a quoted field, and close it.", position);

    public static Issue Empty() => Error(IssueKind.Required, "IOMT-0510", "The body is empty.", "Send at least one message.");

    public static Issue NotHealthExport(string why, TextPosition? position = null) =>
        Error(IssueKind.Structure, "IOMT-0973", $"The text is no export of Apple Health: {why}", "Send the export.xml of Apple Health, in UTF-8.", position);

    /// <summary>Line and column of a reader's complaint, counted from where its text begins.</summary>
    public static TextPosition PositionOf(JsonException exception, int firstLine = 1) =>
        new((int)(exception.LineNumber ?? 0) + firstLine, (int)(exception.BytePositionInLine ?? 0) + 1);

    private static Issue Error(IssueKind kind, string code, string message, string fix, TextPosition? position = null) =>
        new(IssueSeverity.Error, kind, code, message) { Fix = fix, Position = position };
}
