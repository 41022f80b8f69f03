using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>Searches on behalf of somebody: authorise, search within what is permitted, look once more at what leaves.</summary>
public sealed class SearchService(IStore store, SearchIndexer indexer)
{
    private readonly Visibility _visibility = new(store, indexer);
    private readonly ReadingProvenanceSearch _readings = new(store, indexer);

    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        var access = scope.SearchAccessFor(query.ResourceType);
        if (Permitted(query, access, scope) is not { } permitted)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(query.Parts.Count > 0 ? "any type" : query.ResourceType, "search"));
        }

        // Looking through a type is searching it: an empty answer would not tell the caller that the question was not heard.
        if (LookedThrough.DeniedType(permitted, scope) is { } denied)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(denied, "search"));
        }

        if (HiddenParameters.UsedBy(permitted, scope.Rules.Fields) is { } hidden)
        {
            return new SearchResult.Refused(RepositoryIssues.HiddenParameter(hidden));
        }

        // An included resource is read, not searched for: its type needs the read right.
        access = access with
        {
            Matches = SearchedPatients.Narrowed(access.Matches, query),
            Part = part => SearchedPatients.Narrowed(scope.PredicateFor(part.ResourceType, ScopeInteractions.Search), part),
        };
        if (_readings.WhyNot(permitted) is { } notSearched)
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, notSearched));
        }

        var (page, issues) = await StoredAsync(permitted, access, cancellationToken).ConfigureAwait(false);
        if (page is null)
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
        }

        page = await WithReadingsAsync(permitted, page, access, cancellationToken).ConfigureAwait(false);

        await RecheckAsync(page.Matches, query.Parts.Count > 0 ? access.Chained : _ => access.Matches, cancellationToken).ConfigureAwait(false);
        await RecheckAsync(page.Included, access.Included, cancellationToken).ConfigureAwait(false);
        var fields = scope.Rules.Fields;
        return new SearchResult.Found(fields.HidesAnything ? page with { Matches = FieldMask.Apply(page.Matches, fields), Included = FieldMask.Apply(page.Included, fields) } : page);
    }

    private async ValueTask<(SearchPage? Page, IReadOnlyList<Issue> Issues)> StoredAsync(SearchQuery query, SearchAccess access, CancellationToken cancellationToken)
    {
        // What is stored was told on the pages before.
        if (ReadingProvenanceSearch.PartOf(query) is not null && ReadingProvenanceSearch.IsOwnCursor(query.Cursor))
        {
            return (new SearchPage([], [], null, null), []);
        }

        return (await store.SearchAsync(query, access, cancellationToken).ConfigureAwait(false)).TryGetValue(out var page, out var issues) ? (page, issues) : (null, issues);
    }

    // The Provenance of readings is not stored, but told from the audit.
    private async ValueTask<SearchPage> WithReadingsAsync(SearchQuery query, SearchPage page, SearchAccess access, CancellationToken cancellationToken)
    {
        if (ReadingProvenanceSearch.PartOf(query) is { } part)
        {
            var before = page.Matches.Count;
            page = page.Next is null
                ? await _readings.AfterAsync(query, page, query.Parts.Count > 0 ? access.Part(part) : access.Matches, cancellationToken).ConfigureAwait(false)
                : page with { Total = null };
            page = page.Matches.Count > before ? await WithTargetsAsync(query, page, access, cancellationToken).ConfigureAwait(false) : page;
        }

        if (query.Includes.Any(rule => rule.Reverse && rule.SourceType is "Provenance" or "*" && rule.Parameter is null or { Code: "target" }))
        {
            var referring = await _readings.ReferringToAsync(page.Matches, access.Included("Provenance"), cancellationToken).ConfigureAwait(false);
            page = Including(page, referring);
        }

        return page;
    }

    private async ValueTask<SearchPage> WithTargetsAsync(SearchQuery query, SearchPage page, SearchAccess access, CancellationToken cancellationToken)
    {
        var parameters = query.Includes.Where(rule => !rule.Reverse && rule.SourceType == "Provenance" && rule.Parameter is not null).Select(rule => rule.Parameter!).ToList();
        var referred = page.Matches.Where(match => parameters.Count > 0 && ReadingProvenance.Owns(match.Type, match.Id))
            .SelectMany(match => indexer.Extract(JsonTree.Parse(match.Body).Require(), parameters)).OfType<IndexValue.Reference>()
            .Where(value => query.Includes.Any(rule => rule.Parameter == value.Parameter && (rule.TargetType is null || rule.TargetType == value.Type)))
            .Select(value => (value.Type, value.Id)).Distinct().Take(SearchLimits.MaxIncluded);
        var found = new List<StoredResource>();
        foreach (var (type, id) in referred)
        {
            if (type is not null && id is not null && access.Included(type) is not AccessPredicate.Nothing and var predicate
                && await store.ReadAsync(type, id, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } target && await _visibility.PermitsAsync(predicate, target, cancellationToken).ConfigureAwait(false))
            {
                found.Add(target);
            }
        }

        return Including(page, found);
    }

    // Each once, and none that is a match.
    private static SearchPage Including(SearchPage page, IReadOnlyList<StoredResource> more)
    {
        var known = page.Matches.Concat(page.Included).Select(one => (one.Type, one.Id)).ToHashSet();
        var all = page.Included.Concat(more.Where(one => known.Add((one.Type, one.Id)))).ToList();
        return page with { Included = [.. all.Take(SearchLimits.MaxIncluded)], IncludesCut = page.IncludesCut || all.Count > SearchLimits.MaxIncluded };
    }

    // Of several types those that the caller may search; none is a refusal.
    private static SearchQuery? Permitted(SearchQuery query, SearchAccess access, AccessScope scope)
    {
        if (query.Parts.Count == 0)
        {
            return access.Matches is AccessPredicate.Nothing ? null : query;
        }

        var parts = query.Parts.Where(part => scope.PredicateFor(part.ResourceType, ScopeInteractions.Search) is not AccessPredicate.Nothing).ToList();
        return parts.Count == 0 ? null : query with { Parts = parts };
    }

    private async ValueTask RecheckAsync(IReadOnlyList<StoredResource> leaving, Func<string, AccessPredicate> predicateOf, CancellationToken cancellationToken)
    {
        // Resources of one type mostly follow each other.
        var (type, predicate) = ("", (AccessPredicate)AccessPredicate.Nothing.Instance);
        foreach (var resource in leaving)
        {
            if (resource.Type != type)
            {
                (type, predicate) = (resource.Type, predicateOf(resource.Type));
            }

            if (!_visibility.PermitsByItself(predicate, resource))
            {
                await _visibility.RequireAsync(predicate, resource, cancellationToken).ConfigureAwait(false);
            }
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
