using FhirIomt.Core;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>Compares a display with the texts of its concept, in the languages that the reader wants.</summary>
internal sealed class DisplayCheck(CheckSettings settings, IReadOnlyDictionary<string, List<CodeSystemContent>> supplements)
{
    /// <summary>The display to show for a concept; null when it has none.</summary>
    public string? Shown(Finding finding)
    {
        var texts = Texts(finding);
        return DisplayChoice.Of(texts, settings.Languages).Display ?? DisplayChoice.Of(texts, null).Display;
    }

    /// <summary>Whether the display given, if any, is right for the concept in any language.</summary>
    public bool Accepts(Finding finding, CodeQuery query) =>
        query.Display is not { } display || finding.Concept is null || Texts(finding).Exists(text => Same(text.Text, display));

    /// <summary>What is wrong with the display given; null when nothing.</summary>
    public TxIssue? Check(Finding finding, CodeQuery query)
    {
        if (query.Display is not { } display)
        {
            return null;
        }

        var texts = Texts(finding);
        var current = texts.Where(text => !text.IsOutdated).ToList();
        if (current.Count == 0)
        {
            return null;
        }

        var wanted = settings.Languages is { IsEmpty: false } languages ? current.Where(text => text.Language is null || languages.ServedBy(text.Language)).ToList() : current;
        if (wanted.Exists(text => Same(text.Text, display)))
        {
            return null;
        }

        return wanted.Count == 0 ? NoneInLanguage(current, query, display) : Wrong(texts, wanted, query, display);
    }

    private List<Designation> Texts(Finding finding)
    {
        var system = finding.Content is { } content ? new SupplementedSystem(content, supplements.GetValueOrDefault(content.Url) ?? []) : null;
        return DisplayChoice.Texts(new ExpandedConcept(finding.Content?.Url ?? "", finding.Concept?.Code ?? "", system, finding.Concept, finding.Listed, MayNest: false), null);
    }

    private TxIssue NoneInLanguage(List<Designation> current, CodeQuery query, string display)
    {
        var languages = settings.Languages!.Text;
        var path = query.PathOf("display");
        if (current.Exists(text => Same(text.Text, display)))
        {
            var fine = $"There are no valid display names found for the code {query.System}#{query.Code} for language(s) '{languages}'. The display is '{display}' which is a valid display for the default language";
            return new TxIssue(IssueSeverity.Information, IssueKind.Invalid, "IOMT-0271", "invalid-display", "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK", fine, path) { InMessage = true };
        }

        var wrong = $"Wrong Display Name '{display}' for {query.System}#{query.Code}. There are no valid display names found for language(s) '{languages}'. Default display is '{current[0].Text}'";
        return Refused("NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR", wrong, path);
    }

    private TxIssue Wrong(List<Designation> all, List<Designation> wanted, CodeQuery query, string display)
    {
        var right = wanted.Where(text => text.MayDisplay).DistinctBy(text => (text.Text, text.Language)).ToList();
        right = right.Count > 0 ? right : wanted;
        if (all.Exists(text => text.IsOutdated && Same(text.Text, display)))
        {
            var correct = string.Join(", ", right.Select(text => $"\"{text.Text}\""));
            var outdated = $"'{display}' is no longer considered a correct display for code '{query.Code}' (status = deprecated). The correct display is one of {correct}.";
            return new TxIssue(IssueSeverity.Warning, IssueKind.Invalid, "IOMT-0272", "display-comment", "INACTIVE_DISPLAY_FOUND", outdated, query.PathOf("display"));
        }

        var isSpacing = right.Exists(text => Same(Condensed(text.Text), Condensed(display)));
        var named = right.Select(text => text.Language is null ? $"'{text.Text}'" : $"'{text.Text}' ({text.Language})").ToArray();
        var choices = named.Length == 1 ? $"Valid display is {named[0]}" : $"Valid display is one of {named.Length} choices: {TxIssues.Listed(named, "or")}";
        var message = $"Wrong {(isSpacing ? "whitespace in " : "")}Display Name '{display}' for {query.System}#{query.Code}. {choices} (for the language(s) '{settings.Languages?.Text ?? "--"}')";
        return Refused(isSpacing ? "Display_Name_WS_for__should_be_one_of__instead_of" : "Display_Name_for__should_be_one_of__instead_of", message, query.PathOf("display"));
    }

    private TxIssue Refused(string id, string text, string path) =>
        new(settings.LenientDisplay ? IssueSeverity.Warning : IssueSeverity.Error, IssueKind.Invalid, "IOMT-0270", "invalid-display", id, text, path) { InMessage = true };

    private static bool Same(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static string Condensed(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
