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
        foreach (var member in fields.Hides(type) ? resource.Root.Children : default)
        {
            if (fields.IsHidden(type, member.Name))
            {
                return RepositoryIssues.HiddenField($"{type}.{member.Name}");
            }
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

        var kept = fields.Hides(next.Type) ? PreparedResource.Create(next.Type, Merged(next.Type, next.Tree.Root, before.Root, fields), indexer, policy) : next;
        var changed = fields.ReadOnly(next.Type).FirstOrDefault(element => !ResourceComparison.SameElement(before.Root, kept.Tree.Root, name => FieldRules.ElementOf(next.Type, name) == element));
        return changed is null ? (kept, null) : (null, RepositoryIssues.ReadOnlyField($"{next.Type}.{changed}"));
    }

    private static JsonTree Merged(string type, ResourceNode next, ResourceNode before, FieldRules fields)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in next.Children)
            {
                writer.WritePropertyName(member.NameSpan);
                if (member.NameSpan.SequenceEqual("meta"u8) && member.Kind == NodeKind.Object)
                {
                    FieldMask.WriteMeta(writer, member, isTagged: false);
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            foreach (var member in before.Children)
            {
                if (FieldMask.Leaves(type, member.Name, fields) && !next[member.NameSpan].Exists)
                {
                    writer.WritePropertyName(member.NameSpan);
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }
}
