using System.Buffers;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>Writes the parts that answers share: parameters, outcomes, extensions.</summary>
internal static class AnswerWriter
{
    private const string TxIssueType = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type";

    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            content(writer);
        }

        return buffer.WrittenMemory;
    }

    public static TerminologyAnswer Refusal(params IReadOnlyList<TxIssue> issues) =>
        new(Write(writer => WriteOutcome(writer, issues)), [.. issues.Select(issue => issue.ToIssue())]);

    public static TerminologyAnswer Parameters(Action<Utf8JsonWriter> content) => new(Write(writer => WriteParameters(writer, content)), []);

    public static void WriteParameters(Utf8JsonWriter writer, Action<Utf8JsonWriter> content)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        writer.WriteStartArray("parameter"u8);
        content(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteParameter(Utf8JsonWriter writer, string name, string type, string? value)
    {
        if (value is null)
        {
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString(type, value);
        writer.WriteEndObject();
    }

    public static void WriteParameter(Utf8JsonWriter writer, string name, bool value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteBoolean("valueBoolean"u8, value);
        writer.WriteEndObject();
    }

    public static void WriteParameter(Utf8JsonWriter writer, string name, int value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteNumber("valueInteger"u8, value);
        writer.WriteEndObject();
    }

    /// <summary>A parameter with a value copied from elsewhere.</summary>
    public static void WriteParameter(Utf8JsonWriter writer, string name, string type, ResourceNode value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WritePropertyName(type);
        value.WriteTo(writer);
        writer.WriteEndObject();
    }

    public static void WriteGroup(Utf8JsonWriter writer, string name, Action parts)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteStartArray("part"u8);
        parts();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteResource(Utf8JsonWriter writer, string name, Action resource)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WritePropertyName("resource"u8);
        resource();
        writer.WriteEndObject();
    }

    public static void WriteOutcome(Utf8JsonWriter writer, IReadOnlyList<TxIssue> issues)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "OperationOutcome"u8);
        writer.WriteStartArray("issue"u8);
        foreach (var issue in issues)
        {
            WriteIssue(writer, issue);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteExtension(Utf8JsonWriter writer, string url, string type, string value)
    {
        writer.WriteStartObject();
        writer.WriteString("url"u8, url);
        writer.WriteString(type, value);
        writer.WriteEndObject();
    }

    private static void WriteIssue(Utf8JsonWriter writer, TxIssue issue)
    {
        writer.WriteStartObject();
        if (issue.MessageId.Length > 0)
        {
            writer.WriteStartArray("extension"u8);
            WriteExtension(writer, Extensions.MessageId, "valueString", issue.MessageId);
            writer.WriteEndArray();
        }

        writer.WriteString("severity"u8, issue.Severity.ToString().ToLowerInvariant());
        writer.WriteString("code"u8, KindCode(issue.Kind));
        writer.WriteStartObject("details"u8);
        if (issue.TxCode.Length > 0)
        {
            writer.WriteStartArray("coding"u8);
            writer.WriteStartObject();
            writer.WriteString("system"u8, TxIssueType);
            writer.WriteString("code"u8, issue.TxCode);
            writer.WriteEndObject();
            writer.WriteEndArray();
        }

        writer.WriteString("text"u8, issue.Text);
        writer.WriteEndObject();
        if (issue.Path is { } path)
        {
            WriteOne(writer, "location", path);
            WriteOne(writer, "expression", path);
        }

        writer.WriteEndObject();
    }

    private static void WriteOne(Utf8JsonWriter writer, string name, string value)
    {
        writer.WriteStartArray(name);
        writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    // issue-type codes are the names of the members with dashes.
    private static string KindCode(IssueKind kind) =>
        string.Concat(kind.ToString().Select((letter, index) => char.IsAsciiLetterUpper(letter) ? (index > 0 ? "-" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
