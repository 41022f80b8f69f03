using System.Buffers;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Api.Shaping;

/// <summary>Brings what an interaction answered into the shape that was asked for.</summary>
internal static class ContentShaper
{
    // What the server itself wrote is not refused for its size: a page of 1,000 resources may be larger than one resource may be.
    private static readonly JsonLimits Unlimited = JsonLimits.Default with { MaxBytes = int.MaxValue, MaxDepth = JsonLimits.Default.MaxDepth + 8 };

    /// <summary>The bytes that go out; refused when the content cannot be said in XML (a control character in a string).</summary>
    public static Outcome<ReadOnlyMemory<byte>> Apply(FhirContent content, ResponseShape shape)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        content.WriteTo(output);
        if (shape.IsSubset)
        {
            output = Subset(JsonTree.Parse(output.WrittenMemory, Unlimited).Require().Root, shape);
        }

        if (shape.Format == FhirFormat.Xml)
        {
            return FhirXmlWriter.Write(JsonTree.Parse(output.WrittenMemory, Unlimited).Require().Root, FhirDefinitions.R4, shape.Pretty);
        }

        return shape.Pretty ? JsonTextWriter.Indented(JsonTree.Parse(output.WrittenMemory, Unlimited).Require().Root) : output.WrittenMemory;
    }

    private static ArrayBufferWriter<byte> Subset(ResourceNode root, ResponseShape shape)
    {
        var output = new ArrayBufferWriter<byte>(root.Length);
        using var writer = new Utf8JsonWriter(output, JsonText.Options);
        var subset = new ResourceSubset(shape);
        if (root["resourceType"u8].TextEquals("Bundle"u8) && root["type"u8].AsString() is "searchset" or "history")
        {
            WriteBundle(writer, root, subset);
        }
        else
        {
            subset.Write(writer, root, isMatch: true);
        }

        writer.Flush();
        return output;
    }

    private static void WriteBundle(Utf8JsonWriter writer, ResourceNode bundle, ResourceSubset subset)
    {
        writer.WriteStartObject();
        foreach (var member in bundle.Children)
        {
            writer.WritePropertyName(member.NameSpan);
            if (!member.NameSpan.SequenceEqual("entry"u8))
            {
                member.WriteTo(writer);
                continue;
            }

            writer.WriteStartArray();
            foreach (var entry in member.Items)
            {
                WriteEntry(writer, entry, subset);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter writer, ResourceNode entry, ResourceSubset subset)
    {
        var isMatch = entry["search"u8]["mode"u8].AsString() is null or "match";
        writer.WriteStartObject();
        foreach (var member in entry.Children)
        {
            writer.WritePropertyName(member.NameSpan);
            if (member.NameSpan.SequenceEqual("resource"u8))
            {
                subset.Write(writer, member, isMatch);
            }
            else
            {
                member.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }
}
