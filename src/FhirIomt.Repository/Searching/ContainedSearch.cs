using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>
/// Searches that find resources inside others (<c>_contained</c>, R4 §3.1.1.5.5). The index says which resources contain one of the type (its parameter <c>contained-type</c>); those that the caller may see
/// are looked through, and each resource inside is judged by itself: all criteria must hold of the same one, and the caller must be allowed what he would be if it stood alone.
/// </summary>
public sealed class ContainedSearch(IStore store, SearchService searches, SearchQueryParser parser, SearchIndexer indexer, IndexPolicy policy)
{
    /// <summary>The parameter that comes with the server: the types of what is contained.</summary>
    public const string TypeParameter = "contained-type";

    // Looked through for one page, a search each; what is left comes with the next page.
    private const int MaxContainers = 500;

    // Looked through to count what is inside, all at once.
    private const int MaxCounted = 10_000;

    private const string Prefix = "c.";

    // In a cursor: whichever type the caller may see that comes first.
    private const string FirstType = "*";

    private readonly CriterionMatch _match = new(indexer);
    private readonly Visibility _visibility = new(store, indexer);

    /// <summary>Any search: one that asks for nothing inside others goes to the store as it is.</summary>
    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        if (query.Contained == ContainedMode.None)
        {
            return await searches.SearchAsync(query, scope, cancellationToken).ConfigureAwait(false);
        }

        if (Refuse(query, scope) is { } refusal)
        {
            return new SearchResult.Refused(refusal);
        }

        long? total = null;
        if (query.CountOnly || query.Total == TotalMode.Accurate)
        {
            var counted = await CountAsync(query, scope, cancellationToken).ConfigureAwait(false);
            if (counted is not SearchResult.Found { Page.Total: { } number })
            {
                return counted;
            }

            total = number;
        }

        if (query.CountOnly)
        {
            return new SearchResult.Found(new SearchPage([], [], null, total));
        }

        var result = await PageAsync(query, scope, cancellationToken).ConfigureAwait(false);
        return result is SearchResult.Found found ? found with { Page = found.Page with { Total = total } } : result;
    }

    private async ValueTask<SearchResult> PageAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        if (query.Contained == ContainedMode.Only || query.Cursor?.StartsWith(Prefix, StringComparison.Ordinal) == true)
        {
            return await InsideAsync(query, query.Cursor, scope, cancellationToken).ConfigureAwait(false);
        }

        // Those that stand by themselves come first; the last of their pages leads to the others.
        var result = await searches.SearchAsync(query with { Contained = ContainedMode.None, Total = TotalMode.None }, scope, cancellationToken).ConfigureAwait(false);
        return result is SearchResult.Found found ? found with { Page = found.Page with { Next = found.Page.Next ?? Position.At(FirstType).ToText(query) } } : result;
    }

    // All that stand by themselves, where those are asked for, and all inside others.
    private async ValueTask<SearchResult> CountAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        var (total, looked) = (0L, 0);
        if (query.Contained == ContainedMode.Both)
        {
            var alone = await searches.SearchAsync(query with { Contained = ContainedMode.None, CountOnly = true, Cursor = null }, scope, cancellationToken).ConfigureAwait(false);
            if (alone is not SearchResult.Found { Page.Total: { } number })
            {
                return alone;
            }

            total = number;
        }

        foreach (var type in ContainerTypes(scope))
        {
            string? cursor = null;
            do
            {
                var result = await searches.SearchAsync(ContainersOf(query.ResourceType, type, count: 100) with { Cursor = cursor }, scope, cancellationToken).ConfigureAwait(false);
                if (result is not SearchResult.Found { Page: var page })
                {
                    return result;
                }

                looked += page.Matches.Count;
                if (looked > MaxCounted)
                {
                    return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, SearchIssues.ContainedNotCounted(MaxCounted)));
                }

                foreach (var container in page.Matches)
                {
                    total += (await MatchesInAsync(container, query, scope, cancellationToken).ConfigureAwait(false)).Count;
                }

                cursor = page.Next;
            }
            while (cursor is not null);
        }

        return new SearchResult.Found(new SearchPage([], [], null, total));
    }

    private Refusal? Refuse(SearchQuery query, AccessScope scope)
    {
        if (scope.PredicateFor(query.ResourceType, ScopeInteractions.Search) is AccessPredicate.Nothing)
        {
            return RepositoryIssues.TypeDenied(query.ResourceType, "search");
        }

        if (HiddenParameters.UsedBy(query, scope.Rules.Fields) is { } hidden)
        {
            return RepositoryIssues.HiddenParameter(hidden);
        }

        var issue = query.Parts.Count > 0 ? SearchIssues.ContainedNotSearched("over several types")
            : query.Sort.Count > 0 || query.Includes.Count > 0 ? SearchIssues.ContainedNotSearched("with an order or includes")
            : !query.Criteria.All(CriterionMatch.CanDecide) ? SearchIssues.ContainedNotSearched("by what other resources say, or by when they were stored")
            : policy.Find("Patient", TypeParameter) is { } parameter ? policy.WhyNot(parameter)
            : SearchIssues.NotIndexed(TypeParameter);
        return issue is null ? null : new Refusal(RefusalKind.BadRequest, issue);
    }

    private async ValueTask<SearchResult> InsideAsync(SearchQuery query, string? cursor, AccessScope scope, CancellationToken cancellationToken)
    {
        var types = ContainerTypes(scope);
        var position = cursor is null ? Position.At(FirstType) : Position.TryParse(cursor, query);
        position = position?.Type == FirstType ? Position.At(types.FirstOrDefault()) : position;
        if (position is null || (position.Type is { } begun && !types.Contains(begun, StringComparer.Ordinal)))
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, SearchIssues.BadCursor()));
        }

        var (matches, containers, looked) = (new List<StoredResource>(), new List<StoredResource>(), 0);
        while (position.Type is { } type && matches.Count < query.Count && looked < MaxContainers)
        {
            var result = await searches.SearchAsync(ContainersOf(query.ResourceType, type, count: 1) with { Cursor = position.Container }, scope, cancellationToken).ConfigureAwait(false);
            if (result is not SearchResult.Found { Page: var page })
            {
                return result;
            }

            if (page.Matches is not [var container])
            {
                position = Position.At(types.ElementAtOrDefault(types.IndexOf(type) + 1));
                continue;
            }

            looked++;
            var inside = await MatchesInAsync(container, query, scope, cancellationToken).ConfigureAwait(false);
            var before = matches.Count;
            matches.AddRange(inside.Skip(position.Skipped).Take(query.Count - before));
            containers.AddRange(matches.Count > before ? [container] : []);
            var seen = position.Skipped + matches.Count - before;
            position = seen < inside.Count ? position with { Skipped = seen }
                : page.Next is { } next ? position with { Container = next, Skipped = 0 }
                : Position.At(types.ElementAtOrDefault(types.IndexOf(type) + 1));
        }

        return new SearchResult.Found(new SearchPage(matches, [], position.Type is null ? null : position.ToText(query), null)) { Containers = containers };
    }

    private List<string> ContainerTypes(AccessScope scope) =>
        [.. policy.Definitions.ResourceTypes.Where(type => policy.Find(type, TypeParameter) is not null && scope.PredicateFor(type, ScopeInteractions.Search) is not AccessPredicate.Nothing)];

    /// <param name="count">One at a time leaves the position between two of them.</param>
    private SearchQuery ContainersOf(string contained, string type, int count) =>
        parser.Parse(type, [new SearchArgument(TypeParameter, contained), new SearchArgument("_count", count.ToString(CultureInfo.InvariantCulture))], lenient: false).Require();

    // One for each match, or the container once.
    private async ValueTask<List<StoredResource>> MatchesInAsync(StoredResource container, SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(query.ResourceType, ScopeInteractions.Search);
        var found = new List<StoredResource>();
        foreach (var inside in ContainedIn(container, query.ResourceType))
        {
            var tree = JsonTree.Parse(inside).Require();
            if (!query.Criteria.All(criterion => _match.Matches(criterion, tree)) || !await _visibility.PermitsAsync(predicate, query.ResourceType, tree, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            if (!query.ContainedAlone)
            {
                return [container];
            }

            // Its address is that of its container and the id within it.
            found.Add(new StoredResource(container.Type, $"{container.Id}#{tree.Root["id"u8].AsString()}", container.Version, container.LastUpdated, inside));
        }

        return found;
    }

    // Resources are not nested deeper (R4 §2.4.3: a contained resource contains none).
    private static List<ReadOnlyMemory<byte>> ContainedIn(StoredResource container, string type)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        foreach (var item in JsonTree.Parse(container.Body).Require().Root["contained"u8].Items)
        {
            if (item["resourceType"u8].AsString() == type)
            {
                found.Add(item.Raw);
            }
        }

        return found;
    }

    /// <param name="Type">Of the containers that come next; null behind the last.</param>
    /// <param name="Container">Where they go on; null for the first.</param>
    /// <param name="Skipped">How many matches of the next container were on the page before.</param>
    private sealed record Position(string? Type, string? Container, int Skipped)
    {
        public static Position At(string? type) => new(type, null, 0);

        public string ToText(SearchQuery query) => $"{Prefix}{query.Fingerprint:x}.{Type}.{Skipped:x}.{Container}";

        public static Position? TryParse(string text, SearchQuery query) =>
            text.Split('.') is ["c", var fingerprint, var type, var skipped, var container] && fingerprint == query.Fingerprint.ToString("x", CultureInfo.InvariantCulture)
                && int.TryParse(skipped, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) && number >= 0
                ? new Position(type.Length == 0 ? null : type, container.Length == 0 ? null : container, number) : null;
    }
}
