using FhirIomt.Core;

namespace FhirIomt.Fhir.Packages;

internal static class PackageIssues
{
    public static Issue NotAPackage(string why) =>
        Issue.Error(IssueKind.Structure, "IOMT-0203", $"This is not a FHIR package: {why}.", fix: "Give the package's .tgz with package/package.json in it.");

    public static Issue TooLarge(string what) =>
        Issue.Error(IssueKind.TooLong, "IOMT-0204", $"The package is too large: {what}.", fix: "Split it, or load only the definitions that are needed.");
}
