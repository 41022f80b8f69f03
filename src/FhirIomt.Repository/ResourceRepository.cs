using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;
using FhirIomt.Validation;

namespace FhirIomt.Repository;

/// <summary>The one door to stored resources: authorise, validate, store. REST and devices both come through here.</summary>
public sealed class ResourceRepository(IStore store, ResourceValidator validator, SearchIndexer indexer, IndexPolicy policy, IdSource ids)
{
    private readonly LeavingCheck _leaving = new(indexer);

    public async ValueTask<ReadResult> ReadAsync(string type, string id, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(type, ScopeInteractions.Read);
        return predicate is AccessPredicate.Nothing
            ? new ReadResult.Refused(RepositoryIssues.TypeDenied(type, "read"))
            : Leave(await store.ReadAsync(type, id, cancellationToken).ConfigureAwait(false), predicate);
    }

    public async ValueTask<ReadResult> ReadVersionAsync(string type, string id, long version, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(type, ScopeInteractions.Read);
        if (predicate is AccessPredicate.Nothing)
        {
            return new ReadResult.Refused(RepositoryIssues.TypeDenied(type, "vread"));
        }

        // A version counts by what it said then: one that belonged to another patient stays hidden after the resource moved.
        return Leave(await store.ReadVersionAsync(type, id, version, cancellationToken).ConfigureAwait(false), predicate);
    }

    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        var predicate = scope.PredicateFor(query.ResourceType, ScopeInteractions.Search);
        if (predicate is AccessPredicate.Nothing)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied(query.ResourceType, "search"));
        }

        // An included resource is read, not searched for: its type needs the read right.
        var access = scope.SearchAccessFor(query.ResourceType);
        var outcome = await store.SearchAsync(query, access, cancellationToken).ConfigureAwait(false);
        if (!outcome.TryGetValue(out var page, out var issues))
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
        }

        Recheck(page.Matches, _ => predicate);
        Recheck(page.Included, access.Included);
        return new SearchResult.Found(page);
    }

    /// <param name="ifNoneExist">The condition of a conditional create, or null.</param>
    public async ValueTask<WriteResult> CreateAsync(string type, JsonTree resource, SearchQuery? ifNoneExist, AccessScope scope, CancellationToken cancellationToken)
    {
        var create = scope.PredicateFor(type, ScopeInteractions.Create);
        var search = scope.PredicateFor(type, ScopeInteractions.Search);
        if (create is AccessPredicate.Nothing || (ifNoneExist is not null && search is AccessPredicate.Nothing))
        {
            return new WriteResult.Refused(RepositoryIssues.TypeDenied(type, ifNoneExist is null ? "create" : "conditional create"));
        }

        if (Check(type, resource, create, out var warnings) is { } refusal)
        {
            return new WriteResult.Refused(refusal);
        }

        var operation = new CreateOperation(PreparedResource.Create(type, resource, indexer, policy), ids.NewId(), ifNoneExist, scope.SearchAccessFor(type), warnings);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        if (operation.Result is WriteResult.Unchanged { Resource: var found })
        {
            Recheck([found], _ => search);
        }

        return operation.Result!;
    }

    /// <param name="ifMatch">The version that the client changed, or null for any.</param>
    public async ValueTask<WriteResult> UpdateAsync(string type, string id, JsonTree resource, long? ifMatch, AccessScope scope, CancellationToken cancellationToken)
    {
        var update = scope.PredicateFor(type, ScopeInteractions.Update);
        if (update is AccessPredicate.Nothing)
        {
            return new WriteResult.Refused(RepositoryIssues.TypeDenied(type, "update"));
        }

        if (!resource.Root["id"u8].TextEquals(System.Text.Encoding.UTF8.GetBytes(id)))
        {
            return new WriteResult.Refused(RepositoryIssues.IdMismatch(id));
        }

        if (Check(type, resource, update, out var warnings) is { } refusal)
        {
            return new WriteResult.Refused(refusal);
        }

        var operation = new UpdateOperation(PreparedResource.Create(type, resource, indexer, policy), id, ifMatch, update, _leaving, warnings);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return operation.Result!;
    }

    /// <summary>Validates a resource that the server itself is about to write; a refusal carries every issue.</summary>
    public Outcome<PreparedResource> Prepare(string type, JsonTree resource)
    {
        var issues = validator.Validate(resource);
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

        var issues = validator.Validate(resource, [profile]);
        if (!issues.Any(issue => issue.Refuses))
        {
            return Outcome<PreparedResource>.Success(PreparedResource.Create(type, resource, indexer, policy), issues);
        }

        return Prepare(type, resource).TryGetValue(out var prepared, out var refusals)
            ? Outcome<PreparedResource>.Success(prepared, [.. issues.Select(issue => issue with { Severity = IssueSeverity.Warning })])
            : Outcome<PreparedResource>.Refused(refusals);
    }

    private Refusal? Check(string type, JsonTree resource, AccessPredicate predicate, out IReadOnlyList<Issue> warnings)
    {
        warnings = [];
        if (!resource.Root["resourceType"u8].TextEquals(System.Text.Encoding.UTF8.GetBytes(type)))
        {
            return RepositoryIssues.WrongType(type);
        }

        var issues = validator.Validate(resource);
        if (issues.Any(issue => issue.Refuses))
        {
            return new Refusal(RefusalKind.Invalid, issues);
        }

        warnings = issues;
        return _leaving.Permits(predicate, type, resource) ? null : RepositoryIssues.WriteDenied();
    }

    private ReadResult Leave(StoredResource? stored, AccessPredicate predicate)
    {
        if (stored is null)
        {
            return new ReadResult.Refused(RepositoryIssues.NotFound());
        }

        if (predicate is AccessPredicate.Everything)
        {
            return stored.IsDeleted ? new ReadResult.Refused(RepositoryIssues.Gone()) : new ReadResult.Found(stored);
        }

        var permitted = !stored.IsDeleted && _leaving.Permits(predicate, stored.Type, JsonTree.Parse(stored.Body).Require());
        return permitted ? new ReadResult.Found(stored) : new ReadResult.Refused(RepositoryIssues.NotFound());
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

/// <summary>The query let something through that the check on the document does not permit: a bug, and nothing leaves.</summary>
public sealed class AccessDisagreementException(string resourceType)
    : Exception($"The search index and the document disagree about access to a {resourceType}.");
