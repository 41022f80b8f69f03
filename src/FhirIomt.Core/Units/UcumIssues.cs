namespace FhirIomt.Core.Units;

/// <summary>Every refusal of a unit: IOMT-0060 and IOMT-0061.</summary>
internal static class UcumIssues
{
    public static Issue Length(string text, int maxLength) =>
        Issue.Error(IssueKind.CodeInvalid, "IOMT-0060", text.Length == 0 ? "The unit is empty." : $"The unit has more than {maxLength} characters.", fix: "Write a UCUM code, and 1 for a number without unit.");

    public static Issue Invalid(string text, int at, string what) =>
        Issue.Error(IssueKind.CodeInvalid, "IOMT-0061", $"'{Shorten(text)}' is no UCUM code: character {at + 1}: {what}.", fix: "Write a UCUM code in its case-sensitive form, such as mm[Hg] or /min.");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
