using System.Buffers;
using System.Text.Json;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// Takes out of what leaves the elements that a role does not see: of the resource, and of resources within it. The narrative of such a resource goes as well, because it may repeat them;
/// the tag SUBSETTED says that something is missing, and an element of which nothing is left says so itself (data-absent-reason).
/// </summary>
internal static class FieldMask
{
    private const string TagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
    private const string AbsentUrl = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    private const string Masked = "masked";

    public static IReadOnlyList<StoredResource> Apply(IReadOnlyList<StoredResource> resources, FieldRules fields) => fields.HidesAnything ? [.. resources.Select(resource => Apply(resource, fields))] : resources;

    public static StoredResource Apply(StoredResource resource, FieldRules fields)
    {
        if (!fields.HidesAnything || resource.IsDeleted)
        {
            return resource;
        }

        var tree = JsonTree.Parse(resource.Body).Require();
        return Concerns(tree.Root, fields)
            // Whose it is stays known to the audit, also where that is what is hidden.
            ? resource with { Body = Write(tree.Root, fields, hidden: null, isTagged: true).Utf8, Glance = resource.Glance }
            : resource;
    }

    /// <summary>The document that a patch is applied to: whoever may not see an element can neither test nor copy it.</summary>
    public static JsonTree Apply(JsonTree resource, FieldRules fields) => fields.HidesAnything && Concerns(resource.Root, fields) ? Write(resource.Root, fields, hidden: null, isTagged: false) : resource;

    /// <summary>Whether the member is left out: hidden, or the narrative of a type that something is hidden of.</summary>
    public static bool Leaves(string member, FieldTree hidden, bool isResource) => hidden[member] is { IsWhole: true } || (isResource && member == "text");

    /// <summary>Where something stands that is hidden, as a path; the narrative apart. Null when there is nothing.</summary>
    public static string? PathOf(ResourceNode node, FieldTree hidden)
    {
        foreach (var item in node.Items)
        {
            foreach (var member in item.Children)
            {
                var below = hidden[member.Name];
                if (below is not null && (below.IsWhole ? "" : PathOf(member, below)) is { } rest)
                {
                    return rest.Length == 0 ? member.Name : $"{member.Name}.{rest}";
                }
            }
        }

        return null;
    }

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

    /// <summary>An element of a resource as whoever does not see these paths of it gets it.</summary>
    public static JsonTree Seen(ResourceNode element, FieldTree hidden) => Write(element, FieldRules.None, hidden, isTagged: false);

    /// <summary>Whether this entry of <c>extension</c> stands for what was left out.</summary>
    public static bool IsPlaceholder(ResourceNode extension) => extension["url"u8].AsString() == AbsentUrl && extension["valueCode"u8].AsString() == Masked;

    private static bool Concerns(ResourceNode node, FieldRules fields)
    {
        if (node.Kind == NodeKind.Object && node["resourceType"u8].AsString() is { } type && fields.Hidden(type) is { } hidden && (node["text"u8].Exists || PathOf(node, hidden) is not null))
        {
            return true;
        }

        return node.Kind is NodeKind.Object or NodeKind.Array && ConcernsInner(node, fields);
    }

    private static JsonTree Write(ResourceNode node, FieldRules fields, FieldTree? hidden, bool isTagged)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            new Pass(writer, fields, isTagged).Write(node, hidden);
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    private sealed class Pass(Utf8JsonWriter writer, FieldRules fields, bool isTagged)
    {
        /// <param name="hidden">What is hidden below this place; null: nothing that belongs to the resource around it.</param>
        public void Write(ResourceNode node, FieldTree? hidden)
        {
            if (node.Kind == NodeKind.Array)
            {
                writer.WriteStartArray();
                foreach (var item in node.Children)
                {
                    Write(item, hidden);
                }

                writer.WriteEndArray();
            }
            else if (node.Kind == NodeKind.Object)
            {
                writer.WriteStartObject();
                if (node["resourceType"u8].AsString() is { } type)
                {
                    WriteResource(node, fields.Hidden(type));
                }
                else
                {
                    WriteElement(node, hidden);
                }

                writer.WriteEndObject();
            }
            else
            {
                node.WriteTo(writer);
            }
        }

        private void WriteResource(ResourceNode resource, FieldTree? hidden)
        {
            var needsTag = hidden is not null && isTagged;
            foreach (var member in resource.Children)
            {
                var name = member.Name;
                if (hidden is not null && Leaves(name, hidden, isResource: true))
                {
                    continue;
                }

                writer.WritePropertyName(member.NameSpan);
                if (needsTag && name == "meta" && member.Kind == NodeKind.Object)
                {
                    needsTag = false;
                    WriteMeta(writer, member, isTagged: true);
                }
                else
                {
                    Write(member, hidden?[name]);
                }
            }

            if (needsTag)
            {
                writer.WritePropertyName("meta"u8);
                WriteMeta(writer, default, isTagged: true);
            }
        }

        private void WriteElement(ResourceNode element, FieldTree? hidden)
        {
            var (isLess, isLeft) = (false, false);
            foreach (var member in element.Children)
            {
                var below = hidden?[member.Name];
                if (below is { IsWhole: true })
                {
                    isLess = true;
                    continue;
                }

                isLeft |= !member.NameSpan.SequenceEqual("id"u8);
                writer.WritePropertyName(member.NameSpan);
                Write(member, below);
            }

            // FHIR has no empty elements; that it is there at all is not hidden, and others keep their places in its list.
            if (isLess && !isLeft)
            {
                writer.WriteStartArray("extension"u8);
                writer.WriteStartObject();
                writer.WriteString("url"u8, AbsentUrl);
                writer.WriteString("valueCode"u8, Masked);
                writer.WriteEndObject();
                writer.WriteEndArray();
            }
        }
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
