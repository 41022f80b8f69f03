using FhirIomt.Core;

namespace FhirIomt.Validation.Terminology;

/// <summary>
/// A finding of a terminology operation. Clients branch on <paramref name="TxCode"/> (system <c>http://hl7.org/fhir/tools/CodeSystem/tx-issue-type</c>)
/// and on <paramref name="MessageId"/>; both belong to the protocol between validators and terminology servers, as do the texts.
/// </summary>
/// <param name="Code">Our own stable code.</param>
/// <param name="TxCode">Empty when the protocol has none.</param>
/// <param name="MessageId">Empty when the protocol has none.</param>
/// <param name="Path">FHIRPath within the request: <c>Coding.code</c>; null when the finding is about the whole.</param>
internal sealed record TxIssue(IssueSeverity Severity, IssueKind Kind, string Code, string TxCode, string MessageId, string Text, string? Path = null)
{
    /// <summary>Whether the text goes into the <c>message</c> of $validate-code: all errors, and what a reader should act on.</summary>
    public bool InMessage { get; init; } = Severity >= IssueSeverity.Error;

    public Issue ToIssue() => new(Severity, Kind, Code, Text) { Expression = Path };
}
