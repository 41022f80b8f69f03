using System.Collections.Frozen;
using FhirIomt.Fhir.Definitions;
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
    // Of Provenance it is an extension.
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
        ["Provenance"] = "extension",
        ["QuestionnaireResponse"] = "subject",
        ["RelatedPerson"] = "patient",
        ["RequestGroup"] = "subject",
        ["RiskAssessment"] = "subject",
        ["ServiceRequest"] = "subject",
        ["Specimen"] = "subject",
        ["SupplyDelivery"] = "patient",
        ["VisionPrescription"] = "patient",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // They describe no patient, and what belongs to one names them: a token for one patient reads them when it names the type (patient/Practitioner.r).
    private static readonly FrozenSet<string> Shared = new[]
    {
        "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Medication", "MedicationKnowledge", "Substance", "DeviceDefinition", "Questionnaire", "PlanDefinition", "ActivityDefinition",
    }.ToFrozenSet(StringComparer.Ordinal);

    // They say by a reference on what they hang, and are seen by whoever sees that.
    private static readonly FrozenDictionary<string, string> Attached = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Binary"] = "securityContext",
        ["DeviceMetric"] = "source",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What no patient owns and many refer to.</summary>
    public static bool IsShared(string resourceType) => Shared.Contains(resourceType);

    /// <summary>The element by which a type hangs on another resource; null for a type that stands by itself.</summary>
    public static string? AttachedBy(string resourceType) => Attached.GetValueOrDefault(resourceType);

    /// <summary>What of a type belongs to whom <paramref name="owner"/> names: by itself, or by what it hangs on. <see cref="AccessPredicate.Nothing"/> when nothing can.</summary>
    public static AccessPredicate Filter(string resourceType, AccessPredicate owner, ScopeInteractions interaction) =>
        Reaches(resourceType) ? owner
        : resourceType == "DeviceMetric" || (resourceType == "Binary" && interaction != ScopeInteractions.Search)
            ? new AccessPredicate.Through(Attached[resourceType], target => Reaches(target) ? owner : AccessPredicate.Nothing.Instance)
        : AccessPredicate.Nothing.Instance;

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

        var referred = resourceType == "Provenance" ? Referred(PatientExtension(resource), serverBase) : Referred(resource, element, serverBase);
        return referred is (Type: "Patient", var id) ? id : null;
    }

    /// <summary>What a literal reference to this server points to, whatever version it names; null for any other.</summary>
    public static (string Type, string Id)? Referred(ResourceNode resource, string element, string? serverBase)
    {
        Span<byte> name = stackalloc byte[32];
        var length = System.Text.Encoding.UTF8.GetBytes(element, name);
        return Referred(resource[name[..length]]["reference"u8].AsString(), serverBase);
    }

    /// <summary>The element that says whose a resource of the type is, "" for the resource itself; null when no patient owns any.</summary>
    internal static string? SubjectElementOf(string resourceType) => SubjectElement.GetValueOrDefault(resourceType);

    private static string? PatientExtension(ResourceNode provenance)
    {
        string? found = null;
        foreach (var extension in provenance["extension"u8].Children)
        {
            if (extension["url"u8].AsString() == ProvenancePatient.Url)
            {
                // Two patients would be nobody's.
                if (found is not null)
                {
                    return null;
                }

                found = extension["valueReference"u8]["reference"u8].AsString();
            }
        }

        return found;
    }

    internal static (string Type, string Id)? Referred(string? reference, string? serverBase)
    {
        if (serverBase is not null && reference?.StartsWith(serverBase, StringComparison.Ordinal) == true)
        {
            reference = reference[serverBase.Length..];
        }

        var slash = reference?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (reference is null || slash <= 0 || reference.AsSpan(0, slash).Contains(':'))
        {
            return null;
        }

        var version = reference.IndexOf("/_history/", slash + 1, StringComparison.Ordinal);
        var id = version < 0 ? reference[(slash + 1)..] : reference[(slash + 1)..version];
        return id.Length == 0 || id.Contains('/', StringComparison.Ordinal) ? null : (reference[..slash], id);
    }
}
