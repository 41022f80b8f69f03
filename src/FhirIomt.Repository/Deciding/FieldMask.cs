using System.Buffers;
using System.Text.Json;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// Takes out of what leaves the elements that a role does not see: of the resource, and of resources within it. The narrative of such a resource goes as well, because it may repeat them;
/// the tag SUBSETTED says that something is missing.
/// </summary>
internal static class FieldMask
{
    private const string TagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

    public static IReadOnlyList<StoredResource> Apply(IReadOnlyList<StoredResource> resources, FieldRules fields) => fields.HidesAnything ? [.. resources.Select(resource => Apply(resource, fields))] : resources;

    public static StoredResource Apply(StoredResource resource, FieldRules fields)
    {
        if (!fields.HidesAnything || resource.IsDeleted)
        {
            return resource;
        }

        var tree = JsonTree.Parse(resource.Body).Require();
        return Concerns(tree.Root, fields) ? resource with { Body = Write(tree, fields, isTagged: true).Utf8 } : resource;
    }

    /// <summary>The document that a patch is applied to: whoever may not see an element can neither test nor copy it.</summary>
    public static JsonTree Apply(JsonTree resource, FieldRules fields) => fields.HidesAnything && Concerns(resource.Root, fields) ? Write(resource, fields, isTagged: false) : resource;

    /// <summary>Whether the member is left out: hidden, or the narrative of a type that something is hidden of.</summary>
    public static bool Leaves(string type, string member, FieldRules fields) => fields.IsHidden(type, member) || (member == "text" && fields.Hides(type));

    /// <summary>Whether a resource within this one has something that is hidden.</summary>
    public static bool ConcernsInner(ResourceNode resource, FieldRules fields)
    {
        foreach (var member in resource.Children)
        {
            if (Concerns(member, fields))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Concerns(ResourceNode node, FieldRules fields)
    {
        if (node.Kind == NodeKind.Object && node["resourceType"u8].AsString() is { } type && fields.Hides(type))
        {
            foreach (var member in node.Children)
            {
                if (Leaves(type, member.Name, fields))
                {
                    return true;
                }
            }
        }

        return node.Kind is NodeKind.Object or NodeKind.Array && ConcernsInner(node, fields);
    }

    private static JsonTree Write(JsonTree tree, FieldRules fields, bool isTagged)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            Write(writer, tree.Root, fields, isTagged);
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    private static void Write(Utf8JsonWriter writer, ResourceNode node, FieldRules fields, bool isTagged)
    {
        if (node.Kind == NodeKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in node.Children)
            {
                Write(writer, item, fields, isTagged);
            }

            writer.WriteEndArray();
        }
        else if (node.Kind == NodeKind.Object)
        {
            WriteObject(writer, node, fields, isTagged);
        }
        else
        {
            node.WriteTo(writer);
        }
    }

    private static void WriteObject(Utf8JsonWriter writer, ResourceNode node, FieldRules fields, bool isTagged)
    {
        var type = node["resourceType"u8].AsString();
        var isMasked = type is not null && fields.Hides(type);
        var needsTag = isMasked && isTagged;
        writer.WriteStartObject();
        foreach (var member in node.Children)
        {
            if (isMasked && Leaves(type!, member.Name, fields))
            {
                continue;
            }

            writer.WritePropertyName(member.NameSpan);
            if (needsTag && member.NameSpan.SequenceEqual("meta"u8) && member.Kind == NodeKind.Object)
            {
                needsTag = false;
                WriteMeta(writer, member, isTagged: true);
            }
            else
            {
                Write(writer, member, fields, isTagged);
            }
        }

        if (needsTag)
        {
            writer.WritePropertyName("meta"u8);
            WriteMeta(writer, default, isTagged: true);
        }

        writer.WriteEndObject();
    }

    /// <summary>Meta with the tag once, or without it: an answer that is written back must not leave it in the store.</summary>
    public static void WriteMeta(Utf8JsonWriter writer, ResourceNode meta, bool isTagged)
    {
        writer.WriteStartObject();
        foreach (var member in meta.Children)
        {
            if (!member.NameSpan.SequenceEqual("tag"u8))
            {
                writer.WritePropertyName(member.NameSpan);
                member.WriteTo(writer);
            }
        }

        var kept = new List<ResourceNode>();
        foreach (var tag in meta["tag"u8].Items)
        {
            if (!(tag["system"u8].AsString() == TagSystem && tag["code"u8].AsString() == "SUBSETTED"))
            {
                kept.Add(tag);
            }
        }

        if (kept.Count > 0 || isTagged)
        {
            writer.WriteStartArray("tag"u8);
            kept.ForEach(tag => tag.WriteTo(writer));
            if (isTagged)
            {
                writer.WriteStartObject();
                writer.WriteString("system"u8, TagSystem);
                writer.WriteString("code"u8, "SUBSETTED"u8);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
