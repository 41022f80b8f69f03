using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Api.Shaping;

/// <summary>
/// Writes part of a resource, as <c>_summary</c> and <c>_elements</c> ask (R4 §3.1.1.5.8, §3.1.1.5.9). Mandatory and modifier elements always stay, so that
/// what goes out can be read, and the tag SUBSETTED says that it must not be written back.
/// </summary>
internal sealed class ResourceSubset(ResponseShape shape)
{
    private const string TagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
    private const string TagCode = "SUBSETTED";

    /// <param name="isMatch">Names without a type in <c>_elements</c> are meant for the type that was asked for, not for what was included.</param>
    public void Write(Utf8JsonWriter writer, ResourceNode resource, bool isMatch)
    {
        var type = FhirDefinitions.R4.Type(resource["resourceType"u8].AsString() ?? "");
        if (type is null or { Name: "OperationOutcome" } || (shape.Elements.Count > 0 && NamesFor(type.Name, isMatch).Count == 0 && !isMatch))
        {
            resource.WriteTo(writer);
            return;
        }

        var names = NamesFor(type.Name, isMatch);
        writer.WriteStartObject();
        var hasMeta = false;
        foreach (var member in resource.Children)
        {
            if (member.NameSpan.SequenceEqual("meta"u8))
            {
                hasMeta = true;
                WriteMeta(writer, member);
            }
            else if (Keeps(type, member, names))
            {
                WriteMember(writer, type, member);
            }
        }

        if (!hasMeta)
        {
            WriteMeta(writer, default);
        }

        writer.WriteEndObject();
    }

    private List<string> NamesFor(string type, bool isMatch)
    {
        var names = new List<string>();
        foreach (var element in shape.Elements)
        {
            var dot = element.IndexOf('.', StringComparison.Ordinal);
            if (dot > 0 && element[..dot] == type)
            {
                names.Add(element[(dot + 1)..]);
            }
            else if (isMatch && (dot < 0 || !char.IsAsciiLetterUpper(element[0])))
            {
                names.Add(dot < 0 ? element : element[..dot]);
            }
        }

        return names;
    }

    private bool Keeps(FhirType type, ResourceNode member, List<string> names)
    {
        var name = member.NameSpan;
        if (name.SequenceEqual("resourceType"u8) || name.SequenceEqual("id"u8))
        {
            return true;
        }

        var element = type.Find(name.StartsWith("_"u8) ? name[1..] : name)?.Element;
        if (element is null)
        {
            return false;
        }

        return element.Min > 0 || shape switch
        {
            { Elements.Count: > 0 } => element.IsModifier || names.Contains(element.Name, StringComparer.Ordinal) || names.Contains(element.Name + "[x]", StringComparer.Ordinal),
            { Summary: SummaryMode.True } => element.IsSummary,
            { Summary: SummaryMode.Text } => element.Name == "text",
            _ => element.Name != "text",
        };
    }

    // Inside backbone elements the definitions say again what belongs to the summary; data types are kept whole.
    private void WriteMember(Utf8JsonWriter writer, FhirType owner, ResourceNode member)
    {
        writer.WritePropertyName(member.NameSpan);
        var type = owner.Find(member.NameSpan)?.Type;
        if (shape.Summary != SummaryMode.True || type is not { Kind: FhirTypeKind.Backbone })
        {
            member.WriteTo(writer);
            return;
        }

        if (member.IsArray)
        {
            writer.WriteStartArray();
        }

        foreach (var item in member.Items)
        {
            WriteBackbone(writer, type, item);
        }

        if (member.IsArray)
        {
            writer.WriteEndArray();
        }
    }

    private void WriteBackbone(Utf8JsonWriter writer, FhirType type, ResourceNode item)
    {
        writer.WriteStartObject();
        foreach (var member in item.Children)
        {
            var name = member.NameSpan;
            var element = type.Find(name.StartsWith("_"u8) ? name[1..] : name)?.Element;
            if (name.SequenceEqual("id"u8) || element is { IsSummary: true } or { Min: > 0 })
            {
                WriteMember(writer, type, member);
            }
        }

        writer.WriteEndObject();
    }

    private static void WriteMeta(Utf8JsonWriter writer, ResourceNode meta)
    {
        writer.WriteStartObject("meta"u8);
        foreach (var member in meta.Children)
        {
            if (!member.NameSpan.SequenceEqual("tag"u8))
            {
                writer.WritePropertyName(member.NameSpan);
                member.WriteTo(writer);
            }
        }

        writer.WriteStartArray("tag"u8);
        foreach (var tag in meta["tag"u8].Items)
        {
            if (!(tag["system"u8].TextEquals("http://terminology.hl7.org/CodeSystem/v3-ObservationValue"u8) && tag["code"u8].TextEquals("SUBSETTED"u8)))
            {
                tag.WriteTo(writer);
            }
        }

        writer.WriteStartObject();
        writer.WriteString("system"u8, TagSystem);
        writer.WriteString("code"u8, TagCode);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
