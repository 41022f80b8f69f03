using FhirIomt.Access;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage;

/// <summary>
/// One unit of work inside the write transaction: it looks, decides and writes, and keeps its own result. All conditions (If-Match, If-None-Exist,
/// source keys) are decided here, so two callers can never both win. An operation may run again after a neighbour failed: it must set its result anew.
/// </summary>
public abstract class WriteOperation
{
    public abstract void Run(IWriteTransaction transaction);

    /// <summary>The resources that <see cref="Run"/> will certainly ask for by <see cref="IWriteTransaction.Find"/>: an engine behind a network fetches those of a whole group at once.</summary>
    public virtual IReadOnlyList<(string Type, string Id)> Reads => [];
}

/// <summary>What an operation can do inside the transaction.</summary>
public interface IWriteTransaction
{
    /// <summary>The current version, a deletion included; sees what earlier operations wrote.</summary>
    StoredResource? Find(string type, string id);

    /// <summary>One version, the current one included; sees what earlier operations wrote.</summary>
    StoredResource? FindVersion(string type, string id, long version);

    /// <summary>The first matches of a search, for conditional interactions.</summary>
    /// <exception cref="SearchRefusedException">The engine cannot carry it out: too many values, too many units.</exception>
    IReadOnlyList<StoredResource> Search(SearchQuery query, SearchAccess access);

    /// <summary>Writes the next version.</summary>
    /// <param name="previous">What <see cref="Find"/> answered for this id.</param>
    StoredResource Put(PreparedResource resource, string id, StoredResource? previous);

    /// <summary>Writes a deletion as the next version; what it answers has <see cref="StoredResource.IsDeleted"/>.</summary>
    /// <param name="previous">The current version, not itself a deletion.</param>
    StoredResource Delete(StoredResource previous);

    /// <summary>Runs work that answers whether to keep it; when not, everything it wrote is undone, and nothing else.</summary>
    bool TryAtomically(Func<bool> work);

    StoredRecord? FindRecord(string kind, string id);

    void PutRecord(StoredRecord record);

    void DeleteRecord(string kind, string id);

    /// <summary>Indexes again, by all parameters of the moment, the next resources of a type; adds what new parameters find.</summary>
    /// <param name="after">What the call before answered; 0 begins with those changed at or after <paramref name="since"/>.</param>
    /// <returns>A position to go on from, and how many were looked at: none at the end.</returns>
    (long Position, int Count) ReindexNext(string type, long after, DateTimeOffset since, int limit);

    /// <summary>Takes away records whose time is over.</summary>
    void DeleteExpiredRecords();

    /// <summary>Adds a line to the audit, in the same commit as everything else. An attempt that is undone does not undo it.</summary>
    void Audit(AuditRow row);

    /// <summary>Takes away the audit's oldest commits, as far as all their lines were written before that time; the rest stays a chain.</summary>
    /// <returns>Lines that went.</returns>
    long PruneAudit(DateTimeOffset before, int limit);
}

/// <summary>A condition that no engine carries out: the caller's fault, found inside the transaction. Nothing of the operation was written.</summary>
public sealed class SearchRefusedException(IReadOnlyList<Core.Issue> issues) : Exception("The condition was refused.")
{
    public IReadOnlyList<Core.Issue> Issues { get; } = issues;
}

/// <summary>A resource that is ready to be written: parsed, validated, its index values extracted; all the work that needs no transaction.</summary>
public sealed record PreparedResource(string Type, JsonTree Tree, IReadOnlyList<IndexValue> Index)
{
    /// <summary>The source key that gave the resource its id, where whoever prepared it knows it: what would otherwise be worked out again inside the transaction.</summary>
    public SourceKey? Key { get; init; }

    /// <summary>What full-text search looks through; null when there is nothing.</summary>
    public SearchText? Text { get; init; }

    public static PreparedResource Create(string type, JsonTree tree, SearchIndexer indexer, IndexPolicy policy) =>
        new(type, tree, indexer.Extract(tree, policy.ExtractedParameters(type))) { Text = SearchText.Of(type, tree) };
}
