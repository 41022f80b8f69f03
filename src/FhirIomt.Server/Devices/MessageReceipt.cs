using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Server.Devices;

/// <summary>What became of a message.</summary>
internal enum MessageStatus
{
    Stored,
    Updated,
    Duplicate,

    /// <summary>Some of its readings were stored; the message is kept for replay.</summary>
    Partial,

    /// <summary>Not kept: the sender must mend it.</summary>
    Refused,

    /// <summary>The mapping knows it and wants nothing of it: a goal, an empty page.</summary>
    Ignored,

    /// <summary>Kept for replay.</summary>
    Quarantined,

    /// <summary>Was kept, and thrown away with a reason.</summary>
    Discarded,
}

/// <summary>The receipt of one message.</summary>
internal sealed record MessageReceipt(int Index, string Id, MessageStatus Status, IReadOnlyList<string> Observations, IReadOnlyList<Issue> Issues)
{
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, Index);
        writer.WriteString("id"u8, Id);
        writer.WriteString("status"u8, NameOf(Status));
        writer.WriteStartArray("observations"u8);
        foreach (var observation in Observations)
        {
            writer.WriteStringValue(observation);
        }

        writer.WriteEndArray();
        WriteIssues(writer, Issues);
        writer.WriteEndObject();
    }

    public static void WriteIssues(Utf8JsonWriter writer, IReadOnlyList<Issue> issues)
    {
        writer.WritePropertyName("issues"u8);
        WriteIssueArray(writer, issues);
    }

    public static void WriteIssueArray(Utf8JsonWriter writer, IReadOnlyList<Issue> issues)
    {
        writer.WriteStartArray();
        foreach (var issue in issues)
        {
            writer.WriteStartObject();
            writer.WriteString("severity"u8, issue.Severity.ToString().ToLowerInvariant());
            writer.WriteString("code"u8, issue.Code);
            writer.WriteString("path"u8, issue.Expression ?? (issue.Position is { } position ? position.ToString() : null));
            writer.WriteString("message"u8, issue.Message);
            writer.WriteString("fix"u8, issue.Fix);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string NameOf(MessageStatus status) => status switch
    {
        MessageStatus.Stored => "stored",
        MessageStatus.Updated => "updated",
        MessageStatus.Duplicate => "duplicate",
        MessageStatus.Partial => "partial",
        MessageStatus.Refused => "refused",
        MessageStatus.Ignored => "ignored",
        MessageStatus.Discarded => "discarded",
        _ => "quarantined",
    };
}
