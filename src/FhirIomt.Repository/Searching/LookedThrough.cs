using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository.Searching;

/// <summary>The types that chains, <c>_has</c> and <c>_list</c> look through: each needs the right to search it (abuse cases 14 and 15).</summary>
internal static class LookedThrough
{
    /// <summary>One that the caller may not search at all; null when there is none.</summary>
    public static string? DeniedType(SearchQuery query, AccessScope scope) =>
        query.Criteria.Concat(query.Parts.SelectMany(part => part.Criteria)).Select(criterion => Denied(criterion, scope)).FirstOrDefault(denied => denied is not null);

    private static string? Denied(SearchCriterion criterion, AccessScope scope) => criterion switch
    {
        SearchCriterion.Chain chain => Denied(chain.TargetType, scope) ?? Denied(chain.Inner, scope),
        SearchCriterion.Has has => Denied(has.SourceType, scope) ?? Denied(has.Inner, scope),
        SearchCriterion.InList => Denied("List", scope),
        SearchCriterion.And and => and.Parts.Select(part => Denied(part, scope)).FirstOrDefault(denied => denied is not null),
        SearchCriterion.Not not => Denied(not.Inner, scope),

        // A chain that names no type is one for each type that the reference may point to: those that may be searched are.
        SearchCriterion.Or or => or.Parts.Select(part => Denied(part, scope)).ToList() is var all && all.TrueForAll(denied => denied is not null) ? all.FirstOrDefault() : null,
        _ => null,
    };

    private static string? Denied(string type, AccessScope scope) => scope.PredicateFor(type, ScopeInteractions.Search) is AccessPredicate.Nothing ? type : null;
}
