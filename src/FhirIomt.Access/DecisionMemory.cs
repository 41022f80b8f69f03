namespace FhirIomt.Access;

/// <summary>
/// What was decided for one caller, by type and interaction: the same few for each request of its token, which took 0.8 µs of a read each time. Of another
/// caller, and be it the same one with one property changed, it knows nothing.
/// </summary>
internal sealed class DecisionMemory : IEquatable<DecisionMemory>
{
    // An app asks for a few types over and over; what is asked for once need not be kept.
    private const int MaxKept = 16;

    private Decisions? _decisions;

    public AccessPredicate? Find(AccessScope scope, string resourceType, ScopeInteractions interaction)
    {
        if (Volatile.Read(ref _decisions) is not { } decisions || !decisions.AreOf(scope))
        {
            return null;
        }

        foreach (var (type, of, predicate) in decisions.Made)
        {
            if (of == interaction && type == resourceType)
            {
                return predicate;
            }
        }

        return null;
    }

    /// <returns>The predicate, kept or not: of two that are kept at the same time one is forgotten.</returns>
    public AccessPredicate Keep(AccessScope scope, string resourceType, ScopeInteractions interaction, AccessPredicate predicate)
    {
        var decisions = Volatile.Read(ref _decisions) ?? new Decisions(scope, []);
        if (decisions.Made.Length < MaxKept && decisions.AreOf(scope))
        {
            Volatile.Write(ref _decisions, decisions with { Made = [.. decisions.Made, (resourceType, interaction, predicate)] });
        }

        return predicate;
    }

    /// <summary>Whether two scopes are the same does not hang on what is remembered of them.</summary>
    public bool Equals(DecisionMemory? other) => other is not null;

    public override bool Equals(object? obj) => obj is DecisionMemory;

    public override int GetHashCode() => 0;

    private sealed record Decisions(AccessScope Scope, (string Type, ScopeInteractions Interaction, AccessPredicate Predicate)[] Made)
    {
        // All but where the request came from, by reference: copies of one scope have the same objects.
        public bool AreOf(AccessScope other) =>
            ReferenceEquals(Scope.Rules, other.Rules) && ReferenceEquals(Scope.Scopes, other.Scopes) && ReferenceEquals(Scope.Patient, other.Patient) && ReferenceEquals(Scope.User, other.User)
            && ReferenceEquals(Scope.ReadableSelf, other.ReadableSelf) && ReferenceEquals(Scope.ClientId, other.ClientId) && ReferenceEquals(Scope.Actor, other.Actor)
            && ReferenceEquals(Scope.Encounter, other.Encounter) && ReferenceEquals(Scope.TokenReference, other.TokenReference);
    }
}
