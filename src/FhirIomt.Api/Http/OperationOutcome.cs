using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Api.Http;

/// <summary>Issues as a FHIR OperationOutcome.</summary>
public static class OperationOutcome
{
    /// <summary>The code system of the <c>IOMT-dddd</c> codes in <c>issue.details</c>.</summary>
    public const string CodeSystem = "https://fhiriomt.org/CodeSystem/issue";

    // A client that sends a thousand mistakes learns from the first hundred.
    private const int MaxIssues = 100;

    public static void Write(Utf8JsonWriter writer, IReadOnlyList<Issue> issues)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "OperationOutcome"u8);
        writer.WriteStartArray("issue"u8);
        foreach (var issue in issues.Take(MaxIssues))
        {
            WriteIssue(writer, issue);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>The FHIR <c>issue-type</c> code.</summary>
    public static string CodeOf(IssueKind kind) => kind switch
    {
        IssueKind.NotSupported => "not-supported",
        IssueKind.MultipleMatches => "multiple-matches",
        IssueKind.NotFound => "not-found",
        IssueKind.TooLong => "too-long",
        IssueKind.CodeInvalid => "code-invalid",
        IssueKind.TooCostly => "too-costly",
        IssueKind.BusinessRule => "business-rule",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static void WriteIssue(Utf8JsonWriter writer, Issue issue)
    {
        writer.WriteStartObject();
        writer.WriteString("severity"u8, issue.Severity.ToString().ToLowerInvariant());
        writer.WriteString("code"u8, CodeOf(issue.Kind));
        writer.WriteStartObject("details"u8);
        writer.WriteStartArray("coding"u8);
        writer.WriteStartObject();
        writer.WriteString("system"u8, CodeSystem);
        writer.WriteString("code"u8, issue.Code);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteString("text"u8, issue.Message);
        writer.WriteEndObject();
        var diagnostics = string.Join(" ", new[] { issue.Fix, issue.Position is { } position ? $"At {position}." : null }.OfType<string>());
        if (diagnostics.Length > 0)
        {
            writer.WriteString("diagnostics"u8, diagnostics);
        }

        if (issue.Expression is { Length: > 0 } expression)
        {
            writer.WriteStartArray("expression"u8);
            writer.WriteStringValue(expression);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
