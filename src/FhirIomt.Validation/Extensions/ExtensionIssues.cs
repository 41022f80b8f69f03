using FhirIomt.Core;

namespace FhirIomt.Validation.Extensions;

/// <summary>Findings about extensions: IOMT-0285 to IOMT-0289.</summary>
internal static class ExtensionIssues
{
    public static readonly Finding NotLoaded = new("IOMT-0285", IssueKind.NotFound, IssueSeverity.Warning, "Load the package that defines the extension.");
    public static readonly Finding NoSuchExtension = new("IOMT-0285", IssueKind.Extension, IssueSeverity.Error, "Correct the url: the packages loaded define the other extensions of its name space.");
    public static readonly Finding UnknownModifier = new("IOMT-0286", IssueKind.Extension, IssueSeverity.Error, "Load the package that defines it: what modifies a resource must be understood.");
    public static readonly Finding WrongModifier = new("IOMT-0286", IssueKind.Extension, IssueSeverity.Error, "Move it.");
    public static readonly Finding NoSuchPart = new("IOMT-0287", IssueKind.Extension, IssueSeverity.Error, "Use the parts that the extension's definition names.");
    public static readonly Finding WrongPlace = new("IOMT-0288", IssueKind.Extension, IssueSeverity.Error, "Move the extension to an element that its definition names as context.");
    public static readonly Finding OtherPlace = new("IOMT-0288", IssueKind.Extension, IssueSeverity.Warning, "Move the extension to an element that its definition names as context.");
    public static readonly Finding Versioned = new("IOMT-0289", IssueKind.Value, IssueSeverity.Error, "Remove the bar and what follows it.");
}
