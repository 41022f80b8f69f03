using FhirIomt.Core;

namespace FhirIomt.Mapping.Linting;

/// <summary>What the linter finds in a mapping that loads: IOMT-0460 to IOMT-0468.</summary>
internal static class LintIssues
{
    public static Issue WrongCode(TextPosition at, KnownCode code, string said, IReadOnlyList<KnownCode> meant) => new(
        IssueSeverity.Error, IssueKind.CodeInvalid, "IOMT-0460", $"LOINC {code.Code} is '{code.Name}', but here it stands for '{said}'.")
    {
        Position = at,
        Fix = $"Use {string.Join(" or ", meant.Select(other => $"{other.Code} ({other.Name})"))}, or correct the display.",
    };

    public static Issue WrongUnit(TextPosition at, KnownCode code, string unit) => new(
        IssueSeverity.Error, IssueKind.Value, "IOMT-0461", $"LOINC {code.Code} ({code.Name}) is measured in '{code.Unit}' or what converts to it; '{unit}' does not.")
    {
        Position = at,
        Fix = $"Correct the code or the unit.",
    };

    public static Issue NotUcum(TextPosition at, string unit) => new(IssueSeverity.Warning, IssueKind.CodeInvalid, "IOMT-0462", $"'{unit}' is no UCUM unit.")
    {
        Position = at,
        Fix = UnitSpellings.Suggestion(unit) is { } better ? $"Write '{better}'." : "Use a code of ucum.org.",
    };

    public static Issue NoUnitCode(TextPosition at) => new(IssueSeverity.Warning, IssueKind.Required, "IOMT-0462", "The quantity has no UCUM code: nobody can compare or convert it.")
    {
        Position = at,
        Fix = "Add \"system\": \"http://unitsofmeasure.org\" and the \"code\".",
    };

    public static Issue NoCategory(TextPosition at, string type) => new(IssueSeverity.Warning, IssueKind.Required, "IOMT-0463", $"'{type}' is a vital sign without category: it does not meet R4's vital-signs profile, and apps that search category=vital-signs do not find it.")
    {
        Position = at,
        Fix = "Add \"category\": [{\"codes\": [{\"system\": \"http://terminology.hl7.org/CodeSystem/observation-category\", \"code\": \"vital-signs\"}]}].",
    };

    public static Issue NeverReached(TextPosition at, string type) => new(IssueSeverity.Warning, IssueKind.BusinessRule, "IOMT-0464", $"No device template yields type '{type}', so this FHIR template is never used.")
    {
        Position = at,
        Fix = "Remove it, or make the typeNames the same.",
    };

    public static Issue MatchesNothing(TextPosition at, string name, string expression, string? hint) => new(
        IssueSeverity.Warning, IssueKind.NotFound, "IOMT-0465", $"'{name}' matches nothing in the sample: {expression}{(hint is null ? "" : $" ({hint})")}.")
    {
        Position = at,
        Fix = "Compare the expression with the sample; give a sample for each kind of message.",
    };

    public static Issue MatchedTwice(TextPosition at, string type, int line) => new(IssueSeverity.Warning, IssueKind.Duplicate, "IOMT-0466", $"The template matches as the one on line {line} does, and yields the same type '{type}': each reading comes twice.")
    {
        Position = at,
        Fix = "Remove one of them.",
    };

    public static Issue FindsNothing(TextPosition at, string what, string expression, bool required) => new(
        required ? IssueSeverity.Error : IssueSeverity.Information, IssueKind.NotFound, "IOMT-0467", $"The expression for the {what} finds nothing in the sample: {expression}.")
    {
        Position = at,
        Fix = required ? "Correct the expression: no reading can be made." : "Correct the expression if the sample should have it.",
    };

    public static Issue AtSample(Issue issue) => issue with { Code = "IOMT-0468", Message = $"The sample is not mapped: {issue.Code} {issue.Message}" };
}
