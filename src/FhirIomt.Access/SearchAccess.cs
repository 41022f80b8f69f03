using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>What a search may touch: goes into the query itself, into its counts, and into everything the query reaches.</summary>
/// <param name="Matches">Of the searched type.</param>
/// <param name="Included">Of each type that an include reaches: the right to read.</param>
/// <param name="Chained">Of each type that a chain, <c>_has</c> or <c>_list</c> looks through: the right to search.</param>
public sealed record SearchAccess(AccessPredicate Matches, Func<string, AccessPredicate> Included, Func<string, AccessPredicate> Chained)
{
    /// <summary>Of a search over several types, what one part may match: the right to search its type, or less where the part itself asks for less.</summary>
    public Func<SearchQuery, AccessPredicate> Part { get; init; } = part => Chained(part.ResourceType);

    /// <summary>The server's own searches.</summary>
    public static SearchAccess Everything { get; } = new(AccessPredicate.Everything.Instance, static _ => AccessPredicate.Everything.Instance, static _ => AccessPredicate.Everything.Instance);

    /// <summary>Within those matches, reaching nothing else.</summary>
    public static SearchAccess Only(AccessPredicate matches) => new(matches, static _ => AccessPredicate.Nothing.Instance, static _ => AccessPredicate.Nothing.Instance);
}
