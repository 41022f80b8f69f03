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

    /// <summary>Whether the incoming reading has a value where the stored one has none.</summary>
    public static bool AddsValue(ResourceNode stored, ResourceNode incoming) => ValueOf(incoming).Exists && !ValueOf(stored).Exists;

    /// <summary>The incoming reading with a period that reaches over both, for mappings in which readings of one second share an Observation.</summary>
    public static JsonTree WithPeriodOf(ResourceNode stored, ResourceNode incoming)
    {
        var (before, now) = (stored["effectivePeriod"u8], incoming["effectivePeriod"u8]);
        if (!before.Exists || !now.Exists)
        {
            return incoming.Tree;
        }

        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in incoming.Children)
            {
                writer.WritePropertyName(member.NameSpan);
                if (!member.NameSpan.SequenceEqual("effectivePeriod"u8))
                {
                    member.WriteTo(writer);
                    continue;
                }

                // All are written in UTC with seven decimals, so the order of texts is that of times.
                writer.WriteStartObject();
                writer.WriteString("start"u8, Earlier(before["start"u8].AsString(), now["start"u8].AsString()!));
                writer.WriteString("end"u8, Later(before["end"u8].AsString(), now["end"u8].AsString()!));
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    /// <summary>The incoming reading with the stored one's identifiers behind its own.</summary>
    public static JsonTree WithIdentifiersOf(ResourceNode stored, ResourceNode incoming)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in incoming.Children)
            {
                if (!member.NameSpan.SequenceEqual("identifier"u8))
                {
                    WriteMember(writer, member);
                }
            }

            writer.WriteStartArray("identifier"u8);
            var written = new HashSet<(string?, string?)>();
            foreach (var identifiers in (ReadOnlySpan<ResourceNode>)[incoming["identifier"u8], stored["identifier"u8]])
            {
                foreach (var identifier in identifiers.Items)
                {
                    if (written.Add((identifier["system"u8].AsString(), identifier["value"u8].AsString())))
                    {
                        identifier.WriteTo(writer);
                    }
                }
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

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

    private static string Earlier(string? before, string now) => before is not null && string.CompareOrdinal(before, now) < 0 ? before : now;

    private static string Later(string? before, string now) => before is not null && string.CompareOrdinal(before, now) > 0 ? before : now;

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
