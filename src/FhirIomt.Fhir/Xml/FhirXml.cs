using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>What reading an XML text gave: the tree as far as one could be made, and everything that is wrong with the text.</summary>
/// <param name="Tree">FHIR's JSON form with positions in the XML; null when nothing could be read.</param>
public sealed record FhirXmlReading(JsonTree? Tree, IReadOnlyList<Issue> Issues);

/// <summary>Reads FHIR XML (R4 §2.6.1) into the JSON document that everything else works on.</summary>
public static class FhirXml
{
    /// <summary>The resource, or everything that is wrong with the XML. Codes IOMT-0101, 0103, 0104, 0110 to 0123, each with line and column (in bytes)
    /// and where there is one the path. Values are kept to the letter (<c>1.0</c>, <c>1e3</c>, XHTML).</summary>
    public static Outcome<JsonTree> Parse(ReadOnlyMemory<byte> utf8, FhirDefinitions definitions, JsonLimits? limits = null)
    {
        var reading = Read(utf8, definitions, limits);
        return reading is { Tree: { } tree, Issues.Count: 0 } ? tree : Outcome<JsonTree>.Refused(reading.Issues);
    }

    /// <summary>As <see cref="Parse"/>, for callers that go on with what could be read: elements that no definition knows are left out of the tree.</summary>
    public static FhirXmlReading Read(ReadOnlyMemory<byte> utf8, FhirDefinitions definitions, JsonLimits? limits = null)
    {
        limits ??= JsonLimits.Default;
        if (!XmlScanner.Scan(utf8, limits).TryGetValue(out var root, out var issues))
        {
            return new FhirXmlReading(Tree: null, issues);
        }

        if (root.Namespace != XmlNames.Fhir || definitions.Type(root.Name) is not { Kind: FhirTypeKind.Resource, IsAbstract: false } type)
        {
            return new FhirXmlReading(Tree: null, [XmlIssues.NoResource(root.Name, root.Position)]);
        }

        var conversion = new XmlConversion(definitions, limits);
        conversion.Resource(root, type);
        var isTooDeep = conversion.Issues.Exists(issue => issue.Severity == IssueSeverity.Fatal);
        return new FhirXmlReading(isTooDeep ? null : JsonTree.FromWritten(conversion.Json.Utf8, conversion.Json.Places, limits.MaxDepth), conversion.Issues);
    }
}
