using FhirIomt.Core;

namespace FhirIomt.Repository;

/// <summary>Every refusal of the repository: IOMT-0600 to IOMT-0619, about access IOMT-0870 to IOMT-0879, about elements IOMT-0819 and IOMT-0893 to IOMT-0895.</summary>
public static class RepositoryIssues
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

    public static Refusal SeveralMatch(string where) =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.MultipleMatches, "IOMT-0605", "More than one resource matches the condition.", where, "Use a condition that at most one resource meets, such as an identifier."));

    public static Refusal AlreadyThere() =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.Conflict, "IOMT-0608", "There is a resource with this id already.", "If-None-Match", "Leave If-None-Match out to update it."));

    public static Refusal TooManyToDelete(int limit) =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.TooCostly, "IOMT-0609", $"More than {limit} resources match: nothing was deleted.", fix: "Narrow the condition."));

    public static Refusal Contended() =>
        new(RefusalKind.Conflict, Issue.Error(IssueKind.Conflict, "IOMT-0610", "The resource changes faster than this request can be carried out.", fix: "Send the request again."));

    public static Refusal Overlap(string what) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Invalid, "IOMT-0611", $"Two entries of the transaction are about '{what}'.", fix: "A transaction may touch each resource once: join the entries, or send two transactions."));

    public static Refusal UnresolvedReference(string expression) =>
        new(RefusalKind.PreconditionFailed, Issue.Error(IssueKind.NotFound, "IOMT-0612", "Nothing matches this conditional reference.", expression, "Refer to something that exists, or create it in the same transaction and refer to its fullUrl."));

    public static Refusal BadId() =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Value, "IOMT-0613", "The resource's id is not a FHIR id.", "id", "Use 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'."));

    public static Refusal NoSuchParameter() =>
        new(RefusalKind.NotFound, Issue.Error(IssueKind.NotFound, "IOMT-0614", "No search parameter of that id can be indexed.", fix: "Store an active SearchParameter first; what stands in its way was told as a warning then."));

    public static Refusal ServerWritten(string type) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0870", $"This caller does not write {type}.", fix: "Whoever does something is recorded by the server. Where data came from is said by clients with system/ scopes, which bring it."));

    public static Refusal OwnProvenance() =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0878", "This Provenance says where readings of devices came from; it is neither changed nor deleted.", fix: "Say what is to be added in another Provenance with the same targets."));

    public static Issue ProvenanceNotSearched() => Issue.Error(
        IssueKind.NotSupported, "IOMT-0879", "Provenance is not searched like that.", fix: "Use target, patient, recorded, agent, agent-type, entity, _id and _lastUpdated, without chains and without modifiers but :identifier.");

    public static Refusal HiddenParameter(string parameter) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0893", $"This caller does not search, sort or include by '{parameter}'.", parameter, "It reads an element that the policy hides from the role (Access:Policies, hidden)."));

    public static Refusal HiddenField(string element) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0894", "This caller does not write an element that it does not see.", element, "Leave the element out: what is stored of it stays. The policy hides it from the role (Access:Policies, hidden)."));

    public static Refusal HiddenPart(string element) => new(
        RefusalKind.Forbidden,
        Issue.Error(IssueKind.Forbidden, "IOMT-0819", "This caller does not see all of that element, and can neither take it away nor change it so.", element, "Send each entry as it was read, with its id where it has one. The policy hides a part of it from the role (Access:Policies, hidden)."));

    public static Refusal ReadOnlyField(string element) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0895", "This caller does not change that element.", element, "Send it as it is stored. The policy lets the role read it only (Access:Policies, readOnly)."));

    public static Issue AuditNotSearched() => Issue.Error(
        IssueKind.NotSupported, "IOMT-0890", "The audit is not searched like that.", fix: "Use date, patient, agent, agent-name, entity, type, subtype, action, outcome, _id, without modifiers or includes; sort by date.");

    public static Refusal OwnConsent() =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0871", "A client does not write consents about its own rights.", fix: "The patient decides about apps on the server's own pages."));

    public static Refusal LabelsStay() =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0872", "Security labels are not taken away by this caller.", "meta.security", "Ask who decides about labels here; a policy may grant 'relabel' to a role."));

    public static Refusal NoEmergency() =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Forbidden, "IOMT-0873", "This token cannot open a record in an emergency.", fix: "A person whose role may do so asks with a user/ scope."));

    public static Refusal LoginTooOld(TimeSpan limit) =>
        new(RefusalKind.Forbidden, Issue.Error(IssueKind.Login, "IOMT-0874", $"The person's login is older than {limit.TotalMinutes:0} minutes, or its time is not known.", fix: "Have the person log in again (max_age, prompt=login) and ask with the new token."));

    public static Refusal NoReason(int shortest, int longest) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Required, "IOMT-0875", $"A reason of {shortest} to {longest} characters is needed.", "reason", "Say why the record is needed now: the patient will read it."));

    public static Refusal BadDuration(TimeSpan longest) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Value, "IOMT-0876", $"A record is opened for 1 to {longest.TotalMinutes:0} minutes.", "minutes", "Ask again when that has passed and it is still needed."));

    public static Issue TooManyPatients(int limit) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0885", $"The policy means more than {limit} patients for this person.", fix: "Narrow Access:Policies, or let the role see all patients.");

    public static Refusal IdMismatch(string urlId) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Invalid, "IOMT-0606", $"The resource's id must be '{urlId}', as in the URL.", "id", "Put the id of the URL into the resource."));

    public static Refusal WrongType(string urlType) =>
        new(RefusalKind.BadRequest, Issue.Error(IssueKind.Invalid, "IOMT-0607", $"The body is not a {urlType} resource.", "resourceType", $"Send a JSON object with resourceType '{urlType}'."));
}
