using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// A write whose work outside the transaction is done: authorised, validated, indexed. Inside, it decides every condition and keeps its result.
/// </summary>
internal abstract class PlannedWrite : WriteOperation
{
    public WriteResult? Result { get; protected set; }

    /// <summary>What the plan was made from has changed since: nothing was written, and the plan must be made anew.</summary>
    public bool Moved { get; protected set; }

    /// <summary>The versions that were current before: a resource that moves, or goes, was somebody's.</summary>
    public List<StoredResource> Replaced { get; } = [];

    /// <summary>What the caller may see of the answer; null where the write itself was the check.</summary>
    public virtual AccessPredicate? AnswerAccess => null;

    protected void Refuse(Refusal refusal) => Result = new WriteResult.Refused(refusal);
}

/// <summary>Create, or conditional create: the condition is decided inside the transaction, so of fifty parallel ones a single one creates.</summary>
internal sealed class PlannedCreate(PreparedResource resource, string id, SearchQuery? ifNoneExist, SearchAccess search, IReadOnlyList<Issue> warnings) : PlannedWrite
{
    public override AccessPredicate? AnswerAccess => Result is WriteResult.Unchanged ? search.Matches : null;

    public override void Run(IWriteTransaction transaction)
    {
        var matches = ifNoneExist is null ? [] : transaction.Search(ifNoneExist with { Count = 2 }, search);
        Result = matches.Count switch
        {
            0 => new WriteResult.Created(transaction.Put(resource, id, previous: null), warnings),
            1 => new WriteResult.Unchanged(matches[0]),
            _ => new WriteResult.Refused(RepositoryIssues.SeveralMatch("If-None-Exist")),
        };
    }
}

/// <summary>Update of one id, or update as create where the caller may see and write every instance: otherwise the answer would tell of hidden ids.</summary>
/// <param name="seen">The version that a patch was applied to: any other means that the plan has moved.</param>
internal sealed class PlannedUpdate(
    PreparedResource resource, string id, VersionCondition condition, WriteRights rights, Visibility visibility, WriteGuards guards, IReadOnlyList<Issue> warnings, long? seen = null) : PlannedWrite
{
    public override IReadOnlyList<(string Type, string Id)> Reads => [(resource.Type, id)];

    public override void Run(IWriteTransaction transaction)
    {
        Moved = false;
        Replaced.Clear();
        var existing = transaction.Find(resource.Type, id);
        Result = existing is { IsDeleted: false } ? Update(transaction, existing) : Create(transaction, existing);
    }

    private WriteResult? Update(IWriteTransaction transaction, StoredResource existing)
    {
        var before = JsonTree.Parse(existing.Body).Require();
        if (!visibility.Permits(rights.Update, existing.Type, before, transaction))
        {
            return new WriteResult.Refused(RepositoryIssues.NotFound());
        }

        if (condition.IfNoneMatch)
        {
            return new WriteResult.Refused(RepositoryIssues.AlreadyThere());
        }

        if (condition.IfMatch is { } wanted && !wanted.Is(existing.Version))
        {
            return new WriteResult.Refused(RepositoryIssues.VersionConflict($"{wanted}"));
        }

        if (seen is { } version && version != existing.Version)
        {
            Moved = true;
            return null;
        }

        Replaced.Add(existing);
        var (next, refusal) = guards.Fields.Kept(rights.MayRelabel ? resource : guards.Labels.Kept(resource, before), before, rights.Fields);
        if (next is null)
        {
            return new WriteResult.Refused(refusal!);
        }

        return ResourceComparison.SameButForVersion(before.Root, next.Tree.Root)
            ? new WriteResult.Unchanged(existing)
            : new WriteResult.Updated(transaction.Put(next, id, existing), warnings);
    }

    private WriteResult? Create(IWriteTransaction transaction, StoredResource? deleted)
    {
        if (seen is not null)
        {
            Moved = true;
            return null;
        }

        if (!rights.ChoosesIds)
        {
            return new WriteResult.Refused(RepositoryIssues.NotFound());
        }

        if (ReadingProvenance.Owns(resource.Type, id))
        {
            return new WriteResult.Refused(RepositoryIssues.OwnProvenance());
        }

        return condition.IfMatch is { } wanted
            ? new WriteResult.Refused(RepositoryIssues.VersionConflict($"{wanted}"))
            : new WriteResult.Created(transaction.Put(resource, id, deleted), warnings);
    }
}

/// <summary>
/// Conditional update (R4 §3.1.0.4.3): no match creates, with the id that the resource brings if it brings one; one match is updated, when the resource's id
/// does not contradict; several refuse.
/// </summary>
internal sealed class PlannedConditionalUpdate(
    PreparedResource resource, SearchQuery query, string newId, WriteRights rights, VersionCondition condition, Visibility visibility, WriteGuards guards, IReadOnlyList<Issue> warnings) : PlannedWrite
{
    public override void Run(IWriteTransaction transaction)
    {
        var matches = transaction.Search(query with { Count = 2 }, rights.Search);
        var ownId = resource.Tree.Root["id"u8].AsString();
        switch (matches.Count)
        {
            case > 1:
                Refuse(RepositoryIssues.SeveralMatch("the address"));
                break;
            case 1 when ownId is not null && ownId != matches[0].Id:
                Refuse(RepositoryIssues.IdMismatch(matches[0].Id));
                break;
            case 1:
                Delegate(transaction, new PlannedUpdate(resource, matches[0].Id, condition, rights, visibility, guards, warnings));
                break;
            case 0 when condition.IfMatch is { } wanted:
                Refuse(RepositoryIssues.VersionConflict($"{wanted}"));
                break;
            case 0 when ownId is not null:
                Delegate(transaction, new PlannedUpdate(resource, ownId, condition with { IfNoneMatch = true }, rights, visibility, guards, warnings));
                break;
            case 0 when !visibility.Permits(rights.Create, resource.Type, resource.Tree, transaction):
                Refuse(RepositoryIssues.WriteDenied());
                break;
            default:
                Result = new WriteResult.Created(transaction.Put(resource, newId, previous: null), warnings);
                break;
        }
    }

    private void Delegate(IWriteTransaction transaction, PlannedUpdate update)
    {
        update.Run(transaction);
        Result = update.Result;
        Replaced.Clear();
        Replaced.AddRange(update.Replaced);
    }
}

/// <summary>Delete of one id. What is not there, was deleted before or must not be seen answers alike: there is nothing to delete.</summary>
internal sealed class PlannedDelete(string type, string id, VersionCondition condition, AccessPredicate predicate, Visibility visibility) : PlannedWrite
{
    public override IReadOnlyList<(string Type, string Id)> Reads => [(type, id)];

    public override void Run(IWriteTransaction transaction)
    {
        Replaced.Clear();
        var existing = transaction.Find(type, id);
        if (existing is null or { IsDeleted: true } || !visibility.Permits(predicate, type, JsonTree.Parse(existing.Body).Require(), transaction))
        {
            Result = new WriteResult.Deleted([]);
        }
        else if (condition.IfMatch is { } wanted && !wanted.Is(existing.Version))
        {
            Refuse(RepositoryIssues.VersionConflict($"{wanted}"));
        }
        else
        {
            Replaced.Add(existing);
            Result = new WriteResult.Deleted([transaction.Delete(existing)]);
        }
    }
}

/// <summary>Conditional delete: everything that matches, up to a limit; beyond it nothing.</summary>
internal sealed class PlannedConditionalDelete(SearchQuery query, WriteRights rights, Visibility visibility, int limit) : PlannedWrite
{
    public override void Run(IWriteTransaction transaction)
    {
        var matches = transaction.Search(query with { Count = limit + 1 }, rights.Search);
        if (matches.Count > limit)
        {
            Refuse(limit == 1 ? RepositoryIssues.SeveralMatch("the address") : RepositoryIssues.TooManyToDelete(limit));
            return;
        }

        if (matches.Any(match => !visibility.Permits(rights.Delete, match.Type, JsonTree.Parse(match.Body).Require(), transaction)))
        {
            Refuse(RepositoryIssues.WriteDenied());
            return;
        }

        Replaced.Clear();
        Replaced.AddRange(matches);
        Result = new WriteResult.Deleted([.. matches.Select(transaction.Delete)]);
    }
}

/// <summary>What of the version before stays.</summary>
internal sealed record WriteGuards(SecurityLabels Labels, FieldGuard Fields);

/// <summary>What a caller may do with one type.</summary>
/// <param name="Patch">Of what is there: a patch can test what it changes and answers the whole, so it reads as well (abuse case 53).</param>
/// <param name="MayRelabel">May take security labels away.</param>
/// <param name="Fields">What is hidden or not changed.</param>
/// <param name="ChoosesIds">The scopes cover every instance, so an id that is not there may be told from one that is.</param>
internal sealed record WriteRights(AccessPredicate Create, AccessPredicate Update, AccessPredicate Patch, AccessPredicate Delete, SearchAccess Search, bool ChoosesIds, bool MayRelabel, FieldRules Fields)
{
    public static WriteRights Of(AccessScope scope, string type)
    {
        var update = scope.PredicateFor(type, ScopeInteractions.Update);
        return new WriteRights(
            scope.PredicateFor(type, ScopeInteractions.Create),
            update,
            AccessPredicate.Both(update, scope.PredicateFor(type, ScopeInteractions.Read)),
            scope.PredicateFor(type, ScopeInteractions.Delete),
            scope.SearchAccessFor(type),
            scope.CoversAll(type, ScopeInteractions.Update),
            scope.IsServer || scope.Rules.MayRelabel,
            scope.Rules.Fields);
    }
}
