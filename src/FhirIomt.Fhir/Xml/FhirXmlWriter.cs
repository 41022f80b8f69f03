using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>Writes a resource as FHIR XML (R4 §2.6.1): elements in definition order, nothing added, nothing lost.</summary>
public static class FhirXmlWriter
{
    /// <summary>UTF-8 with an XML declaration. Refuses what XML has no place for, all of it at once: codes IOMT-0113, 0119, 0130 to 0133.</summary>
    public static Outcome<ReadOnlyMemory<byte>> Write(ResourceNode resource, FhirDefinitions definitions, bool indented = false)
    {
        var type = resource["resourceType"u8].AsString() ?? "";
        if (definitions.Type(type) is not { Kind: FhirTypeKind.Resource, IsAbstract: false } known)
        {
            return XmlIssues.NoResource(type, resource.Exists ? resource.Position : new TextPosition(1, 1));
        }

        var text = new XmlText(indented);
        text.Declaration();
        var run = new XmlWriting(definitions, text);
        run.Root(resource, known);
        return run.Issues.Count > 0 ? Outcome<ReadOnlyMemory<byte>>.Refused(run.Issues) : text.Utf8;
    }
}
