using FhirIomt.Access;
using FhirIomt.Access.Consents;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Repository.Writing;

/// <summary>Types that clients do not write like others, whatever their scopes say.</summary>
internal static class RestrictedTypes
{
    /// <summary>
    /// Who did what here is recorded by the server; anybody else's account of it could be forged, and its deletion would hide something (abuse case 48). Where data came
    /// from is said by the system that brings them: records of other systems come with their Provenance. An app says nothing about that.
    /// </summary>
    public static Refusal? Refuse(WriteRequest request, AccessScope scope) => request.Type switch
    {
        "Provenance" when TargetOf(request) is { } id && ReadingProvenance.Owns(request.Type, id) => RepositoryIssues.OwnProvenance(),
        "AuditEvent" when !scope.IsServer => RepositoryIssues.ServerWritten(request.Type),
        "Provenance" when !scope.IsServer && (scope.User is not null || !scope.Scopes.Any(IsOfSystem)) => RepositoryIssues.ServerWritten(request.Type),
        "Consent" when !scope.IsServer && (scope.User is not null || !scope.Scopes.Any(IsOfSystem)) => RepositoryIssues.OwnConsent(),
        "Consent" when request is WriteRequest.Create create && Names(create.Resource, scope) => RepositoryIssues.OwnConsent(),
        "Consent" when request is WriteRequest.Update update && Names(update.Resource, scope) => RepositoryIssues.OwnConsent(),
        _ => null,
    };

    private static string? TargetOf(WriteRequest request) => (request switch
    {
        WriteRequest.Update update => update.Target,
        WriteRequest.Patch patch => patch.Target,
        WriteRequest.Delete delete => delete.Target,
        _ => null,
    } as WriteTarget.Instance)?.Id;

    private static bool Names(JsonTree consent, AccessScope scope) => scope.ClientId is { } client && ConsentRule.Names(consent.Root, client);

    private static bool IsOfSystem(SmartScope scope) => scope.Context == ScopeContext.System;
}
