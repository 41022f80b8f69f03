using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Writing;

/// <summary>Adds profiles, tags and security labels to a resource, or takes them away; a tag or label is the same when system and code are.</summary>
internal static class MetaChange
{
    public static JsonTree Apply(JsonTree resource, ResourceNode change, bool removes)
    {
        var meta = resource.Root["meta"u8];
        var output = new ArrayBufferWriter<byte>(resource.Utf8.Length + change.Length);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in resource.Root.Children)
            {
                if (!member.NameSpan.SequenceEqual("meta"u8))
                {
                    writer.WritePropertyName(member.NameSpan);
                    member.WriteTo(writer);
                }
            }

            writer.WriteStartObject("meta"u8);
            foreach (var member in meta.Children)
            {
                if (!IsList(member.NameSpan))
                {
                    writer.WritePropertyName(member.NameSpan);
                    member.WriteTo(writer);
                }
            }

            WriteList(writer, "profile", meta["profile"u8], change["profile"u8], removes);
            WriteList(writer, "security", meta["security"u8], change["security"u8], removes);
            WriteList(writer, "tag", meta["tag"u8], change["tag"u8], removes);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory, JsonLimits.Default with { MaxBytes = int.MaxValue }).Require();
    }

    private static bool IsList(ReadOnlySpan<byte> name) => name.SequenceEqual("profile"u8) || name.SequenceEqual("security"u8) || name.SequenceEqual("tag"u8);

    private static void WriteList(Utf8JsonWriter writer, string name, ResourceNode present, ResourceNode change, bool removes)
    {
        var kept = new List<ResourceNode>();
        foreach (var item in present.Items)
        {
            if (!removes || !Contains(change, item))
            {
                kept.Add(item);
            }
        }

        foreach (var item in change.Items)
        {
            if (!removes && !kept.Exists(one => Same(one, item)))
            {
                kept.Add(item);
            }
        }

        if (kept.Count == 0)
        {
            return;
        }

        writer.WriteStartArray(name);
        kept.ForEach(item => item.WriteTo(writer));
        writer.WriteEndArray();
    }

    private static bool Contains(ResourceNode list, ResourceNode item)
    {
        foreach (var one in list.Items)
        {
            if (Same(one, item))
            {
                return true;
            }
        }

        return false;
    }

    public static bool Same(ResourceNode one, ResourceNode other) => one.IsString || other.IsString
        ? one.AsString() == other.AsString()
        : one["system"u8].AsString() == other["system"u8].AsString() && one["code"u8].AsString() == other["code"u8].AsString();
}
