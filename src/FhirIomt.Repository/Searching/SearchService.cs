using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>Searches on behalf of somebody: authorise, search within what is permitted, look once more at what leaves.</summary>
public sealed class SearchService(IStore store, SearchIndexer indexer)
{
    private readonly LeavingCheck _leaving = new(indexer);

    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        if (Permitted(query, scope) is not { } permitted)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(query.Parts.Count > 0 ? "any type" : query.ResourceType, "search"));
        }

        // An included resource is read, not searched for: its type needs the read right.
        var access = scope.SearchAccessFor(query.ResourceType);
        var outcome = await store.SearchAsync(permitted, access, cancellationToken).ConfigureAwait(false);
        if (!outcome.TryGetValue(out var page, out var issues))
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
        }

        Recheck(page.Matches, query.Parts.Count > 0 ? access.Chained : _ => access.Matches);
        Recheck(page.Included, access.Included);
        return new SearchResult.Found(page);
    }

    // Of several types those that the caller may search; none is a refusal.
    private static SearchQuery? Permitted(SearchQuery query, AccessScope scope)
    {
        if (query.Parts.Count == 0)
        {
            return scope.PredicateFor(query.ResourceType, ScopeInteractions.Search) is AccessPredicate.Nothing ? null : query;
        }

        var parts = query.Parts.Where(part => scope.PredicateFor(part.ResourceType, ScopeInteractions.Search) is not AccessPredicate.Nothing).ToList();
        return parts.Count == 0 ? null : query with { Parts = parts };
    }

    private void Recheck(IReadOnlyList<StoredResource> leaving, Func<string, AccessPredicate> predicateOf)
    {
        foreach (var resource in leaving)
        {
            var predicate = predicateOf(resource.Type);
            if (predicate is not AccessPredicate.Everything && !_leaving.Permits(predicate, resource.Type, JsonTree.Parse(resource.Body).Require()))
            {
                throw new AccessDisagreementException(resource.Type);
            }
        }
    }
}
