using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Writing;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>
/// Runs after writes, in their own transaction: what was written and that it was written are durable together or not at all. Refusals are recorded by who
/// answers them, since most never come as far as a transaction.
/// </summary>
/// <param name="whole">The transaction that all of them belong to; null when each stands by itself.</param>
internal sealed class AuditedWrites(AuditLog audit, AccessScope scope, IReadOnlyList<(PlannedWrite Write, WriteRequest Request)> writes, TransactionPlan? whole) : WriteOperation
{
    public override void Run(IWriteTransaction transaction)
    {
        if (whole is { Moved: true } or { Refused: not null })
        {
            return;
        }

        foreach (var (write, request) in writes)
        {
            if (!write.Moved && Written(write.Result) is { } resources)
            {
                audit.Record(transaction, AuditEntry.Of(KindOf(request, write.Result), scope) with
                {
                    Resources = [.. resources, .. write.Replaced],
                    Target = resources is [var only] ? $"{only.Type}/{only.Id}/_history/{only.Version}" : request.Type,
                });
            }
        }
    }

    // What is submitted again, and corrected, is an update.
    private static string KindOf(WriteRequest request, WriteResult? result) => request switch
    {
        WriteRequest.Create => result is WriteResult.Updated ? "update" : "create",
        WriteRequest.Update => "update",
        WriteRequest.Patch => "patch",
        _ => "delete",
    };

    private static IReadOnlyList<StoredResource>? Written(WriteResult? result) => result switch
    {
        WriteResult.Created created => [created.Resource],
        WriteResult.Updated updated => [updated.Resource],
        WriteResult.Unchanged unchanged => [unchanged.Resource],
        WriteResult.Deleted deleted => deleted.Resources,
        _ => null,
    };
}
