using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// Plans a transaction (R4 §3.1.0.11.2): gives ids, answers conditions and conditional references, rewrites references, refuses overlaps, and plans each entry.
/// What was answered here is asked again inside the transaction; if it has changed, everything is planned anew.
/// </summary>
internal sealed class TransactionPlanner(IStore store, WritePlanner planner, IdSource ids, SearchQueryParser parser, RepositoryOptions options)
{
    public async ValueTask<Plan> PlanAsync(IReadOnlyList<TransactionEntry> entries, AccessScope scope, CancellationToken cancellationToken)
    {
        var run = new Run(store, scope, entries, ids, parser, cancellationToken);
        if (await run.AssignAsync().ConfigureAwait(false) is { } unassigned)
        {
            return unassigned;
        }

        var writes = new List<PlannedWrite>(entries.Count);
        for (var index = 0; index < entries.Count; index++)
        {
            var (request, refused) = await run.RewriteAsync(index).ConfigureAwait(false);
            if (request is null)
            {
                return refused!;
            }

            var planned = await planner.PlanAsync(request, scope, options.MaxConditionalDeletes, run.Ids[index], cancellationToken).ConfigureAwait(false);
            if (planned.Write is not { } write)
            {
                return new TransactionResult.Refused(index, planned.Refusal!);
            }

            writes.Add(write);
        }

        return new TransactionPlan(writes, run.Ids, Order(entries), run.Resolutions);
    }

    // DELETE, POST, PUT and PATCH, each in the order of the Bundle.
    private static List<int> Order(IReadOnlyList<TransactionEntry> entries) => [.. Enumerable.Range(0, entries.Count).OrderBy(index => entries[index].Request switch
    {
        WriteRequest.Delete => 0,
        WriteRequest.Create => 1,
        _ => 2,
    })];

    /// <summary>One attempt at a plan.</summary>
    private sealed class Run(IStore store, AccessScope scope, IReadOnlyList<TransactionEntry> entries, IdSource ids, SearchQueryParser parser, CancellationToken cancellationToken)
    {
        private readonly Dictionary<string, string> _targets = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _references = new(StringComparer.Ordinal);
        private readonly HashSet<(string Type, string Id)> _identities = [];

        /// <summary>The id that each entry ends up with, where it is known; null for a delete by condition.</summary>
        public string?[] Ids { get; } = new string?[entries.Count];

        public List<Resolution> Resolutions { get; } = [];

        /// <summary>Gives every entry its id and refuses those that meet.</summary>
        public async ValueTask<TransactionResult.Refused?> AssignAsync()
        {
            for (var index = 0; index < entries.Count; index++)
            {
                var entry = entries[index];
                var (id, refusal) = await IdOfAsync(entry.Request).ConfigureAwait(false);
                if (refusal is not null)
                {
                    return new TransactionResult.Refused(index, refusal);
                }

                Ids[index] = id;
                var isNew = entry.FullUrl is null || id is null || _targets.TryAdd(entry.FullUrl, $"{entry.Request.Type}/{id}");
                var isFound = entry.Request is WriteRequest.Create && Resolutions.Exists(resolution => resolution.FoundId == id);
                var isAlone = id is null || isFound || _identities.Add((entry.Request.Type, id));
                if (!isNew || !isAlone)
                {
                    return new TransactionResult.Refused(index, RepositoryIssues.Overlap(isNew ? $"{entry.Request.Type}/{id}" : entry.FullUrl!));
                }
            }

            return null;
        }

        /// <summary>The request of an entry with its references as they will be.</summary>
        public async ValueTask<(WriteRequest? Request, TransactionResult.Refused? Refused)> RewriteAsync(int index)
        {
            var request = entries[index].Request;
            var resource = request switch
            {
                WriteRequest.Create create => create.Resource,
                WriteRequest.Update update => update.Resource,
                _ => null,
            };
            if (resource is null)
            {
                return (request, null);
            }

            foreach (var (reference, expression) in BundleReferences.Conditional(resource))
            {
                if (!_references.ContainsKey(reference) && await ResolveAsync(reference, expression).ConfigureAwait(false) is { } refusal)
                {
                    return (null, new TransactionResult.Refused(index, refusal));
                }
            }

            var rewritten = BundleReferences.Rewrite(resource, entries[index].FullUrl, _targets, _references);
            return (request switch
            {
                WriteRequest.Create create => create with { Resource = rewritten },
                WriteRequest.Update update => update with { Resource = rewritten },
                _ => request,
            }, null);
        }

        private async ValueTask<(string? Id, Refusal? Refusal)> IdOfAsync(WriteRequest request) => request switch
        {
            WriteRequest.Create { OwnId: { } own } => (own, null),
            WriteRequest.Create { IfNoneExist: { } query } => await FindAsync(request.Type, query).ConfigureAwait(false) switch
            {
                { Refusal: { } refusal } => (null, refusal),
                var found => (found.Id ?? ids.NewId(), null),
            },
            WriteRequest.Create => (ids.NewId(), null),
            WriteRequest.Update { Target: WriteTarget.Matching target } update => await FindAsync(request.Type, target.Query).ConfigureAwait(false) switch
            {
                { Refusal: { } refusal } => (null, refusal),
                var found => (found.Id ?? update.Resource.Root["id"u8].AsString() ?? ids.NewId(), null),
            },
            WriteRequest.Update { Target: WriteTarget.Instance target } => (target.Id, null),
            WriteRequest.Patch { Target: WriteTarget.Instance target } => (target.Id, null),
            WriteRequest.Patch { Target: WriteTarget.Matching target } => await FindAsync(request.Type, target.Query).ConfigureAwait(false),
            WriteRequest.Delete { Target: WriteTarget.Instance target } => (target.Id, null),
            _ => (null, null),
        };

        /// <summary>The one match, or none; several refuse.</summary>
        private async ValueTask<(string? Id, Refusal? Refusal)> FindAsync(string type, SearchQuery query)
        {
            var access = scope.SearchAccessFor(type);
            if (access.Matches is AccessPredicate.Nothing)
            {
                return (null, RepositoryIssues.TypeDenied(type, "search"));
            }

            if (HiddenParameters.UsedBy(query, scope.Rules.Fields) is { } hidden)
            {
                return (null, RepositoryIssues.HiddenParameter(hidden));
            }

            if (!(await store.SearchAsync(query with { Count = 2 }, access, cancellationToken).ConfigureAwait(false)).TryGetValue(out var page, out var issues))
            {
                return (null, new Refusal(RefusalKind.BadRequest, issues));
            }

            if (page.Matches.Count > 1)
            {
                return (null, RepositoryIssues.SeveralMatch("the condition"));
            }

            var id = page.Matches.Count == 1 ? page.Matches[0].Id : null;
            Resolutions.Add(new Resolution(query, access, id));
            return (id, null);
        }

        private async ValueTask<Refusal?> ResolveAsync(string reference, string expression)
        {
            var question = reference.IndexOf('?', StringComparison.Ordinal);
            var type = reference[..question];
            if (!SearchCondition.Parse(parser, type, reference[(question + 1)..]).TryGetValue(out var query, out var issues))
            {
                return new Refusal(RefusalKind.BadRequest, [.. issues.Select(issue => issue with { Expression = expression })]);
            }

            var (id, refusal) = await FindAsync(type, query).ConfigureAwait(false);
            if (refusal is not null || id is null)
            {
                return refusal ?? RepositoryIssues.UnresolvedReference(expression);
            }

            _references[reference] = $"{type}/{id}";
            return null;
        }
    }
}

/// <summary>A plan, or why there is none.</summary>
internal readonly record struct Plan(TransactionPlan? Transaction, TransactionResult.Refused? Refused)
{
    public bool TryGetValue([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TransactionPlan transaction, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(true)] out TransactionResult.Refused refused)
    {
        (transaction, refused) = (Transaction, Refused);
        return refused is null;
    }

    public static implicit operator Plan(TransactionPlan transaction) => new(transaction, null);

    public static implicit operator Plan(TransactionResult.Refused refused) => new(null, refused);
}
