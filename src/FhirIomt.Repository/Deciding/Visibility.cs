using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>The check on a document, with what the document hangs on: a DeviceMetric on its Device, a Binary on its security context.</summary>
internal sealed class Visibility(IStore store, SearchIndexer indexer)
{
    private readonly LeavingCheck _leaving = new(indexer);

    public async ValueTask<bool> PermitsAsync(AccessPredicate predicate, string type, JsonTree resource, CancellationToken cancellationToken)
    {
        if (predicate is AccessPredicate.Everything || _leaving.AttachedTo(type, resource) is not var (targetType, targetId))
        {
            return _leaving.Permits(predicate, type, resource);
        }

        var target = await store.ReadAsync(targetType, targetId, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } found ? JsonTree.Parse(found.Body).Require() : null;
        return _leaving.Permits(predicate, type, resource, (_, _) => target);
    }

    public ValueTask<bool> PermitsAsync(AccessPredicate predicate, StoredResource resource, CancellationToken cancellationToken) =>
        predicate is AccessPredicate.Everything ? new(true)
        : PatientCompartment.AttachedBy(resource.Type) is null ? new(_leaving.Permits(predicate, resource))
        : PermitsAsync(predicate, resource.Type, JsonTree.Parse(resource.Body).Require(), cancellationToken);

    /// <summary>Permitted by the document alone: what most of a page is, without waiting for anything.</summary>
    public bool PermitsByItself(AccessPredicate predicate, StoredResource resource) =>
        predicate is AccessPredicate.Everything || (PatientCompartment.AttachedBy(resource.Type) is null && _leaving.Permits(predicate, resource));

    /// <summary>The same inside a transaction, which sees what it has written.</summary>
    public bool Permits(AccessPredicate predicate, string type, JsonTree resource, IWriteTransaction transaction) =>
        _leaving.Permits(predicate, type, resource, (targetType, id) => transaction.Find(targetType, id) is { IsDeleted: false } found ? JsonTree.Parse(found.Body).Require() : null);

    /// <summary>A search answered something that the document does not permit: a bug, and nothing leaves.</summary>
    public async ValueTask RequireAsync(AccessPredicate predicate, StoredResource resource, CancellationToken cancellationToken)
    {
        if (!await PermitsAsync(predicate, resource, cancellationToken).ConfigureAwait(false))
        {
            throw new AccessDisagreementException(resource.Type);
        }
    }
}
