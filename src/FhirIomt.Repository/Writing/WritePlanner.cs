using System.Text;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Definitions;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>Does everything about a write that needs no transaction: rights, patch, validation, index values.</summary>
internal sealed class WritePlanner(IStore store, ServerDefinitions definitions, SearchIndexer indexer, IndexPolicy policy, IdSource ids)
{
    private readonly Visibility _visibility = new(store, indexer);
    private readonly WriteGuards _guards = new(new SecurityLabels(indexer, policy), new FieldGuard(indexer, policy));

    /// <param name="newId">The id for a resource that is created; null for a random one.</param>
    /// <param name="deleteLimit">The most resources that one conditional delete takes.</param>
    public async ValueTask<Planned> PlanAsync(WriteRequest request, AccessScope scope, int deleteLimit, string? newId, CancellationToken cancellationToken)
    {
        if (RestrictedTypes.Refuse(request, scope) is { } restricted)
        {
            return restricted;
        }

        var rights = WriteRights.Of(scope, request.Type);
        if (ConditionOf(request) is { } condition && HiddenParameters.UsedBy(condition, rights.Fields) is { } hidden)
        {
            return RepositoryIssues.HiddenParameter(hidden);
        }

        return request switch
        {
            WriteRequest.Create create => await CreateAsync(create, rights, newId ?? ids.NewId(), cancellationToken).ConfigureAwait(false),
            WriteRequest.Update update => await UpdateAsync(update, rights, newId ?? ids.NewId(), cancellationToken).ConfigureAwait(false),
            WriteRequest.Patch patch => await PatchAsync(patch, rights, cancellationToken).ConfigureAwait(false),
            WriteRequest.Delete delete => Delete(delete, rights, deleteLimit),
            _ => throw new InvalidOperationException("WriteRequest is a closed set."),
        };
    }

    private static SearchQuery? ConditionOf(WriteRequest request) => request switch
    {
        WriteRequest.Create create => create.IfNoneExist,
        WriteRequest.Update update => (update.Target as WriteTarget.Matching)?.Query,
        WriteRequest.Patch patch => (patch.Target as WriteTarget.Matching)?.Query,
        WriteRequest.Delete delete => (delete.Target as WriteTarget.Matching)?.Query,
        _ => null,
    };

    private async ValueTask<Planned> CreateAsync(WriteRequest.Create create, WriteRights rights, string id, CancellationToken cancellationToken)
    {
        if (rights.Create is AccessPredicate.Nothing || (create.IfNoneExist is not null && rights.Search.Matches is AccessPredicate.Nothing))
        {
            return RepositoryIssues.TypeDenied(create.Type, create.IfNoneExist is null ? "create" : "conditional create");
        }

        var (refusal, warnings) = await CheckAsync(create.Type, create.Resource, rights, rights.Create, cancellationToken).ConfigureAwait(false);
        if (refusal is not null)
        {
            return refusal;
        }

        var prepared = Prepared(create.Type, create.Resource);
        return create.OwnId is not null
            ? new PlannedSubmission(prepared, create.OwnId, rights, _visibility, _guards, warnings)
            : new PlannedCreate(prepared, id, create.IfNoneExist, rights.Search, warnings);
    }

    private async ValueTask<Planned> UpdateAsync(WriteRequest.Update update, WriteRights rights, string newId, CancellationToken cancellationToken)
    {
        if (rights.Update is AccessPredicate.Nothing)
        {
            return RepositoryIssues.TypeDenied(update.Type, "update");
        }

        if (update.Target is WriteTarget.Instance { Id: var id } && !update.Resource.Root["id"u8].TextEquals(Encoding.UTF8.GetBytes(id)))
        {
            return RepositoryIssues.IdMismatch(id);
        }

        if (update.Target is WriteTarget.Matching && rights.Search.Matches is AccessPredicate.Nothing)
        {
            return RepositoryIssues.TypeDenied(update.Type, "conditional update");
        }

        var (refusal, warnings) = await CheckAsync(update.Type, update.Resource, rights, rights.Update, cancellationToken).ConfigureAwait(false);
        if (refusal is not null)
        {
            return refusal;
        }

        var prepared = Prepared(update.Type, update.Resource);
        return update.Target switch
        {
            WriteTarget.Instance instance => new PlannedUpdate(prepared, instance.Id, update.Condition, rights, _visibility, _guards, warnings),
            WriteTarget.Matching matching => new PlannedConditionalUpdate(prepared, matching.Query, newId, rights, update.Condition, _visibility, _guards, warnings),
            _ => throw new InvalidOperationException("WriteTarget is a closed set."),
        };
    }

    /// <summary>
    /// The patch is applied to what is stored now, and written only if that is still the current version: validating takes time that no transaction should.
    /// </summary>
    private async ValueTask<Planned> PatchAsync(WriteRequest.Patch patch, WriteRights rights, CancellationToken cancellationToken)
    {
        if (rights.Patch is AccessPredicate.Nothing || (patch.Target is WriteTarget.Matching && rights.Search.Matches is AccessPredicate.Nothing))
        {
            return RepositoryIssues.TypeDenied(patch.Type, "patch");
        }

        if (!rights.MayRelabel && patch.Change is ResourcePatch.Meta { Removes: true } change && change.Change["security"u8].Exists)
        {
            return RepositoryIssues.LabelsStay();
        }

        var (existing, refused) = await FindAsync(patch, rights, cancellationToken).ConfigureAwait(false);
        if (existing is null)
        {
            return refused!;
        }

        var before = JsonTree.Parse(existing.Body).Require();
        if (!await _visibility.PermitsAsync(rights.Patch, patch.Type, before, cancellationToken).ConfigureAwait(false))
        {
            return RepositoryIssues.NotFound();
        }

        if (patch.Condition.IfMatch is { } wanted && !wanted.Is(existing.Version))
        {
            return RepositoryIssues.VersionConflict($"{wanted}");
        }

        if (!patch.Change.Apply(FieldMask.Apply(before, rights.Fields)).TryGetValue(out var after, out var issues))
        {
            return new Refusal(RefusalKind.Invalid, issues);
        }

        if (!after.Root["id"u8].TextEquals(Encoding.UTF8.GetBytes(existing.Id)))
        {
            return RepositoryIssues.IdMismatch(existing.Id);
        }

        var (refusal, warnings) = await CheckAsync(patch.Type, after, rights, rights.Update, cancellationToken).ConfigureAwait(false);
        return refusal is not null
            ? refusal
            : new PlannedUpdate(Prepared(patch.Type, after), existing.Id, patch.Condition, rights, _visibility, _guards, warnings, seen: existing.Version);
    }

    private async ValueTask<(StoredResource? Found, Refusal? Refused)> FindAsync(WriteRequest.Patch patch, WriteRights rights, CancellationToken cancellationToken)
    {
        if (patch.Target is WriteTarget.Instance { Id: var id })
        {
            var stored = await store.ReadAsync(patch.Type, id, cancellationToken).ConfigureAwait(false);
            return stored switch
            {
                null => (null, RepositoryIssues.NotFound()),
                { IsDeleted: true } => (null, rights.ChoosesIds ? RepositoryIssues.Gone() : RepositoryIssues.NotFound()),
                _ => (stored, null),
            };
        }

        var query = ((WriteTarget.Matching)patch.Target).Query with { Count = 2 };
        if (!(await store.SearchAsync(query, rights.Search, cancellationToken).ConfigureAwait(false)).TryGetValue(out var page, out var issues))
        {
            return (null, new Refusal(RefusalKind.BadRequest, issues));
        }

        return page.Matches.Count switch
        {
            0 => (null, RepositoryIssues.NotFound()),
            1 => (page.Matches[0], null),
            _ => (null, RepositoryIssues.SeveralMatch("the address")),
        };
    }

    private Planned Delete(WriteRequest.Delete delete, WriteRights rights, int limit)
    {
        if (rights.Delete is AccessPredicate.Nothing || (delete.Target is WriteTarget.Matching && rights.Search.Matches is AccessPredicate.Nothing))
        {
            return RepositoryIssues.TypeDenied(delete.Type, "delete");
        }

        return delete.Target switch
        {
            WriteTarget.Instance instance => new PlannedDelete(delete.Type, instance.Id, delete.Condition, rights.Delete, _visibility),
            WriteTarget.Matching matching => new PlannedConditionalDelete(matching.Query, rights, _visibility, limit),
            _ => throw new InvalidOperationException("WriteTarget is a closed set."),
        };
    }

    private PreparedResource Prepared(string type, JsonTree resource) => PreparedResource.Create(type, resource, indexer, policy);

    private async ValueTask<(Refusal? Refusal, IReadOnlyList<Issue> Warnings)> CheckAsync(string type, JsonTree resource, WriteRights rights, AccessPredicate predicate, CancellationToken cancellationToken)
    {
        if (!resource.Root["resourceType"u8].TextEquals(Encoding.UTF8.GetBytes(type)))
        {
            return (RepositoryIssues.WrongType(type), []);
        }

        if (resource.Root["id"u8] is { Exists: true } id && (id.AsString() is not { } text || !IsId(text)))
        {
            return (RepositoryIssues.BadId(), []);
        }

        if (FieldGuard.Refuses(type, resource, rights.Fields) is { } hidden)
        {
            return (hidden, []);
        }

        var issues = definitions.Validator.Validate(resource);
        if (type == "SearchParameter" && resource.Root["status"u8].TextEquals("active"u8))
        {
            issues = [.. issues, .. CustomParameter.Read(resource.Root, policy.Definitions).Issues];
        }

        if (issues.Any(issue => issue.Refuses))
        {
            return (new Refusal(RefusalKind.Invalid, issues), []);
        }

        return (await _visibility.PermitsAsync(predicate, type, resource, cancellationToken).ConfigureAwait(false) ? null : RepositoryIssues.WriteDenied(), issues);
    }

    // R4 §2.24.0.1 (id): what is stored under it must be reachable by an address.
    private static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');
}

/// <summary>A plan, or why there is none.</summary>
internal readonly record struct Planned(PlannedWrite? Write, Refusal? Refusal)
{
    public static implicit operator Planned(PlannedWrite write) => new(write, null);

    public static implicit operator Planned(Refusal refusal) => new(null, refusal);
}
