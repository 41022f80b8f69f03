using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>Every refusal of a search URL: IOMT-0700 to IOMT-0719.</summary>
public static class SearchIssues
{
    public static Issue UnknownParameter(string type, string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0700", $"'{code}' is not a search parameter of {type} on this server.", code, "See the CapabilityStatement at /metadata, or send 'Prefer: handling=lenient' to have unknown parameters ignored.");

    public static Issue UnknownModifier(string code, string modifier) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0701", $"The modifier ':{modifier}' is not supported on '{code}'.", code, "Remove the modifier.");

    public static Issue BadValue(string code, string value, string expected) =>
        Issue.Error(IssueKind.Value, "IOMT-0702", $"'{Shorten(value)}' is not a value for '{code}'.", code, $"Give {expected}.");

    public static Issue TooMany(string what, int limit) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0703", $"At most {limit} {what} are taken.", fix: "Split the search.");

    public static Issue BadSort(string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0704", $"Results cannot be sorted by '{Shorten(code)}'.", "_sort", "Sort by _lastUpdated, or Observations by date; one key.");

    public static Issue BadInclude(string rule) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0705", $"'{Shorten(rule)}' is not an include of this type.", "_include", "Write Type:parameter or Type:parameter:TargetType with a reference parameter of the type that is searched.");

    public static Issue BadCursor() =>
        Issue.Error(IssueKind.Value, "IOMT-0706", "The page cursor does not belong to this search.", "_cursor", "Follow the 'next' link as it was given, or start the search again.");

    public static Issue NotIndexed(string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0707", $"Searching by '{code}' is not supported yet.", code, "See the CapabilityStatement at /metadata for what is.");

    public static Issue EmptyCondition() =>
        Issue.Error(IssueKind.Value, "IOMT-0627", "A condition must be a search with at least one criterion, such as identifier=system|value.", fix: "Give a search parameter of the type.");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
