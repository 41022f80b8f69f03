using FhirIomt.Core;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>Why a differential gives no snapshot: IOMT-0205 to IOMT-0209, and IOMT-0202 for a base that is not known.</summary>
internal static class SnapshotIssues
{
    public static Issue NoBase(string url, string canonical) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0202", $"The base {canonical} of the profile {url} is not known.", "StructureDefinition.baseDefinition", "Load the base profile first.");

    public static Issue NoElement(string path) =>
        Error("IOMT-0205", $"The differential speaks of {path}, which the base does not have.", "Correct the path, or the type of the element above it.");

    public static Issue NotSliceable(string path, string slice) =>
        Error("IOMT-0206", $"The slice '{slice}' of {path} has no slicing to belong to.", "Say slicing (discriminator and rules) on the element first.");

    public static Issue WrongType(string path, string type) =>
        Error("IOMT-0207", $"The type {type} is not allowed at {path} by the base.", "Use a type of the base, or one that specialises it.");

    public static Issue WrongCardinality(string path, string what) =>
        Error("IOMT-0208", $"The cardinality at {path} {what}.", "Keep within the base's cardinality.");

    public static Issue Relaxed(string path, string what) =>
        Error("IOMT-0208", $"The differential takes back {what} at {path}, which the base sets.", "Leave it as the base has it.");

    public static Issue TooLarge(string path) =>
        Error("IOMT-0209", $"The snapshot grows too large at {path}.", "Use fewer slices, or walk into fewer types.");

    public static Issue Circular(string url) =>
        Error("IOMT-0209", $"The profile {url} is its own base, or nests types too deep.", "Correct baseDefinition and the type profiles.");

    private static Issue Error(string code, string message, string fix) => Issue.Error(IssueKind.Invalid, code, message, "StructureDefinition.differential", fix);
}
