using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Definitions;
using FhirIomt.Repository.Readings;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;
using FhirIomt.Validation;

namespace FhirIomt.Repository;

/// <summary>The one door to stored resources: authorise, validate, store. REST and devices both come through here.</summary>
public sealed class ResourceRepository(IStore store, ServerDefinitions definitions, SearchIndexer indexer, IndexPolicy policy)
{
    // Looked through for one page of history: 20 pages of hidden versions take about 20 ms.
    private const int MaxHistoryPages = 20;

    private readonly Visibility _visibility = new(store, indexer);
    private readonly SearchService _search = new(store, indexer);
    private readonly ReadingProvenanceSearch _readings = new(store, indexer);

    public async ValueTask<ReadResult> ReadAsync(string type, string id, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(type, ScopeInteractions.Read);
        if (predicate is AccessPredicate.Nothing)
        {
            return new ReadResult.Refused(RepositoryIssues.TypeDenied(type, "read"));
        }

        if (ReadingProvenance.Owns(type, id))
        {
            return Masked(await _readings.ReadAsync(id, predicate, cancellationToken).ConfigureAwait(false), scope);
        }

        var nearest = await store.ReadNearestAsync(type, id, cancellationToken).ConfigureAwait(false);
        return Masked(await LeaveAsync(nearest, nearest?.Id == id, predicate, cancellationToken).ConfigureAwait(false), scope);
    }

    public async ValueTask<ReadResult> ReadVersionAsync(string type, string id, long version, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(type, ScopeInteractions.Read);
        if (predicate is AccessPredicate.Nothing)
        {
            return new ReadResult.Refused(RepositoryIssues.TypeDenied(type, "vread"));
        }

        if (ReadingProvenance.Owns(type, id))
        {
            return version == 1 ? Masked(await _readings.ReadAsync(id, predicate, cancellationToken).ConfigureAwait(false), scope) : new ReadResult.Refused(RepositoryIssues.NotFound());
        }

        // A version counts by what it said then: one that belonged to another patient stays hidden after the resource moved. What is near is read in any case, to be judged where there is no such version.
        var near = predicate is AccessPredicate.Everything ? null : await store.ReadNearestAsync(type, id, cancellationToken).ConfigureAwait(false);
        var asked = await store.ReadVersionAsync(type, id, version, cancellationToken).ConfigureAwait(false);
        return Masked(await LeaveAsync(asked ?? Anew(near), asked is not null, predicate, cancellationToken).ConfigureAwait(false), scope);
    }

    // A version comes from the store with nothing known of it yet; judging one of which it is remembered took 3 µs less, which would tell.
    private static StoredResource? Anew(StoredResource? near) =>
        near is null ? null : new StoredResource(near.Type, near.Id, near.Version, near.LastUpdated, near.Body.ToArray()) { IsDeleted = near.IsDeleted };

    private static ReadResult Masked(ReadResult result, AccessScope scope) => result is ReadResult.Found found ? new ReadResult.Found(FieldMask.Apply(found.Resource, scope.Rules.Fields)) : result;

    /// <summary>
    /// Versions that the caller may see, newest first (R4 §3.1.0.13). The history of one resource needs the right to read, that of a type or of everything the right
    /// to search; each version counts by what it said.
    /// </summary>
    public async ValueTask<HistoryResult> HistoryAsync(HistoryQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        var interaction = query.Id is null ? ScopeInteractions.Search : ScopeInteractions.Read;
        var predicates = new Dictionary<string, AccessPredicate>(StringComparer.Ordinal);
        if (query.Type is { } type && scope.PredicateFor(type, interaction) is AccessPredicate.Nothing)
        {
            return new HistoryResult.Refused(RepositoryIssues.TypeDenied(type, "history"));
        }

        if (query.Type is null && policy.Definitions.ResourceTypes.All(one => scope.PredicateFor(one, interaction) is AccessPredicate.Nothing))
        {
            return new HistoryResult.Refused(RepositoryIssues.TypeDenied("any type", "history"));
        }

        if (query is { Type: "Provenance", Id: { } one } && ReadingProvenance.Owns("Provenance", one))
        {
            return await ReadAsync("Provenance", one, scope, cancellationToken).ConfigureAwait(false) switch
            {
                ReadResult.Found { Resource: var only } => new HistoryResult.Found(only.LastUpdated >= query.Since || query.Since is null ? [only] : [], null),
                ReadResult.Refused refused => new HistoryResult.Refused(refused.Refusal),
                _ => throw new InvalidOperationException("ReadResult is a closed set."),
            };
        }

        var visible = new List<StoredResource>(query.Count);
        var (cursor, pages) = (query.Cursor, 0);
        while (true)
        {
            var outcome = await store.HistoryAsync(query with { Cursor = cursor, Count = query.Count - visible.Count }, cancellationToken).ConfigureAwait(false);
            if (!outcome.TryGetValue(out var page, out var issues))
            {
                return new HistoryResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
            }

            foreach (var version in page.Versions)
            {
                var predicate = predicates.TryGetValue(version.Type, out var known) ? known : predicates[version.Type] = scope.PredicateFor(version.Type, interaction);
                if (predicate is not AccessPredicate.Nothing && await IsVisibleAsync(version, predicate, cancellationToken).ConfigureAwait(false))
                {
                    visible.Add(version);
                }
            }

            // A page that shows little says no more than that much is hidden somewhere; looking through everything at once would let one request run for hours.
            cursor = page.Next;
            if (cursor is null || visible.Count >= query.Count || ++pages >= MaxHistoryPages)
            {
                var isUnknown = query is { Type: not null, Id: not null, Cursor: null } && visible.Count == 0 && cursor is null
                    && await ReadAsync(query.Type, query.Id, scope, cancellationToken).ConfigureAwait(false) is ReadResult.Refused { Refusal.Kind: RefusalKind.NotFound };
                return isUnknown ? new HistoryResult.Refused(RepositoryIssues.NotFound()) : new HistoryResult.Found(FieldMask.Apply(visible, scope.Rules.Fields), cursor);
            }
        }
    }

    /// <summary>As <see cref="SearchService"/> does it.</summary>
    public ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken) => _search.SearchAsync(query, scope, cancellationToken);

    /// <summary>Validates a resource that the server itself is about to write; a refusal carries every issue.</summary>
    public Outcome<PreparedResource> Prepare(string type, JsonTree resource)
    {
        var issues = definitions.Validator.Validate(resource);
        return issues.Any(issue => issue.Refuses)
            ? Outcome<PreparedResource>.Refused(issues)
            : Outcome<PreparedResource>.Success(PreparedResource.Create(type, resource, indexer, policy), issues);
    }

    /// <summary>
    /// Validates a reading that a mapping made: refused for the R4 base and the profiles that the mapping claims. A mapping from elsewhere claims none; what
    /// the vital-signs profile of its code finds is then told as warnings, and the reading is taken.
    /// </summary>
    public Outcome<PreparedResource> PrepareReading(string type, JsonTree resource)
    {
        if (type != "Observation" || VitalSigns.ProfileOf(resource.Root) is not { } profile)
        {
            return Prepare(type, resource);
        }

        var issues = definitions.Validator.Validate(resource, [profile]);
        if (!issues.Any(issue => issue.Refuses))
        {
            return Outcome<PreparedResource>.Success(PreparedResource.Create(type, resource, indexer, policy), issues);
        }

        return Prepare(type, resource).TryGetValue(out var prepared, out var refusals)
            ? Outcome<PreparedResource>.Success(prepared, [.. issues.Select(issue => issue with { Severity = IssueSeverity.Warning })])
            : Outcome<PreparedResource>.Refused(refusals);
    }

    // What is near is judged as well as what was asked for: otherwise a quick no would tell that it is not there.
    private async ValueTask<ReadResult> LeaveAsync(StoredResource? stored, bool isAskedFor, AccessPredicate predicate, CancellationToken cancellationToken)
    {
        if (stored is null || !await IsVisibleAsync(stored, predicate, cancellationToken).ConfigureAwait(false) || !isAskedFor)
        {
            return new ReadResult.Refused(RepositoryIssues.NotFound());
        }

        return stored.IsDeleted ? new ReadResult.Refused(RepositoryIssues.Gone()) : new ReadResult.Found(stored);
    }

    // A deletion is visible to whom the version before it was.
    private async ValueTask<bool> IsVisibleAsync(StoredResource stored, AccessPredicate predicate, CancellationToken cancellationToken)
    {
        if (predicate is AccessPredicate.Everything)
        {
            return true;
        }

        var judged = stored.IsDeleted ? await store.ReadVersionAsync(stored.Type, stored.Id, stored.Version - 1, cancellationToken).ConfigureAwait(false) : stored;
        return judged is { IsDeleted: false } && await _visibility.PermitsAsync(predicate, judged, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>The query let something through that the check on the document does not permit: a bug, and nothing leaves.</summary>
public sealed class AccessDisagreementException(string resourceType)
    : Exception($"The search index and the document disagree about access to a {resourceType}.");
