using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology;

/// <summary>The extensions that terminology work reads or passes on.</summary>
internal static class Extensions
{
    private const string Base = "http://hl7.org/fhir/StructureDefinition/";

    public const string StandardsStatus = Base + "structuredefinition-standards-status";
    public const string Supplement = Base + "valueset-supplement";
    public const string ExpansionParameter = Base + "valueset-expansion-parameter";
    public const string ValueSetDeprecated = Base + "valueset-deprecated";
    public const string ConceptDefinition = Base + "valueset-concept-definition";
    public const string DescriptionId = Base + "coding-sctdescid";
    public const string Style = Base + "rendering-style";
    public const string Xhtml = Base + "rendering-xhtml";
    public const string Weight = Base + "itemWeight";
    public const string Unclosed = Base + "valueset-unclosed";
    public const string UnclosedReason = Base + "valueset-unclosed-reason";
    public const string MessageId = Base + "operationoutcome-message-id";
    public const string Property = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.property";
    public const string ContainsProperty = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property";

    public static readonly string[] Order = [Base + "valueset-conceptOrder", Base + "codesystem-conceptOrder"];
    public static readonly string[] Label = [Base + "valueset-label", Base + "codesystem-label"];

    public static ResourceNode Find(ResourceNode element, string url)
    {
        foreach (var extension in element["extension"u8].Items)
        {
            if (extension["url"u8].AsString() == url)
            {
                return extension;
            }
        }

        return default;
    }

    /// <summary>The value element of an extension (<c>valueX</c>), or nothing.</summary>
    public static ResourceNode Value(ResourceNode extension)
    {
        if (extension.IsObject)
        {
            foreach (var member in extension.Children)
            {
                if (member.NameSpan.StartsWith("value"u8))
                {
                    return member;
                }
            }
        }

        return default;
    }

    public static string? Text(ResourceNode element, string url) => Value(Find(element, url)).AsText();
}
