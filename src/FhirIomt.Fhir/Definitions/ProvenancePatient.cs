namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// R5's Provenance.patient as the extension that R4 may carry: whom a Provenance is about. R4 knows it only of one whose target is a Patient, which is another thing: who made that resource.
/// </summary>
public static class ProvenancePatient
{
    public const string Url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient";

    /// <summary>R4's parameter <c>patient</c>, and R5's.</summary>
    internal static string Expression(string ofR4) => $"{ofR4} | Provenance.extension.where(url = '{Url}').value";
}
