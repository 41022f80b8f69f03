using FhirIomt.Core;

namespace FhirIomt.Fhir.Patch;

/// <summary>Every refusal of a patch: IOMT-0320 to IOMT-0327. The expression says which operation; nothing is changed when one is refused.</summary>
internal static class PatchIssues
{
    public static Issue NotAPatch(string what, string where) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0320", $"This is no patch: {what}", where, "Send a JSON Patch (RFC 6902) array, or a Parameters resource with one parameter 'operation' for each change.");

    public static Issue UnknownOperation(string operation, string where, string known) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0321", $"There is no operation '{Shorten(operation)}'.", where, $"Use one of {known}.");

    public static Issue BadPointer(string pointer, string where) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0322", $"'{Shorten(pointer)}' is no JSON Pointer, or too long.", where, "Begin with '/', and write ~ as ~0 and / as ~1.");

    public static Issue NoTarget(string target, string where) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0323", $"There is nothing at '{Shorten(target)}'.", where, "Name a place that exists; containers are not made on the way.");

    public static Issue TestFailed(string pointer, string where) =>
        Issue.Error(IssueKind.Conflict, "IOMT-0324", $"The value at '{Shorten(pointer)}' is another one.", where, "Read the resource again and make the patch from what it is now.");

    public static Issue Several(string path, string where) =>
        Issue.Error(IssueKind.MultipleMatches, "IOMT-0325", $"'{Shorten(path)}' selects several elements.", where, "Select one, by an index or a condition.");

    public static Issue DoesNotFit(string what, string where) =>
        Issue.Error(IssueKind.Value, "IOMT-0326", what, where, "See the definition of the element for its name, type and cardinality.");

    public static Issue TooCostly(string what, string where) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0327", what, where, "Send a smaller patch.");

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
