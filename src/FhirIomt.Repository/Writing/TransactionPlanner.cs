using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// Plans a transaction (R4 §3.1.0.11.2): gives ids, answers conditions and conditional references, rewrites references, refuses overlaps, and plans each entry.
/// What was answered here is asked again inside the transaction; if it has changed, everything is planned anew.
/// </summary>
internal sealed class TransactionPlanner(IStore store, WritePlanner planner, SearchIndexer indexer, IdSource ids, SearchQueryParser parser, RepositoryOptions options)
{
    public async ValueTask<Plan> PlanAsync(IReadOnlyList<TransactionEntry> entries, AccessScope scope, CancellationToken cancellationToken)
    {
        var run = new Run(store, scope, entries, indexer, ids, parser, options, cancellationToken);
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
    private sealed class Run(
        IStore store, AccessScope scope, IReadOnlyList<TransactionEntry> entries, SearchIndexer indexer, IdSource ids, SearchQueryParser parser, RepositoryOptions options, CancellationToken cancellationToken)
    {
        private readonly Visibility _visibility = new(store, indexer);
        private readonly Dictionary<string, BundleTarget> _targets = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _references = new(StringComparer.Ordinal);
        private readonly HashSet<(string Type, string Id)> _identities = [];

        // What is deleted, and by which entry. Deletions come first: no condition finds it any more.
        private readonly Dictionary<(string Type, string Id), int> _deleted = [];

        // Conditional creates that found something: they write nothing.
        private readonly HashSet<int> _found = [];

        private readonly Dictionary<(string Type, bool IsById), WrittenResources> _written = [];

        /// <summary>The id that each entry ends up with, where it is known; null for a delete by condition.</summary>
        public string?[] Ids { get; } = new string?[entries.Count];

        public List<Resolution> Resolutions { get; } = [];

        /// <summary>Gives every entry its id and refuses those that meet.</summary>
        public async ValueTask<TransactionResult.Refused?> AssignAsync()
        {
            for (var index = 0; index < entries.Count; index++)
            {
                if (entries[index].Request is WriteRequest.Delete delete && await NoteDeletedAsync(delete, index).ConfigureAwait(false) is { } refusal)
                {
                    return new TransactionResult.Refused(index, refusal);
                }
            }

            for (var index = 0; index < entries.Count; index++)
            {
                var identity = await IdentityOfAsync(index).ConfigureAwait(false);
                if (identity.Refusal is not null)
                {
                    return new TransactionResult.Refused(index, identity.Refusal);
                }

                Ids[index] = identity.Id;
                if (Overlap(index, identity) is { } overlap)
                {
                    return overlap;
                }
            }

            return null;
        }

        private TransactionResult.Refused? Overlap(int index, Identity identity)
        {
            var (type, fullUrl, id) = (entries[index].Request.Type, entries[index].FullUrl, identity.Id);
            if (id is null)
            {
                return null;
            }

            if (fullUrl is not null && !_targets.TryAdd(fullUrl, new BundleTarget($"{type}/{id}", identity.Version)))
            {
                return new TransactionResult.Refused(index, RepositoryIssues.Overlap(fullUrl));
            }

            if (_found.Contains(index))
            {
                return null;
            }

            var isDeleted = _deleted.TryGetValue((type, id), out var deletedBy) && deletedBy != index;
            return isDeleted || !_identities.Add((type, id)) ? new TransactionResult.Refused(isDeleted ? Math.Max(index, deletedBy) : index, RepositoryIssues.Overlap($"{type}/{id}")) : null;
        }

        // One that may not search is refused when the delete is planned; to delete what one may not delete does nothing.
        private async ValueTask<Refusal?> NoteDeletedAsync(WriteRequest.Delete delete, int index)
        {
            if (delete.Target is WriteTarget.Instance { Id: var id })
            {
                var predicate = scope.PredicateFor(delete.Type, ScopeInteractions.Delete);
                if (predicate is AccessPredicate.Everything
                    || (await store.ReadAsync(delete.Type, id, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } existing && await _visibility.PermitsAsync(predicate, existing, cancellationToken).ConfigureAwait(false)))
                {
                    _deleted.TryAdd((delete.Type, id), index);
                }

                return null;
            }

            var query = ((WriteTarget.Matching)delete.Target).Query with { Count = options.MaxConditionalDeletes + 1 };
            var access = scope.SearchAccessFor(delete.Type);
            if (access.Matches is AccessPredicate.Nothing || HiddenParameters.UsedBy(query, scope.Rules.Fields) is not null)
            {
                return null;
            }

            if (!(await store.SearchAsync(query, access, cancellationToken).ConfigureAwait(false)).TryGetValue(out var page, out var issues))
            {
                return new Refusal(RefusalKind.BadRequest, issues);
            }

            foreach (var match in page.Matches)
            {
                _deleted.TryAdd((match.Type, match.Id), index);
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

        private async ValueTask<Identity> IdentityOfAsync(int index)
        {
            switch (entries[index].Request)
            {
                case WriteRequest.Create { OwnId: { } own }:
                    return new Identity(own);
                case WriteRequest.Create { IfNoneExist: { } query } create:
                    var existing = await FindAsync(create.Type, query).ConfigureAwait(false);
                    if (existing.Match is null)
                    {
                        return new Identity(ids.NewId(), Version: 1, existing.Refusal);
                    }

                    _found.Add(index);
                    return new Identity(existing.Match.Id, existing.Match.Version);
                case WriteRequest.Create:
                    return new Identity(ids.NewId(), Version: 1);
                case WriteRequest.Update { Target: WriteTarget.Matching { Query: var query } } update:
                    var updated = await FindAsync(update.Type, query).ConfigureAwait(false);
                    return new Identity(updated.Id ?? update.Resource.Root["id"u8].AsString() ?? ids.NewId(), Refusal: updated.Refusal);
                case WriteRequest.Patch { Target: WriteTarget.Matching { Query: var query } } patch:
                    var patched = await FindAsync(patch.Type, query).ConfigureAwait(false);
                    return new Identity(patched.Id, Refusal: patched.Refusal);
                case WriteRequest.Update { Target: WriteTarget.Instance target }:
                    return new Identity(target.Id);
                case WriteRequest.Patch { Target: WriteTarget.Instance target }:
                    return new Identity(target.Id);
                case WriteRequest.Delete { Target: WriteTarget.Instance target }:
                    return new Identity(target.Id);
                default:
                    return default;
            }
        }

        /// <summary>The one match, or none; several refuse.</summary>
        private async ValueTask<Finding> FindAsync(string type, SearchQuery query)
        {
            var (stored, refusal) = await StoredAsync(type, query, _deleted.ContainsKey, _deleted.Count).ConfigureAwait(false);
            if (refusal is not null)
            {
                return new Finding(Refusal: refusal);
            }

            var left = stored.FindAll(match => !_deleted.ContainsKey((match.Type, match.Id)));
            return left.Count > 1 ? new Finding(Refusal: RepositoryIssues.SeveralMatch("the condition")) : new Finding(left.FirstOrDefault(), (left.FirstOrDefault() ?? stored.FirstOrDefault())?.Id);
        }

        /// <summary>What a condition finds in the store: all of it, or at least two that count.</summary>
        /// <param name="isLeftOut">Matches that do not count.</param>
        /// <param name="leftOut">How many there may be of them.</param>
        private async ValueTask<(List<StoredResource> Stored, Refusal? Refusal)> StoredAsync(string type, SearchQuery query, Func<(string Type, string Id), bool> isLeftOut, int leftOut)
        {
            var access = scope.SearchAccessFor(type);
            if (access.Matches is AccessPredicate.Nothing)
            {
                return ([], RepositoryIssues.TypeDenied(type, "search"));
            }

            if (HiddenParameters.UsedBy(query, scope.Rules.Fields) is { } hidden)
            {
                return ([], RepositoryIssues.HiddenParameter(hidden));
            }

            // Two say that there are several, unless they are such as do not count.
            foreach (var count in (int[])[2, leftOut + 2])
            {
                if (!(await store.SearchAsync(query with { Count = count }, access, cancellationToken).ConfigureAwait(false)).TryGetValue(out var page, out var issues))
                {
                    return ([], new Refusal(RefusalKind.BadRequest, issues));
                }

                if (count > leftOut + 1 || page.Matches.Count < count || !page.Matches.Any(match => isLeftOut((match.Type, match.Id))))
                {
                    List<StoredResource> stored = [.. page.Matches];
                    Resolutions.Add(new Resolution(query, access, [.. stored.Where(match => !_deleted.ContainsKey((match.Type, match.Id))).Select(match => match.Id)]));
                    return (stored, null);
                }
            }

            throw new InvalidOperationException("The second search is the last.");
        }

        /// <summary>Conditional references are resolved last (R4 §3.1.0.11.2): they find what the transaction leaves, what it stores itself included.</summary>
        private async ValueTask<Refusal?> ResolveAsync(string reference, string expression)
        {
            var question = reference.IndexOf('?', StringComparison.Ordinal);
            var type = reference[..question];
            if (!SearchCondition.Parse(parser, type, reference[(question + 1)..]).TryGetValue(out var query, out var issues))
            {
                return new Refusal(RefusalKind.BadRequest, [.. issues.Select(issue => issue with { Expression = expression })]);
            }

            // What other resources say, what a patch leaves, and when a resource was stored, is not known before: for that what is stored must do.
            var written = query.Criteria.All(CriterionMatch.CanDecide) ? Written(query) : new WrittenResources(indexer);
            bool IsLeftOut((string Type, string Id) match) => _deleted.ContainsKey(match) || (match.Type == type && written.Contains(match.Id));
            var (stored, refusal) = await StoredAsync(type, query, IsLeftOut, _deleted.Count + written.Count).ConfigureAwait(false);
            if (refusal is not null)
            {
                return refusal;
            }

            var found = stored.Where(match => !IsLeftOut((match.Type, match.Id))).Select(match => match.Id).ToList();
            var access = scope.SearchAccessFor(type).Matches;
            foreach (var (id, resource) in written.Meeting(query))
            {
                if (await _visibility.PermitsAsync(access, type, resource, cancellationToken).ConfigureAwait(false))
                {
                    found.Add(id);
                }
            }

            if (found.Count != 1)
            {
                return found.Count == 0 ? RepositoryIssues.UnresolvedReference(expression) : RepositoryIssues.SeveralMatch("the condition");
            }

            _references[reference] = $"{type}/{found[0]}";
            return null;
        }

        /// <summary>The resources of the searched type that entries bring, by the ids that they will have. The id that a create brings is not its own.</summary>
        private WrittenResources Written(SearchQuery query)
        {
            var isById = query.Criteria.Any(criterion => criterion is SearchCriterion.Ids);
            if (_written.TryGetValue((query.ResourceType, isById), out var written))
            {
                return written;
            }

            _written[(query.ResourceType, isById)] = written = new WrittenResources(indexer);
            for (var index = 0; index < entries.Count; index++)
            {
                var resource = entries[index].Request switch
                {
                    WriteRequest.Create create when !isById && !_found.Contains(index) => create.Resource,
                    WriteRequest.Update update => update.Resource,
                    _ => null,
                };
                if (resource is not null && entries[index].Request.Type == query.ResourceType && Ids[index] is { } id)
                {
                    written.Add(id, resource);
                }
            }

            return written;
        }
    }

    /// <param name="Version">Of what the entry stands for, where that is known.</param>
    private readonly record struct Identity(string? Id, long? Version = null, Refusal? Refusal = null);

    /// <param name="Match">Null when there is none, or when the transaction deletes it.</param>
    /// <param name="Id">Of the match, also of one that is deleted.</param>
    private readonly record struct Finding(StoredResource? Match = null, string? Id = null, Refusal? Refusal = null);
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
