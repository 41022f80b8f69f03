using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>A transaction that is ready to run: its writes in the order of the entries, and the searches whose answers the plan rests on.</summary>
/// <param name="ids">The id that each entry was planned with: references point there.</param>
internal sealed class TransactionPlan(IReadOnlyList<PlannedWrite> writes, IReadOnlyList<string?> ids, IReadOnlyList<int> order, IReadOnlyList<Resolution> resolutions) : WriteOperation
{
    private readonly HashSet<(string Type, string Id)> _written = [];

    public IReadOnlyList<PlannedWrite> Writes => writes;

    public TransactionResult.Refused? Refused { get; private set; }

    public bool Moved { get; private set; }

    public override IReadOnlyList<(string Type, string Id)> Reads => [.. writes.SelectMany(write => write.Reads)];

    public override void Run(IWriteTransaction transaction)
    {
        (Refused, Moved) = (null, false);
        _written.Clear();
        var deletions = order.TakeWhile(index => writes[index] is PlannedDelete or PlannedConditionalDelete).Count();
        transaction.TryAtomically(() => order.Take(deletions).All(index => RunOne(transaction, index)) && StillHold(transaction) && order.Skip(deletions).All(index => RunOne(transaction, index)));
    }

    // Asked after the deletions: conditions were answered as if those had been carried out.
    private bool StillHold(IWriteTransaction transaction)
    {
        Moved = !resolutions.All(resolution => resolution.StillHolds(transaction));
        return !Moved;
    }

    private bool RunOne(IWriteTransaction transaction, int index)
    {
        var write = writes[index];
        write.Run(transaction);
        Moved = write.Moved;
        if (!Moved && RefusalOf(write.Result!, ids[index]) is { } refusal)
        {
            Refused = new TransactionResult.Refused(index, refusal);
        }

        return !Moved && Refused is null;
    }

    // What entries really touched: a condition may have found what another entry has just written.
    private Refusal? RefusalOf(WriteResult result, string? plannedId) => result switch
    {
        WriteResult.Refused refused => refused.Refusal,
        WriteResult.Unchanged { Resource: var found } when plannedId is not null && found.Id != plannedId => RepositoryIssues.Overlap($"{found.Type}/{found.Id}"),
        WriteResult.Created { Resource: var created } when !_written.Add((created.Type, created.Id)) => RepositoryIssues.Overlap($"{created.Type}/{created.Id}"),
        WriteResult.Updated { Resource: var updated } when !_written.Add((updated.Type, updated.Id)) => RepositoryIssues.Overlap($"{updated.Type}/{updated.Id}"),
        WriteResult.Deleted { Resources: var deleted } when deleted.Any(one => !_written.Add((one.Type, one.Id))) => RepositoryIssues.Overlap(deleted[0].Type),
        _ => null,
    };
}

/// <summary>A search that was answered while planning, and all that it found but for what the transaction deletes: references were rewritten to it.</summary>
internal sealed record Resolution(SearchQuery Query, SearchAccess Access, IReadOnlyList<string> FoundIds)
{
    public bool StillHolds(IWriteTransaction transaction)
    {
        var matches = transaction.Search(Query with { Count = FoundIds.Count + 1 }, Access);
        return matches.Count == FoundIds.Count && matches.All(match => FoundIds.Contains(match.Id, StringComparer.Ordinal));
    }
}
