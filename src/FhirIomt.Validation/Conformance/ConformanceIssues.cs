using FhirIomt.Core;

namespace FhirIomt.Validation.Conformance;

/// <summary>Findings about definitions themselves: IOMT-0340 to IOMT-0349.</summary>
internal static class ConformanceIssues
{
    public static readonly Finding NotAbsolute = new("IOMT-0340", IssueKind.Value, IssueSeverity.Error, "Write an absolute URL (http:, https:, urn:).");
    public static readonly Finding RelativeCanonical = new("IOMT-0340", IssueKind.Value, IssueSeverity.Warning, "Write the definition's absolute URL: a relative one is found by no other server.");
    public static readonly Finding UnmappedCode = new("IOMT-0341", IssueKind.CodeInvalid, IssueSeverity.Warning, "Map codes that exist.");
    public static readonly Finding UnknownCode = new("IOMT-0341", IssueKind.CodeInvalid, IssueSeverity.Error, "Use a code of the code system.");
    public static readonly Finding BadFilter = new("IOMT-0342", IssueKind.Value, IssueSeverity.Error, "Correct the filter's property, operation or value.");
    public static readonly Finding BadSupplement = new("IOMT-0343", IssueKind.Invalid, IssueSeverity.Error, "Give a supplement content = supplement and codes of the system it supplements.");
    public static readonly Finding BadContent = new("IOMT-0344", IssueKind.Invalid, IssueSeverity.Error, "Let content and count say what the resource holds.");
    public static readonly Finding BadIdentifier = new("IOMT-0345", IssueKind.Value, IssueSeverity.Error, "Write the value as a whole URI: urn:oid:…, urn:uuid:…, https:….");
    public static readonly Finding NoSnapshot = new("IOMT-0346", IssueKind.Invalid, IssueSeverity.Error, "Correct the differential.");
    public static readonly Finding WrongTypeProfile = new("IOMT-0347", IssueKind.Invalid, IssueSeverity.Error, "Name a profile of the element's type.");
    public static readonly Finding MeasureMismatch = new("IOMT-0349", IssueKind.BusinessRule, IssueSeverity.Error, "Report what the measure defines, with its codes.");
    public static readonly Finding DuplicateId = new("IOMT-0289", IssueKind.Duplicate, IssueSeverity.Error, "Give each element of a resource an id of its own.");
    public static readonly Finding NotInSourceSet = new("IOMT-0348", IssueKind.CodeInvalid, IssueSeverity.Error, "Map codes of the source and target value sets.");
}
