using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>Searches on behalf of somebody: authorise, search within what is permitted, look once more at what leaves.</summary>
public sealed class SearchService(IStore store, SearchIndexer indexer)
{
    private readonly Visibility _visibility = new(store, indexer);

    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        if (Permitted(query, scope) is not { } permitted)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(query.Parts.Count > 0 ? "any type" : query.ResourceType, "search"));
        }

        // Looking through a type is searching it: an empty answer would not tell the caller that the question was not heard.
        if (LookedThrough.DeniedType(permitted, scope) is { } denied)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(denied, "search"));
        }

        // An included resource is read, not searched for: its type needs the read right.
        var access = scope.SearchAccessFor(query.ResourceType);
        access = access with
        {
            Matches = SearchedPatients.Narrowed(access.Matches, query),
            Part = part => SearchedPatients.Narrowed(scope.PredicateFor(part.ResourceType, ScopeInteractions.Search), part),
        };
        var outcome = await store.SearchAsync(permitted, access, cancellationToken).ConfigureAwait(false);
        if (!outcome.TryGetValue(out var page, out var issues))
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
        }

        await RecheckAsync(page.Matches, query.Parts.Count > 0 ? access.Chained : _ => access.Matches, cancellationToken).ConfigureAwait(false);
        await RecheckAsync(page.Included, access.Included, cancellationToken).ConfigureAwait(false);
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

    private async ValueTask RecheckAsync(IReadOnlyList<StoredResource> leaving, Func<string, AccessPredicate> predicateOf, CancellationToken cancellationToken)
    {
        var predicates = new Dictionary<string, AccessPredicate>(StringComparer.Ordinal);
        foreach (var resource in leaving)
        {
            if (!predicates.TryGetValue(resource.Type, out var predicate))
            {
                predicates[resource.Type] = predicate = predicateOf(resource.Type);
            }

            await _visibility.RequireAsync(predicate, resource, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>
/// A search that says which patients it is about needs no more of a caller's patients than those: the few are bound to the statement, and thousands are not sent along.
/// </summary>
public static class SearchedPatients
{
    /// <summary>The patients that the search says it is about; null when it says none.</summary>
    public static IReadOnlyList<string>? Of(SearchQuery query) => query.Criteria.Select(criterion => PatientsOf(criterion, query.ResourceType)).FirstOrDefault(patients => patients is not null);

    public static AccessPredicate Narrowed(AccessPredicate matches, SearchQuery query)
    {
        if (matches is AccessPredicate.Everything or AccessPredicate.Nothing)
        {
            return matches;
        }

        foreach (var criterion in query.Criteria)
        {
            if (PatientsOf(criterion, query.ResourceType) is { } patients)
            {
                return matches.Within(patients);
            }
        }

        return matches;
    }

    // The criterion must be about the element that says whose the resource is; an id alone may name something else as well, which belongs to nobody.
    private static IReadOnlyList<string>? PatientsOf(SearchCriterion criterion, string type) => criterion switch
    {
        SearchCriterion.Ids ids when type == "Patient" => ids.Values,
        SearchCriterion.References { Parameter.Code: "patient" or "subject" } references when PatientCompartment.Reaches(type) && type != "Patient"
            && references.Values.All(value => value is { Id: not null, Url: null } && !value.Id.Contains('/', StringComparison.Ordinal)) => [.. references.Values.Select(value => value.Id!)],
        _ => null,
    };
}
