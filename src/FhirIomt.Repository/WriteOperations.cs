using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository;

/// <summary>Create, or conditional create: the condition is decided inside the transaction, so of fifty parallel ones a single one creates.</summary>
internal sealed class CreateOperation(PreparedResource resource, string id, SearchQuery? ifNoneExist, SearchAccess search, IReadOnlyList<Issue> warnings) : WriteOperation
{
    public WriteResult? Result { get; private set; }

    public override void Run(IWriteTransaction transaction)
    {
        var matches = ifNoneExist is null ? [] : transaction.Search(ifNoneExist with { Count = 2 }, search);
        Result = matches.Count switch
        {
            0 => new WriteResult.Created(transaction.Put(resource, id, previous: null), warnings),
            1 => new WriteResult.Unchanged(matches[0]),
            _ => new WriteResult.Refused(RepositoryIssues.SeveralMatch()),
        };
    }
}

/// <summary>Update, or update as create where the caller may see and write every instance: otherwise the answer would tell of hidden ids.</summary>
internal sealed class UpdateOperation(PreparedResource resource, string id, long? ifMatch, AccessPredicate predicate, LeavingCheck leaving, IReadOnlyList<Issue> warnings) : WriteOperation
{
    public WriteResult? Result { get; private set; }

    public override void Run(IWriteTransaction transaction)
    {
        var existing = transaction.Find(resource.Type, id);
        Result = existing is { IsDeleted: false } ? Update(transaction, existing) : Create(transaction, existing);
    }

    private WriteResult Update(IWriteTransaction transaction, StoredResource existing)
    {
        var before = JsonTree.Parse(existing.Body).Require();
        if (!leaving.Permits(predicate, existing.Type, before))
        {
            return new WriteResult.Refused(RepositoryIssues.NotFound());
        }

        if (ifMatch is { } wanted && wanted != existing.Version)
        {
            return new WriteResult.Refused(RepositoryIssues.VersionConflict($"{wanted}"));
        }

        return ResourceComparison.SameButForVersion(before.Root, resource.Tree.Root)
            ? new WriteResult.Unchanged(existing)
            : new WriteResult.Updated(transaction.Put(resource, id, existing), warnings);
    }

    private WriteResult Create(IWriteTransaction transaction, StoredResource? deleted)
    {
        if (predicate is not AccessPredicate.Everything)
        {
            return new WriteResult.Refused(RepositoryIssues.NotFound());
        }

        return ifMatch is { } wanted
            ? new WriteResult.Refused(RepositoryIssues.VersionConflict($"{wanted}"))
            : new WriteResult.Created(transaction.Put(resource, id, deleted), warnings);
    }
}
