using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>
/// Who asks, and what that may see and do. Every repository call takes one. It is immutable and says nothing about how it came to be:
/// a SMART token, a device credential and the server itself all end here.
/// </summary>
public sealed record AccessScope
{
    /// <summary>For audit and rate limits: <c>client/abc</c>, <c>device/xyz</c>, <c>vendor/acme</c>, <c>server</c>.</summary>
    public required string Actor { get; init; }

    /// <summary>The client (app, backend service) that carries the token; null for devices, vendors and the server itself.</summary>
    public string? ClientId { get; init; }

    /// <summary>The person behind the token; null when the client acts for itself.</summary>
    public AccessUser? User { get; init; }

    /// <summary>Union of what is granted; empty grants nothing.</summary>
    public IReadOnlyList<SmartScope> Scopes { get; init; } = [];

    /// <summary>The patient in context (SMART launch context); restricts <c>patient/</c> scopes.</summary>
    public string? Patient { get; init; }

    /// <summary>The encounter in context; says where the app was launched and restricts nothing.</summary>
    public string? Encounter { get; init; }

    /// <summary>The resource that is the person behind the token, such as <c>Practitioner/17</c>: the scope fhirUser makes it readable, whatever else is granted.</summary>
    public string? ReadableSelf { get; init; }

    /// <summary>The server's own work (ingest, command line): everything. Never made from a token.</summary>
    public bool IsServer { get; private init; }

    public static AccessScope Server { get; } = new() { Actor = "server", IsServer = true };

    /// <summary>
    /// What of a type this interaction may touch: the rewriting that runs before the query. <see cref="AccessPredicate.Nothing"/> means the type
    /// is denied as a whole (403), anything else filters instances (404, empty search).
    /// </summary>
    public AccessPredicate PredicateFor(string resourceType, ScopeInteractions interaction)
    {
        if (IsServer)
        {
            return AccessPredicate.Everything.Instance;
        }

        var alternatives = new List<AccessPredicate>();
        foreach (var scope in Scopes)
        {
            if (!scope.Interactions.HasFlag(interaction) || !scope.Covers(resourceType) || Restriction(scope, resourceType) is not { } restriction)
            {
                continue;
            }

            if (restriction is AccessPredicate.Everything)
            {
                return restriction;
            }

            alternatives.Add(restriction);
        }

        return alternatives.Count == 0 ? AccessPredicate.Nothing.Instance : new AccessPredicate.Any(alternatives);
    }

    /// <summary>The rights of a search on the type.</summary>
    public SearchAccess SearchAccessFor(string resourceType) => new(
        PredicateFor(resourceType, ScopeInteractions.Search),
        type => PredicateFor(type, ScopeInteractions.Read),
        type => PredicateFor(type, ScopeInteractions.Search));

    // Null: the scope grants nothing here. patient/ without a patient in context fails closed, and user/ waits for users (role policies).
    private AccessPredicate? Restriction(SmartScope scope, string resourceType)
    {
        if (scope.Context == ScopeContext.User || (scope.Context == ScopeContext.Patient && (Patient is null || !PatientCompartment.Reaches(resourceType))))
        {
            return null;
        }

        var parts = new List<AccessPredicate>();
        if (scope.Context == ScopeContext.Patient)
        {
            parts.Add(new AccessPredicate.OfPatient(Patient!));
        }

        if (scope.Criteria.Count > 0)
        {
            parts.Add(new AccessPredicate.Meets(scope.Criteria));
        }

        return parts switch
        {
            [] => AccessPredicate.Everything.Instance,
            [var only] => only,
            _ => new AccessPredicate.All(parts),
        };
    }
}

/// <summary>A person who logged in.</summary>
/// <param name="Id">Of the account: stable, says nothing about the person.</param>
/// <param name="FhirUser">The resource that is this person, such as <c>Practitioner/17</c>; null for somebody who is none here.</param>
public sealed record AccessUser(string Id, UserRole Role, string? FhirUser);

public enum UserRole
{
    Clinician,
    Patient,
    Operator,
    Vendor,
}

/// <summary>A filter on instances of one type. A closed set: storage turns it into SQL, <see cref="LeavingCheck"/> evaluates it on what leaves.</summary>
public abstract record AccessPredicate
{
    private AccessPredicate()
    {
    }

    public sealed record Everything : AccessPredicate
    {
        public static Everything Instance { get; } = new();
    }

    public sealed record Nothing : AccessPredicate
    {
        public static Nothing Instance { get; } = new();
    }

    public sealed record Any(IReadOnlyList<AccessPredicate> Alternatives) : AccessPredicate;

    public sealed record All(IReadOnlyList<AccessPredicate> Parts) : AccessPredicate;

    /// <summary>In the strict compartment of that patient: <see cref="PatientCompartment"/>.</summary>
    public sealed record OfPatient(string PatientId) : AccessPredicate;

    public sealed record Meets(IReadOnlyList<SearchCriterion> Criteria) : AccessPredicate;
}
