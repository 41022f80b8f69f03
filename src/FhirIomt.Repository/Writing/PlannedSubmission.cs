using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// A resource that may be submitted again, under an id that follows from what it is about. Sent again, it changes nothing, even where somebody has edited or deleted it since; with content that
/// was never there it is a correction, and updates.
/// </summary>
internal sealed class PlannedSubmission(PreparedResource resource, string id, WriteRights rights, Visibility visibility, WriteGuards guards, IReadOnlyList<Issue> warnings) : PlannedWrite
{
    // A client that corrects a reading more often than this has its oldest forms taken for new ones.
    private const int MaxVersions = 100;

    public override IReadOnlyList<(string Type, string Id)> Reads => [(resource.Type, id)];

    public override void Run(IWriteTransaction transaction)
    {
        Replaced.Clear();
        var existing = transaction.Find(resource.Type, id);
        Result = existing is null ? new WriteResult.Created(transaction.Put(resource, id, previous: null), warnings) : Again(transaction, existing);
    }

    private WriteResult Again(IWriteTransaction transaction, StoredResource existing)
    {
        var said = existing.IsDeleted ? transaction.FindVersion(existing.Type, existing.Id, existing.Version - 1) ?? existing : existing;
        if (said.IsDeleted || !visibility.Permits(rights.Create, said.Type, JsonTree.Parse(said.Body).Require(), transaction))
        {
            return new WriteResult.Refused(RepositoryIssues.WriteDenied());
        }

        if (existing.IsDeleted || WasSent(transaction, existing))
        {
            return new WriteResult.Unchanged(said);
        }

        var update = new PlannedUpdate(resource, id, default, rights, visibility, guards, warnings);
        update.Run(transaction);
        Replaced.AddRange(update.Replaced);
        return update.Result!;
    }

    private bool WasSent(IWriteTransaction transaction, StoredResource existing)
    {
        for (var version = existing.Version; version > Math.Max(0, existing.Version - MaxVersions); version--)
        {
            var before = version == existing.Version ? existing : transaction.FindVersion(existing.Type, existing.Id, version);
            if (before is { IsDeleted: false } && ResourceComparison.SameContent(JsonTree.Parse(before.Body).Require().Root, resource.Tree.Root))
            {
                return true;
            }
        }

        return false;
    }
}
