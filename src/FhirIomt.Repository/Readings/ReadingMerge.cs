using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// A reading that brings only some of the values that are stored for its moment adds to them, as in the IoMT connector: what it lacks stays. Components are
/// told apart by the text of their code.
/// </summary>
internal static class ReadingMerge
{
    /// <summary>What the incoming reading lacks of the stored one: then the two must be merged.</summary>
    public static bool LacksAnything(ResourceNode stored, ResourceNode incoming) =>
        LackedComponents(stored, incoming).Count > 0 || (ValueOf(stored).Exists && !ValueOf(incoming).Exists);

    /// <summary>The incoming reading with what it lacks.</summary>
    public static JsonTree Merge(ResourceNode stored, ResourceNode incoming)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in incoming.Children)
            {
                if (!member.NameSpan.SequenceEqual("component"u8))
                {
                    WriteMember(writer, member);
                }
            }

            if (!ValueOf(incoming).Exists && ValueOf(stored) is { Exists: true } value)
            {
                WriteMember(writer, value);
            }

            WriteComponents(writer, stored, incoming);
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    // In the stored order, each in its newest form; then those that are new.
    private static void WriteComponents(Utf8JsonWriter writer, ResourceNode stored, ResourceNode incoming)
    {
        var newest = new Dictionary<string, ResourceNode>(StringComparer.Ordinal);
        var order = new List<string>();
        foreach (var component in stored["component"u8].Children)
        {
            order.Add(TextOf(component));
            newest[TextOf(component)] = component;
        }

        foreach (var component in incoming["component"u8].Children)
        {
            if (!newest.ContainsKey(TextOf(component)))
            {
                order.Add(TextOf(component));
            }

            newest[TextOf(component)] = component;
        }

        if (order.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("component"u8);
        order.ForEach(text => newest[text].WriteTo(writer));
        writer.WriteEndArray();
    }

    private static List<ResourceNode> LackedComponents(ResourceNode stored, ResourceNode incoming)
    {
        var lacked = new List<ResourceNode>();
        foreach (var component in stored["component"u8].Children)
        {
            var found = false;
            foreach (var other in incoming["component"u8].Children)
            {
                found |= TextOf(other) == TextOf(component);
            }

            if (!found)
            {
                lacked.Add(component);
            }
        }

        return lacked;
    }

    private static ResourceNode ValueOf(ResourceNode reading)
    {
        foreach (var member in reading.Children)
        {
            if (member.NameSpan.StartsWith("value"u8))
            {
                return member;
            }
        }

        return default;
    }

    private static void WriteMember(Utf8JsonWriter writer, ResourceNode member)
    {
        writer.WritePropertyName(member.NameSpan);
        member.WriteTo(writer);
    }

    private static string TextOf(ResourceNode component) => component["code"u8]["text"u8].AsString() ?? "";
}
