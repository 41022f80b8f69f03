using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>Why a record of WFDB is not taken: IOMT-0615 to IOMT-0617.</summary>
internal static class WfdbIssues
{
    public static Issue BadHeader(int line, string what) =>
        Issue.Error(IssueKind.Structure, "IOMT-0615", $"The header cannot be read: {what}.", fix: "Send a header of WFDB, version 10, as its tools write it.") with { Position = new TextPosition(line, 1) };

    public static Issue NotSupported(string what) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0616", $"{what} is not read here.", fix: "Convert the record with WFDB's tools (xform): formats 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516 and 524 are read, from files beside the header.");

    public static Issue Mismatch(string what) =>
        Issue.Error(IssueKind.Value, "IOMT-0617", $"The samples are not those that the header tells of: {what}.", fix: "Fetch header and samples again: one of them was changed or cut off.");
}
