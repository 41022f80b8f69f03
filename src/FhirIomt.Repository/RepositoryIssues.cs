using FhirIomt.Core;

namespace FhirIomt.Repository;

/// <summary>Every refusal of the repository: IOMT-0600 to IOMT-0619.</summary>
internal static class RepositoryIssues
{
    /// <summary>The same for "never existed" and "not yours to see", so it says nothing that depends on the instance.</summary>
    public static Refusal NotFound() =>
        new(RefusalKind.NotFound, Issue.Error(IssueKind.NotFound, "IOMT-0600", "There is no such resource."));

    public static Refusal Gone() =>
        new(RefusalKind.Gone, Issue.Error(IssueKind.Deleted, "IOMT-0601", "The resource was deleted."));

    public static Refusal TypeDenied(string type, string interaction) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0602", $"The token's scopes do not cover {interaction} on {type}.", fix: "Ask for a scope that covers it."));

    public static Refusal WriteDenied() =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0603", "The token's scopes do not cover this resource as it would be written.", fix: "Write only resources that the scopes' patient and criteria cover."));

    public static Refusal VersionConflict(string wanted) =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.Conflict, "IOMT-0604", $"The resource is not at version {wanted}.", "If-Match", "Read it again, apply your change to what you get, and send If-Match with its version."));

    public static Refusal SeveralMatch() =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.MultipleMatches, "IOMT-0605", "More than one resource matches the condition.", "If-None-Exist", "Use a condition that at most one resource meets, such as an identifier."));

    public static Refusal ClientIdNotAllowed() =>
        new(RefusalKind.NotFound, Issue.Error(IssueKind.NotFound, "IOMT-0600", "There is no such resource."));

    public static Refusal IdMismatch(string urlId) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Invalid, "IOMT-0606", $"The resource's id must be '{urlId}', as in the URL.", "id", "Put the id of the URL into the resource."));

    public static Refusal WrongType(string urlType) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Invalid, "IOMT-0607", $"The body is not a {urlType} resource.", "resourceType", $"Send a JSON object with resourceType '{urlType}'."));
}
