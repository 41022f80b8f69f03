using System.Collections.Frozen;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Access;

/// <summary>
/// Which patient a resource belongs to, strictly: only the element that says whom the resource is about counts. The R4 compartment also lists
/// performers, links, group members and authors; through those one patient could see another's data, so they do not open anything here.
/// Device is outside the R4 compartment; it belongs to the patient it is assigned to, and to nobody when it is not.
/// </summary>
public static class PatientCompartment
{
    // The element that says whom a resource of the type is about (CompartmentDefinition patient, narrowed). "" is the resource itself.
    private static readonly FrozenDictionary<string, string> SubjectElement = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Patient"] = "",
        ["Account"] = "subject",
        ["AdverseEvent"] = "subject",
        ["AllergyIntolerance"] = "patient",
        ["BodyStructure"] = "patient",
        ["CarePlan"] = "subject",
        ["CareTeam"] = "subject",
        ["ChargeItem"] = "subject",
        ["Claim"] = "patient",
        ["ClaimResponse"] = "patient",
        ["ClinicalImpression"] = "subject",
        ["Communication"] = "subject",
        ["CommunicationRequest"] = "subject",
        ["Composition"] = "subject",
        ["Condition"] = "subject",
        ["Consent"] = "patient",
        ["Coverage"] = "beneficiary",
        ["DetectedIssue"] = "patient",
        ["Device"] = "patient",
        ["DeviceRequest"] = "subject",
        ["DeviceUseStatement"] = "subject",
        ["DiagnosticReport"] = "subject",
        ["DocumentManifest"] = "subject",
        ["DocumentReference"] = "subject",
        ["Encounter"] = "subject",
        ["EpisodeOfCare"] = "patient",
        ["ExplanationOfBenefit"] = "patient",
        ["FamilyMemberHistory"] = "patient",
        ["Flag"] = "subject",
        ["Goal"] = "subject",
        ["ImagingStudy"] = "subject",
        ["Immunization"] = "patient",
        ["ImmunizationEvaluation"] = "patient",
        ["ImmunizationRecommendation"] = "patient",
        ["Invoice"] = "subject",
        ["List"] = "subject",
        ["MeasureReport"] = "subject",
        ["Media"] = "subject",
        ["MedicationAdministration"] = "subject",
        ["MedicationDispense"] = "subject",
        ["MedicationRequest"] = "subject",
        ["MedicationStatement"] = "subject",
        ["MolecularSequence"] = "patient",
        ["NutritionOrder"] = "patient",
        ["Observation"] = "subject",
        ["Procedure"] = "subject",
        ["QuestionnaireResponse"] = "subject",
        ["RelatedPerson"] = "patient",
        ["RequestGroup"] = "subject",
        ["RiskAssessment"] = "subject",
        ["ServiceRequest"] = "subject",
        ["Specimen"] = "subject",
        ["SupplyDelivery"] = "patient",
        ["VisionPrescription"] = "patient",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether any instance of the type can belong to a patient.</summary>
    public static bool Reaches(string resourceType) => SubjectElement.ContainsKey(resourceType);

    /// <summary>The id of the patient a resource belongs to, or null. Only a literal reference to this server counts.</summary>
    /// <param name="serverBase">This server's base with a slash at its end: an absolute reference below it is a relative one. Null takes relative ones only.</param>
    public static string? OwnerOf(string resourceType, ResourceNode resource, string? serverBase = null)
    {
        if (!SubjectElement.TryGetValue(resourceType, out var element))
        {
            return null;
        }

        if (element.Length == 0)
        {
            return resource["id"u8].AsString();
        }

        Span<byte> name = stackalloc byte[32];
        var length = System.Text.Encoding.UTF8.GetBytes(element, name);
        var reference = resource[name[..length]]["reference"u8].AsString();
        return PatientIdOf(serverBase is not null && reference?.StartsWith(serverBase, StringComparison.Ordinal) == true ? reference[serverBase.Length..] : reference);
    }

    private static string? PatientIdOf(string? reference)
    {
        const string Prefix = "Patient/";
        if (reference is null || !reference.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var id = reference[Prefix.Length..];
        var version = id.IndexOf("/_history/", StringComparison.Ordinal);
        return version < 0 ? id : id[..version];
    }
}
