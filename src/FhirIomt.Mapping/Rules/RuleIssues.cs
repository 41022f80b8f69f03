using FhirIomt.Core;

namespace FhirIomt.Mapping.Rules;

/// <summary>What stops a rule of a FhirIomt mapping at a message: IOMT-0440 to IOMT-0447.</summary>
internal static class RuleIssues
{
    public static Issue Missing(string expression) =>
        Issue.Error(IssueKind.Required, "IOMT-0440", $"Nothing stands at {expression}, which the rule requires.", expression, "Send it, or take the '!' off the expression.");

    public static Issue Several(string expression) =>
        Issue.Error(IssueKind.MultipleMatches, "IOMT-0441", $"{expression} finds more than one value where one is asked for.", expression, "Make the expression find one value, or use $each.");

    public static Issue NotComputed(string expression, string failure) =>
        Issue.Error(IssueKind.Value, "IOMT-0442", $"'{expression}' cannot be computed: {failure}", expression, "Correct the expression, or send values that it can be computed from.");

    public static Issue NotInTable(string table, string key) =>
        Issue.Error(IssueKind.CodeInvalid, "IOMT-0443", $"The table '{table}' has no row for '{Shorten(key)}'.", fix: "Add the row, or a row '*' for everything else.");

    public static Issue NotNumber(string text) =>
        Issue.Error(IssueKind.Value, "IOMT-0444", $"'{Shorten(text)}' is not a decimal number.", fix: "Send digits with a decimal point, or declare the text under 'sentinels'.");

    public static Issue NotConvertible(string from, string to) =>
        Issue.Error(IssueKind.Value, "IOMT-0445", $"A value in '{Shorten(from)}' cannot be said in '{to}' (UCUM).", fix: "Send the unit as a UCUM code that measures the same, or translate it by 'units'.");

    public static Issue NotValid(string name, string demand) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0970", $"The message is no valid {name}: {demand}", fix: "Send it as its format demands.");

    public static Issue Refused(string words) =>
        Issue.Error(IssueKind.BusinessRule, "IOMT-0972", $"The mapping does not take this: {words}", fix: "Look at the message, and send or enter the reading where it belongs.");

    public static Issue LeftOut() =>
        new(IssueSeverity.Information, IssueKind.Informational, "IOMT-0971", "The mapping leaves out what this message holds; nothing is stored.");

    public static Issue NoSuchResource(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0446", $"The rule refers to its resource '{name}', which this message does not yield.", fix: "Give both the same condition ($when).");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
