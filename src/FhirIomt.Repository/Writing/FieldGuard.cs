using System.Buffers;
using System.Text.Json;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>What a role does not see stays through its writes, and what it does not change stays as it is.</summary>
internal sealed class FieldGuard(SearchIndexer indexer, IndexPolicy policy)
{
    /// <summary>Why this cannot be written, whatever was there before: it says something that the caller does not see.</summary>
    public static Refusal? Refuses(string type, JsonTree resource, FieldRules fields)
    {
        if (fields.Hidden(type) is { } hidden && FieldMask.PathOf(resource.Root, hidden) is { } path)
        {
            return RepositoryIssues.HiddenField($"{type}.{path}");
        }

        return fields.HidesAnything && FieldMask.ConcernsInner(resource.Root, fields) ? RepositoryIssues.HiddenField($"{type}.contained") : null;
    }

    /// <summary>The next version with the hidden elements of the one before.</summary>
    public (PreparedResource? Next, Refusal? Refusal) Kept(PreparedResource next, JsonTree before, FieldRules fields)
    {
        // Resources within it have no place of their own that what is hidden could be put back to.
        if (fields.HidesAnything && FieldMask.ConcernsInner(before.Root, fields))
        {
            return (null, RepositoryIssues.HiddenField($"{next.Type}.contained"));
        }

        if (fields.Hidden(next.Type) is { } hidden)
        {
            var (merged, lost) = Merged(next.Tree.Root, before.Root, hidden);
            if (merged is null)
            {
                return (null, RepositoryIssues.HiddenPart($"{next.Type}.{lost}"));
            }

            next = PreparedResource.Create(next.Type, merged, indexer, policy);
        }

        var changed = fields.ReadOnly(next.Type) is { } readOnly ? Changed(before.Root, next.Tree.Root, readOnly) : null;
        return changed is null ? (next, null) : (null, RepositoryIssues.ReadOnlyField($"{next.Type}.{changed}"));
    }

    private static (JsonTree? Merged, string? Lost) Merged(ResourceNode next, ResourceNode before, FieldTree hidden)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        string? lost;
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            var merge = new FieldMerge(writer);
            merge.WriteResource(next, before, hidden);
            lost = merge.Lost;
        }

        return lost is null ? (JsonTree.Parse(output.WrittenMemory).Require(), null) : (null, lost);
    }

    /// <summary>What has changed of these elements, as a path. In lists an entry is known by its place.</summary>
    private static string? Changed(ResourceNode before, ResourceNode after, FieldTree paths) => Changed(before, after, paths, before) ?? Changed(before, after, paths, after);

    private static string? Changed(ResourceNode before, ResourceNode after, FieldTree paths, ResourceNode named)
    {
        foreach (var member in named.Children)
        {
            if (paths[member.Name] is not { } below)
            {
                continue;
            }

            var (old, fresh) = (before[member.NameSpan], after[member.NameSpan]);
            var path = !below.IsWhole ? ChangedItem(old, fresh, below) : ResourceComparison.Same(old, fresh) ? null : "";
            if (path is not null)
            {
                return path.Length == 0 ? member.Name : $"{member.Name}.{path}";
            }
        }

        return null;
    }

    private static string? ChangedItem(ResourceNode before, ResourceNode after, FieldTree paths)
    {
        var old = before.Items;
        var fresh = after.Items;
        while (true)
        {
            var (hasOld, hasFresh) = (old.MoveNext(), fresh.MoveNext());
            if (!hasOld && !hasFresh)
            {
                return null;
            }

            if (Changed(hasOld ? old.Current : default, hasFresh ? fresh.Current : default, paths) is { } changed)
            {
                return changed;
            }
        }
    }
}
