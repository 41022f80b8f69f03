namespace FhirIomt.Fhir.Packages;

/// <summary>Name and version of a FHIR package: <c>hl7.fhir.us.core#6.1.0</c>.</summary>
public readonly record struct PackageId(string Name, string Version)
{
    public override string ToString() => $"{Name}#{Version}";
}
