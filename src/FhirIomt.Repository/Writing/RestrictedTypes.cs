using FhirIomt.Access;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Writing;

/// <summary>Types that clients do not write like others, whatever their scopes say.</summary>
internal static class RestrictedTypes
{
    /// <summary>Who did what is recorded by the server; a client's own account of it could be forged, and its deletion would hide something (abuse case 48).</summary>
    public static Refusal? Refuse(WriteRequest request, AccessScope scope) => request.Type switch
    {
        "AuditEvent" or "Provenance" when !scope.IsServer => RepositoryIssues.ServerWritten(request.Type),
        "Consent" when !scope.IsServer && (scope.User is not null || !scope.Scopes.Any(IsOfSystem)) => RepositoryIssues.OwnConsent(),
        "Consent" when request is WriteRequest.Create create && Names(create.Resource, scope) => RepositoryIssues.OwnConsent(),
        "Consent" when request is WriteRequest.Update update && Names(update.Resource, scope) => RepositoryIssues.OwnConsent(),
        _ => null,
    };

    /// <summary>Whether a consent is about the client itself.</summary>
    public static bool Names(JsonTree consent, AccessScope scope) =>
        scope.ClientId is { } client && consent.Root["provision"u8] is { Exists: true } provision && Names(provision, client);

    private static bool IsOfSystem(SmartScope scope) => scope.Context == ScopeContext.System;

    private static bool Names(ResourceNode provision, string client)
    {
        foreach (var actor in provision["actor"u8].Items)
        {
            if (actor["reference"u8]["identifier"u8]["value"u8].AsString() == client)
            {
                return true;
            }
        }

        foreach (var nested in provision["provision"u8].Items)
        {
            if (Names(nested, client))
            {
                return true;
            }
        }

        return false;
    }
}
