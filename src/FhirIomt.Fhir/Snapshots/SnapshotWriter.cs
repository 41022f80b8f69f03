using FhirIomt.Core;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>Writes a StructureDefinition with its new snapshot in place of the old.</summary>
internal static class SnapshotWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // The order of ElementDefinition's elements; what is none of them (companions) follows.
    private static readonly Dictionary<string, int> Order = FhirDefinitions.R4.Type("ElementDefinition")!.Elements.SelectMany(element => element.Members).Select((member, index) => (member.JsonName, index)).ToDictionary(entry => entry.JsonName, entry => entry.index, StringComparer.Ordinal);

    public static Outcome<JsonTree> Write(JsonTree definition, SnapshotNode root)
    {
        using var bytes = new MemoryStream(definition.Utf8.Length * 2);
        using (var writer = new Utf8JsonWriter(bytes, Options))
        {
            writer.WriteStartObject();
            var written = false;
            foreach (var member in definition.Root.Children)
            {
                if (member.NameSpan.SequenceEqual("differential"u8))
                {
                    WriteSnapshot(writer, root);
                    written = true;
                }

                if (!member.NameSpan.SequenceEqual("snapshot"u8))
                {
                    writer.WritePropertyName(member.NameSpan);
                    member.WriteTo(writer);
                }
            }

            if (!written)
            {
                WriteSnapshot(writer, root);
            }

            writer.WriteEndObject();
        }

        return JsonTree.Parse(bytes.ToArray(), JsonLimits.Default).TryGetValue(out var whole, out _) ? whole : SnapshotIssues.TooLarge("its end");
    }

    private static void WriteSnapshot(Utf8JsonWriter writer, SnapshotNode root)
    {
        writer.WriteStartObject("snapshot");
        writer.WriteStartArray("element");
        Write(writer, root, root.Name, root.Name);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, SnapshotNode node, string path, string id)
    {
        WriteElement(writer, node, path, id);
        foreach (var child in node.Children)
        {
            Write(writer, child, $"{path}.{child.Name}", $"{id}.{child.Name}");
        }

        foreach (var slice in node.Slices)
        {
            Write(writer, slice, path, $"{Unsliced(id, node)}:{slice.Slice}");
        }
    }

    // A slice of a slice is written "slice/part".
    private static string Unsliced(string id, SnapshotNode node) => node.Slice is { } slice && id.EndsWith(':' + slice, StringComparison.Ordinal) ? id[..^(slice.Length + 1)] : id;

    private static void WriteElement(Utf8JsonWriter writer, SnapshotNode node, string path, string id)
    {
        var element = node.Element ?? new ElementDraft();
        writer.WriteStartObject();
        writer.WriteString("id", id);
        foreach (var name in element.Names.Append("path").Distinct(StringComparer.Ordinal).OrderBy(name => Order.GetValueOrDefault(name.TrimStart('_'), int.MaxValue)).ThenBy(name => name.StartsWith('_')))
        {
            if (name == "path")
            {
                writer.WriteString("path", path);
            }
            else if (name is not ("id" or "sliceName"))
            {
                writer.WritePropertyName(name);
                element[name].WriteTo(writer);
            }
            else if (name == "sliceName" && node.Slice is not null)
            {
                writer.WriteString("sliceName", node.Slice);
            }
        }

        writer.WriteEndObject();
    }
}
