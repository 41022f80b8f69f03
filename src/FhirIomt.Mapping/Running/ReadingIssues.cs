using FhirIomt.Core;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>Every finding about a message: IOMT-0420 to IOMT-0432. One issue stands for one reading that was not mapped.</summary>
internal static class ReadingIssues
{
    public static Issue Missing(string member, MappingExpression path) =>
        Error(IssueKind.Required, "IOMT-0420", $"Nothing stands at {path.Text}, where the mapping expects the {member}.", path, "Send it, or correct the expression in the device mapping.");

    public static Issue Blank(string member, MappingExpression path) =>
        Error(IssueKind.Required, "IOMT-0421", $"The {member} is null or blank.", path, "Send a value.");

    public static Issue NotSimple(string member, MappingExpression path) =>
        Error(IssueKind.Value, "IOMT-0422", $"The {member} is an object, an array or an integer beyond 64 bits.", path, "Point the expression at a text, a number, true or false.");

    public static Issue Several(string member, MappingExpression path) =>
        Error(IssueKind.MultipleMatches, "IOMT-0423", $"The expression for the {member} finds more than one value.", path, "Make the expression find one value; use the match expression to split arrays.");

    public static Issue Unreadable(string time, string path) =>
        Error(IssueKind.Value, "IOMT-0424", $"'{Shorten(time)}' is not a time that can be read without guessing.", path, "Send ISO 8601 with a zone, for example 2026-02-01T22:46:01Z.");

    public static Issue NoZone(string time, string path) =>
        Error(IssueKind.Value, "IOMT-0425", $"The time '{Shorten(time)}' names no zone, and neither the device nor the mapping declares one.", path, "Send an offset, or declare timeZone in the device mapping or on the device.");

    public static Issue NotInZone(string time, TimeZoneInfo zone, string path) =>
        Error(IssueKind.Value, "IOMT-0426", $"The local time '{Shorten(time)}' does not exist or exists twice in {zone.Id}: the clocks changed.", path, "Send an offset with the time.");

    public static Issue NoFhirTemplate(string type) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0427", $"No FHIR template for type '{type}'.", fix: "Add a CodeValueFhir template of that typeName.");

    public static Issue NotNumber(string name, string text, MappingExpression path) =>
        Error(IssueKind.Value, "IOMT-0428", $"The value '{name}' is '{Shorten(text)}', which is not a decimal number.", path, "Send digits with a decimal point, without thousands separators.");

    public static Issue TwoValues(string name, MappingExpression path) =>
        Error(IssueKind.MultipleMatches, "IOMT-0429", $"The value '{name}' was extracted twice from one reading.", path, "Let one expression per valueName find something.");

    public static Issue NothingMatched() =>
        Issue.Warning(IssueKind.NotFound, "IOMT-0430", "No template of the mapping matches this message.", fix: "Compare the message with the typeMatchExpressions.");

    public static Issue OptionalLeftOut(string name, MappingExpression path) =>
        Issue.Warning(IssueKind.Value, "IOMT-0431", $"The optional value '{name}' is an object, an array or an integer beyond 64 bits; it was left out.", path.Text, "Point the expression at a text, a number, true or false.");

    public static Issue EmptyText(string name, MappingExpression path) =>
        Error(IssueKind.Value, "IOMT-0432", $"The text value '{name}' is empty, which FHIR does not allow.", path, "Leave the member out, or send null.");

    public static Issue NotComputed(string member, string failure, MappingExpression path) =>
        Error(IssueKind.Value, "IOMT-0433", $"The expression for the {member} cannot be computed: {failure}", path, "Correct the expression, or send values that it can be computed from.");

    public static Issue NoCorrelation(string type) =>
        Issue.Error(IssueKind.Required, "IOMT-0434", $"Readings of type '{type}' are grouped by correlation id, and the device template extracts none.", fix: "Add a correlationIdExpression to the device template.");

    public static Issue TemplateFails(string type, string failure) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0436", $"The FHIR template '{type}' cannot be used: {failure}", fix: "Correct the FHIR mapping.");

    public static Issue BadSample(string name, string text, MappingExpression path) =>
        Error(IssueKind.Value, "IOMT-0428", $"The sample '{name}' is '{Shorten(text)}', which is neither a decimal number nor one of E, L and U.", path, "Send digits with a decimal point; E for an error, L and U for below and above the limits.");

    private static Issue Error(IssueKind kind, string code, string message, MappingExpression path, string fix) =>
        Issue.Error(kind, code, message, path.Text, fix);

    private static Issue Error(IssueKind kind, string code, string message, string path, string fix) => Issue.Error(kind, code, message, path, fix);

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
