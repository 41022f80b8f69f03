using System.Text.Json;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Deciding;

namespace FhirIomt.Repository.Writing;

/// <summary>
/// Puts what is hidden back to its place in the next version. A place is lost, and the write with it, when the element around it is gone or cannot be told: an entry of
/// a list is known by its <c>id</c>, or because what one sees of it has not changed; and a value of a data type, whose parts belong together, only so.
/// </summary>
internal sealed class FieldMerge(Utf8JsonWriter writer)
{
    /// <summary>The element whose hidden part has no place any more; what was written is of no use then.</summary>
    public string? Lost { get; private set; }

    public void WriteResource(ResourceNode next, ResourceNode before, FieldTree hidden) => WriteObject(next, before, hidden, isResource: true);

    private void WriteObject(ResourceNode next, ResourceNode before, FieldTree hidden, bool isResource)
    {
        writer.WriteStartObject();
        foreach (var member in next.Children)
        {
            WriteMember(member, before, hidden, isResource);
        }

        foreach (var member in before.Children)
        {
            if (next[member.NameSpan].Exists)
            {
                continue;
            }

            if (FieldMask.Leaves(member.Name, hidden, isResource))
            {
                writer.WritePropertyName(member.NameSpan);
                member.WriteTo(writer);
            }
            else if (Hides(member, hidden[member.Name]))
            {
                Lost ??= member.Name;
            }
        }

        writer.WriteEndObject();
    }

    private void WriteMember(ResourceNode member, ResourceNode before, FieldTree hidden, bool isResource)
    {
        if (!isResource && member.NameSpan.SequenceEqual("extension"u8))
        {
            WriteExtensions(member, before["extension"u8]);
            return;
        }

        writer.WritePropertyName(member.NameSpan);
        if (isResource && member.NameSpan.SequenceEqual("meta"u8) && member.Kind == NodeKind.Object)
        {
            FieldMask.WriteMeta(writer, member, isTagged: false);
            return;
        }

        var (old, below) = (before[member.NameSpan], hidden[member.Name]);
        if (!Hides(old, below))
        {
            member.WriteTo(writer);
        }
        else if (member.IsArray && old.IsArray)
        {
            WriteItems(member, old, below!);
        }
        else
        {
            WriteItem(member, old, below!);
        }
    }

    // Matched by its place or its id, what one sees of it may have changed; of a value of a data type it may not.
    private void WriteItem(ResourceNode next, ResourceNode before, FieldTree hidden)
    {
        if (IsSeenAs(before, hidden, next))
        {
            before.WriteTo(writer);
        }
        else if (next.IsObject && before.IsObject && !hidden.IsDataType)
        {
            WriteObject(next, before, hidden, isResource: false);
        }
        else
        {
            Lost ??= before.Name;
            next.WriteTo(writer);
        }
    }

    private void WriteItems(ResourceNode next, ResourceNode before, FieldTree hidden)
    {
        var (fresh, places) = (new List<ResourceNode>(), new Dictionary<int, ResourceNode>());
        foreach (var item in next.Children)
        {
            fresh.Add(item);
        }

        foreach (var item in before.Children)
        {
            if (PlaceOf(item, fresh, places, hidden) is { } place)
            {
                places[place] = item;
            }
            else if (Hides(item, hidden))
            {
                Lost ??= before.Name;
            }
        }

        writer.WriteStartArray();
        for (var place = 0; place < fresh.Count; place++)
        {
            if (places.TryGetValue(place, out var old) && Hides(old, hidden))
            {
                WriteItem(fresh[place], old, hidden);
            }
            else
            {
                fresh[place].WriteTo(writer);
            }
        }

        writer.WriteEndArray();
    }

    // Entries that look the same keep their order, so those without anything hidden take their places too.
    private static int? PlaceOf(ResourceNode old, List<ResourceNode> fresh, Dictionary<int, ResourceNode> taken, FieldTree hidden)
    {
        var id = old["id"u8].AsString();
        var seen = FieldMask.Seen(old, hidden).Root;
        for (var place = 0; place < fresh.Count; place++)
        {
            if (!taken.ContainsKey(place) && (id is null ? ResourceComparison.Same(seen, fresh[place]) : fresh[place]["id"u8].AsString() == id))
            {
                return place;
            }
        }

        return null;
    }

    // What the answer said in place of what is hidden does not stay in the store, unless it was there before.
    private void WriteExtensions(ResourceNode extensions, ResourceNode before)
    {
        var kept = new List<ResourceNode>();
        foreach (var extension in extensions.Items)
        {
            if (!FieldMask.IsPlaceholder(extension) || HasPlaceholder(before))
            {
                kept.Add(extension);
            }
        }

        if (kept.Count > 0)
        {
            writer.WriteStartArray("extension"u8);
            kept.ForEach(extension => extension.WriteTo(writer));
            writer.WriteEndArray();
        }
    }

    private static bool HasPlaceholder(ResourceNode extensions)
    {
        foreach (var extension in extensions.Items)
        {
            if (FieldMask.IsPlaceholder(extension))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsSeenAs(ResourceNode before, FieldTree hidden, ResourceNode next) => ResourceComparison.Same(FieldMask.Seen(before, hidden).Root, next);

    private static bool Hides(ResourceNode element, FieldTree? hidden) => hidden is not null && element.Exists && FieldMask.PathOf(element, hidden) is not null;
}
