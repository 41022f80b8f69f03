using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Writes a definition without its prose: what people read about it is left to HL7's own pages; what programs decide by stays.</summary>
internal static class Prose
{
    // Elements whose content is text for people, and metadata that decides nothing. A fixed or pattern value is never looked into.
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "description", "purpose", "copyright", "contact", "publisher", "definition", "comment", "requirements", "alias", "mapping", "example", "short", "date",
        "documentation", "useContext", "jurisdiction", "orderMeaning", "meaningWhenMissing", "human",
    };

    private static readonly HashSet<string> TopNames = new(StringComparer.Ordinal) { "text", "meta" };

    private static readonly HashSet<string> Extensions = new(StringComparer.Ordinal)
    {
        "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments",
        "http://hl7.org/fhir/StructureDefinition/valueset-concept-definition",
        "http://hl7.org/fhir/StructureDefinition/codesystem-concept-comments",
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-wg",
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-fmm",
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status",
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-normative-version",
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-security-category",
        "http://hl7.org/fhir/build/StructureDefinition/committee-notes",
        "http://hl7.org/fhir/build/StructureDefinition/definition",
        "http://hl7.org/fhir/build/StructureDefinition/footer",
        "http://hl7.org/fhir/build/StructureDefinition/introduction",
        "http://hl7.org/fhir/build/StructureDefinition/notes",
    };

    public static byte[] Without(ResourceNode definition)
    {
        var buffer = new ArrayBufferWriter<byte>(definition.Length);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            Write(writer, definition, depth: 0);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, ResourceNode node, int depth)
    {
        if (node.IsArray)
        {
            writer.WriteStartArray();
            foreach (var item in node.Items)
            {
                Write(writer, item, depth + 1);
            }

            writer.WriteEndArray();
        }
        else if (node.IsObject)
        {
            writer.WriteStartObject();
            foreach (var member in node.Children)
            {
                WriteMember(writer, member, depth);
            }

            writer.WriteEndObject();
        }
        else
        {
            node.WriteTo(writer);
        }
    }

    private static void WriteMember(Utf8JsonWriter writer, ResourceNode member, int depth)
    {
        var name = member.Name;
        var plain = name.StartsWith('_') ? name[1..] : name;
        if (Names.Contains(plain) || (depth == 0 && TopNames.Contains(plain)))
        {
            return;
        }

        if (plain is "extension" && member.IsArray)
        {
            WriteExtensions(writer, member, depth);
            return;
        }

        writer.WritePropertyName(name);
        if (plain.StartsWith("fixed", StringComparison.Ordinal) || plain.StartsWith("pattern", StringComparison.Ordinal) || plain.StartsWith("defaultValue", StringComparison.Ordinal))
        {
            member.WriteTo(writer);
        }
        else
        {
            Write(writer, member, depth + 1);
        }
    }

    private static void WriteExtensions(Utf8JsonWriter writer, ResourceNode extensions, int depth)
    {
        var kept = new List<ResourceNode>();
        foreach (var extension in extensions.Items)
        {
            if (!Extensions.Contains(extension["url"u8].AsString() ?? ""))
            {
                kept.Add(extension);
            }
        }

        if (kept.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("extension");
        foreach (var extension in kept)
        {
            Write(writer, extension, depth + 2);
        }

        writer.WriteEndArray();
    }
}
