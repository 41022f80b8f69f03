using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Definitions;
using FhirIomt.Repository.Writing;
using FhirIomt.Storage;

namespace FhirIomt.Repository;

/// <summary>Writes what REST clients ask for: alone, several that know nothing of each other, or all or nothing. Plans outside the transaction, decides inside.</summary>
public sealed class ResourceWriter(IStore store, ServerDefinitions definitions, SearchIndexer indexer, IndexPolicy policy, SearchQueryParser parser, IdSource ids, RepositoryOptions options, AuditLog audit)
{
    // Somebody who changes one resource again and again between plan and write; beyond it the client shall decide.
    private const int MaxPlans = 8;

    private readonly WritePlanner _planner = new(store, definitions, indexer, policy, ids);
    private readonly Visibility _visibility = new(store, indexer);

    public async ValueTask<WriteResult> WriteAsync(WriteRequest request, AccessScope scope, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxPlans; attempt++)
        {
            var planned = await _planner.PlanAsync(request, scope, options.MaxConditionalDeletes, newId: null, cancellationToken).ConfigureAwait(false);
            if (planned.Write is not { } write)
            {
                return new WriteResult.Refused(planned.Refusal!);
            }

            if (await RunAsync(Audited([write], scope, [(write, request)], whole: null), cancellationToken).ConfigureAwait(false) is { } impossible)
            {
                return new WriteResult.Refused(impossible);
            }

            if (!write.Moved)
            {
                await TakeUpAsync([request.Type]).ConfigureAwait(false);
                return await CheckedAsync(write, scope, cancellationToken).ConfigureAwait(false);
            }
        }

        return new WriteResult.Refused(RepositoryIssues.Contended());
    }

    /// <summary>Writes that know nothing of each other, in one commit; each has a result of its own, in order.</summary>
    public async ValueTask<IReadOnlyList<WriteResult>> WriteAllAsync(IReadOnlyList<WriteRequest> requests, AccessScope scope, CancellationToken cancellationToken)
    {
        var planned = new Planned[requests.Count];
        var writes = new List<(PlannedWrite Write, WriteRequest Request)>(requests.Count);
        for (var index = 0; index < requests.Count; index++)
        {
            planned[index] = await _planner.PlanAsync(requests[index], scope, options.MaxConditionalDeletes, newId: null, cancellationToken).ConfigureAwait(false);
            if (planned[index].Write is { } write)
            {
                writes.Add((write, requests[index]));
            }
        }

        if (writes.Count > 0)
        {
            if (await RunAsync(Audited([.. writes.Select(write => write.Write)], scope, writes, whole: null), cancellationToken).ConfigureAwait(false) is { } impossible)
            {
                return [.. planned.Select(plan => new WriteResult.Refused(plan.Refusal ?? impossible))];
            }

            await TakeUpAsync(requests.Select(request => request.Type)).ConfigureAwait(false);
        }

        var results = new WriteResult[requests.Count];
        for (var index = 0; index < requests.Count; index++)
        {
            results[index] = planned[index] switch
            {
                { Refusal: { } refusal } => new WriteResult.Refused(refusal),
                { Write: { Moved: false } write } => await CheckedAsync(write, scope, cancellationToken).ConfigureAwait(false),
                _ => await WriteAsync(requests[index], scope, cancellationToken).ConfigureAwait(false),
            };
        }

        return results;
    }

    /// <summary>All or nothing (R4 §3.1.0.11.2).</summary>
    public async ValueTask<TransactionResult> TransactAsync(IReadOnlyList<TransactionEntry> entries, AccessScope scope, CancellationToken cancellationToken)
    {
        var planner = new TransactionPlanner(store, _planner, indexer, ids, parser, options);
        for (var attempt = 0; attempt < MaxPlans; attempt++)
        {
            var plan = await planner.PlanAsync(entries, scope, cancellationToken).ConfigureAwait(false);
            if (!plan.TryGetValue(out var transaction, out var refused))
            {
                return refused;
            }

            if (await RunAsync(Audited([transaction], scope, [.. transaction.Writes.Zip(entries, (write, entry) => (write, entry.Request))], transaction), cancellationToken).ConfigureAwait(false) is { } impossible)
            {
                return new TransactionResult.Refused(-1, impossible);
            }

            if (transaction.Refused is { } refusal)
            {
                return refusal;
            }

            if (!transaction.Moved)
            {
                await TakeUpAsync(entries.Select(entry => entry.Request.Type)).ConfigureAwait(false);
                var results = new List<WriteResult>(transaction.Writes.Count);
                foreach (var write in transaction.Writes)
                {
                    results.Add(await CheckedAsync(write, scope, cancellationToken).ConfigureAwait(false));
                }

                return new TransactionResult.Done(results);
            }
        }

        return new TransactionResult.Refused(-1, RepositoryIssues.Contended());
    }

    private IReadOnlyList<WriteOperation> Audited(IReadOnlyList<WriteOperation> operations, AccessScope scope, IReadOnlyList<(PlannedWrite, WriteRequest)> writes, TransactionPlan? whole) =>
        audit.IsEnabled ? [.. operations, new AuditedWrites(audit, scope, writes, whole)] : operations;

    // A condition with more values than an engine binds is found out in the transaction; nothing of these operations is written then.
    private async ValueTask<Refusal?> RunAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken)
    {
        try
        {
            await store.WriteAsync(operations, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (SearchRefusedException exception)
        {
            return new Refusal(RefusalKind.BadRequest, exception.Issues);
        }
    }

    // Whoever stored a profile may ask for it with the next request.
    private async ValueTask TakeUpAsync(IEnumerable<string> types)
    {
        if (types.Any(type => ServerDefinitions.Types.Contains(type, StringComparer.Ordinal)))
        {
            try
            {
                await definitions.RefreshAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (StoreBusyException)
            {
                // What was asked for is durable, and the answer must say so; the definitions are taken up by the next look, within a second.
            }
        }
    }

    private async ValueTask<WriteResult> CheckedAsync(PlannedWrite write, AccessScope scope, CancellationToken cancellationToken)
    {
        if (write.AnswerAccess is { } predicate && write.Result is WriteResult.Unchanged { Resource: var found })
        {
            await _visibility.RequireAsync(predicate, found, cancellationToken).ConfigureAwait(false);
        }

        return Masked(write.Result!, scope.Rules.Fields);
    }

    private static WriteResult Masked(WriteResult result, FieldRules fields) => result switch
    {
        WriteResult.Created created => created with { Resource = FieldMask.Apply(created.Resource, fields) },
        WriteResult.Updated updated => updated with { Resource = FieldMask.Apply(updated.Resource, fields) },
        WriteResult.Unchanged unchanged => new WriteResult.Unchanged(FieldMask.Apply(unchanged.Resource, fields)),
        _ => result,
    };
}

/// <summary>Limits of the repository that an operator may choose.</summary>
/// <param name="MaxConditionalDeletes">Resources that one conditional delete may take away; 1 refuses several (R4 §3.1.0.7.1: single, multiple).</param>
public sealed record RepositoryOptions(int MaxConditionalDeletes)
{
    // A sloppy condition should not empty a store; a thousand is more than one clean-up of a patient's duplicates needs.
    public static RepositoryOptions Default { get; } = new(1000);
}

/// <param name="FullUrl">By what other entries refer to it; null when it has none.</param>
public sealed record TransactionEntry(WriteRequest Request, string? FullUrl);

/// <summary>What a transaction answers. A closed set.</summary>
public abstract record TransactionResult
{
    private TransactionResult()
    {
    }

    /// <summary>One for each entry, in the order of the entries.</summary>
    public sealed record Done(IReadOnlyList<WriteResult> Results) : TransactionResult;

    /// <param name="Entry">The entry that is to blame, or -1 for the whole.</param>
    public sealed record Refused(int Entry, Refusal Refusal) : TransactionResult;
}
