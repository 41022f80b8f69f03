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

    /// <summary>The server's own work (ingest, command line): everything. Never made from a token.</summary>
    public bool IsServer { get; private init; }

    public static AccessScope Server { get; } = new() { Actor = "server", IsServer = true };

    /// <summary>What the <c>fhirUser</c> scope lets the person read in addition: the resource that is this person.</summary>
    public string? ReadableSelf { get; init; }

    /// <summary>Where the request came from, for the audit; null for the server's own work.</summary>
    public RequestOrigin? Origin { get; init; }

    /// <summary>By what the audit knows requests of one token: part of its hash, which is no use to anybody who wants to send it.</summary>
    public string? TokenReference { get; init; }

    /// <summary>What policies, consents and labels say about this caller; found from the store once the token is known.</summary>
    public AccessRules Rules { get; private init; } = AccessRules.None;

    // Shared by copies, which the requests of one token are; it knows of which caller it is.
    private DecisionMemory Remembered { get; init; } = new();

    /// <summary>The same caller by these rules. What is decided for it is remembered for the copies that its requests make.</summary>
    public AccessScope By(AccessRules rules) => this with { Rules = rules, Remembered = new() };

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

        return Remembered.Find(this, resourceType, interaction) ?? Remembered.Keep(this, resourceType, interaction, Decide(resourceType, interaction));
    }

    private AccessPredicate Decide(string resourceType, ScopeInteractions interaction)
    {
        var granted = AccessPredicate.Either(Granted(resourceType, interaction), Self(resourceType, interaction));
        return granted is AccessPredicate.Nothing ? granted : Rules.Limited(granted, resourceType, interaction);
    }

    /// <summary>
    /// Whether scopes cover every instance of the type. Then an id that is not there may be told from one that is: consents and labels take single
    /// instances away from such a caller, but do not turn it into one that must not choose ids.
    /// </summary>
    public bool CoversAll(string resourceType, ScopeInteractions interaction) => IsServer || Granted(resourceType, interaction) is AccessPredicate.Everything;

    /// <summary>The rights of a search on the type.</summary>
    public SearchAccess SearchAccessFor(string resourceType) => new(
        PredicateFor(resourceType, ScopeInteractions.Search),
        type => PredicateFor(type, ScopeInteractions.Read),
        type => PredicateFor(type, ScopeInteractions.Search));

    private AccessPredicate Granted(string resourceType, ScopeInteractions interaction)
    {
        var alternatives = new List<AccessPredicate>();
        foreach (var scope in Scopes)
        {
            if (!scope.Interactions.HasFlag(interaction) || !scope.Covers(resourceType) || Restriction(scope, resourceType, interaction) is not { } restriction)
            {
                continue;
            }

            if (restriction is AccessPredicate.Everything)
            {
                return restriction;
            }

            alternatives.Add(restriction);
        }

        return alternatives switch
        {
            [] => AccessPredicate.Nothing.Instance,
            [var only] => only,
            _ => new AccessPredicate.Any(alternatives),
        };
    }

    private AccessPredicate Self(string resourceType, ScopeInteractions interaction) =>
        interaction == ScopeInteractions.Read && ReadableSelf is { } self && self.StartsWith(resourceType, StringComparison.Ordinal) && self.Length > resourceType.Length + 1 && self[resourceType.Length] == '/'
            ? new AccessPredicate.WithId(self[(resourceType.Length + 1)..])
            : AccessPredicate.Nothing.Instance;

    // Null: the scope grants nothing here.
    private AccessPredicate? Restriction(SmartScope scope, string resourceType, ScopeInteractions interaction)
    {
        // Consents say what apps may do, so an app writes none (abuse case 50): a person does that where no app stands between.
        if (scope.Context != ScopeContext.System && resourceType == "Consent" && (interaction & ~(ScopeInteractions.Read | ScopeInteractions.Search)) != 0)
        {
            return null;
        }

        var owned = scope.Context switch
        {
            // A person's token holds no more than the person: system/ rights are for clients that act for themselves.
            ScopeContext.System => User is null ? AccessPredicate.Everything.Instance : AccessPredicate.Nothing.Instance,
            ScopeContext.Patient => OfPatientInContext(scope, resourceType, interaction),
            _ => User is null ? AccessPredicate.Nothing.Instance : Rules.Granted(resourceType, interaction),
        };
        return AccessPredicate.Both(owned, scope.Criteria.Count > 0 ? new AccessPredicate.Meets(scope.Criteria) : AccessPredicate.Everything.Instance) switch
        {
            AccessPredicate.Nothing => null,
            var restriction => restriction,
        };
    }

    // patient/ without a patient in context fails closed. With a person behind it, the policy for that person holds as well.
    private AccessPredicate OfPatientInContext(SmartScope scope, string resourceType, ScopeInteractions interaction)
    {
        if (Patient is null)
        {
            return AccessPredicate.Nothing.Instance;
        }

        var inContext = PatientCompartment.IsShared(resourceType) && scope.ResourceType == resourceType && interaction is ScopeInteractions.Read or ScopeInteractions.Search
            ? AccessPredicate.Everything.Instance
            : PatientCompartment.Filter(resourceType, new AccessPredicate.OfPatient(Patient), interaction);
        return User is null ? inContext : AccessPredicate.Both(inContext, Rules.Granted(resourceType, interaction));
    }
}

/// <param name="Address">Of the network.</param>
/// <param name="RequestId">The client's own when it sent one as X-Request-Id.</param>
public sealed record RequestOrigin(string? Address, string RequestId);

/// <summary>A person who logged in.</summary>
/// <param name="Id">Of the account: stable, says nothing about the person.</param>
/// <param name="FhirUser">The resource that is this person, such as <c>Practitioner/17</c>; null for somebody who is none here.</param>
public sealed record AccessUser(string Id, UserRole Role, string? FhirUser)
{
    /// <summary>When the person last showed who they are; null when that is not known.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }
}

public enum UserRole
{
    Clinician,
    Patient,
    Operator,
    Vendor,
}
