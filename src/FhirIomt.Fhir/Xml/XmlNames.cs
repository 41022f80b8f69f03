namespace FhirIomt.Fhir.Xml;

/// <summary>The namespaces of FHIR XML (R4 §2.6.1).</summary>
internal static class XmlNames
{
    public const string Fhir = "http://hl7.org/fhir";
    public const string Xhtml = "http://www.w3.org/1999/xhtml";
    public const string Declarations = "http://www.w3.org/2000/xmlns/";
    public const string Xml = "http://www.w3.org/XML/1998/namespace";

    /// <summary>Of <c>xsi:schemaLocation</c>, which a resource may carry and nobody reads.</summary>
    public const string SchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";
}
