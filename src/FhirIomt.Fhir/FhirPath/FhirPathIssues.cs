using FhirIomt.Core;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>An evaluation that cannot go on; carries the refusal. Thrown by Evaluate and IsTrue, a value in TryEvaluate.</summary>
public sealed class FhirPathException(Issue issue) : Exception(issue.Message)
{
    public Issue Issue { get; } = issue;
}

/// <summary>Every refusal of FHIRPath: IOMT-0300 to IOMT-0309.</summary>
internal static class FhirPathIssues
{
    public static Issue Syntax(string text, int at, string what) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0300", $"FHIRPath, character {at + 1}: {what}", Shorten(text), "Correct the expression.");

    public static Issue UnknownFunction(string text, int at, string name) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0301", $"FHIRPath, character {at + 1}: there is no function '{name}'.", Shorten(text));

    public static Issue Arguments(string text, int at, string name) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0302", $"FHIRPath, character {at + 1}: '{name}' is called with a wrong number of arguments.", Shorten(text));

    public static Issue UnknownType(string text, int at, string name) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0303", $"FHIRPath, character {at + 1}: there is no type '{name}'.", Shorten(text));

    public static Issue NoElement(string text, string type, string name) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0309", $"FHIRPath: {type} has no element '{name}'.", Shorten(text), "Correct the name; a choice such as value[x] is named without its type.");

    public static Issue NoOrder(string text, string what) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0309", $"FHIRPath: {what} depends on an order that children() and descendants() do not have.", Shorten(text));

    public static FhirPathException NotSingle(string what) => new(Issue.Error(IssueKind.Value, "IOMT-0304", $"FHIRPath: {what} takes one item, and there are several.", fix: "Narrow it with first() or where()."));

    public static FhirPathException WrongType(string what) => new(Issue.Error(IssueKind.Value, "IOMT-0305", $"FHIRPath: {what}"));

    public static FhirPathException OutOfRange() => WrongType("a number or a time is outside the range that can be computed.");

    public static FhirPathException UnknownVariable(string name) => new(Issue.Error(IssueKind.Value, "IOMT-0306", $"FHIRPath: there is no variable '%{name}'."));

    public static FhirPathException TooCostly(string what) => new(Issue.Error(IssueKind.TooCostly, "IOMT-0307", $"FHIRPath: {what}", fix: "Simplify the expression."));

    public static FhirPathException NotAvailable(string what) => new(Issue.Error(IssueKind.NotSupported, "IOMT-0308", $"FHIRPath: {what}"));

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
