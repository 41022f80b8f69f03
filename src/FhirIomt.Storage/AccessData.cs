using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage;

/// <summary>What decides which patients somebody may see, and whether a token still counts: a write to it moves <see cref="IStore.AccessGeneration"/> in its own transaction.</summary>
public static class AccessData
{
    /// <summary>The types that a policy may find patients by, Consent, and what consents name by what it is part of.</summary>
    public static bool Holds(string type) => type is "Patient" or "CareTeam" or "EpisodeOfCare" or "PractitionerRole" or "RelatedPerson" or "Group" or "Consent" or "Organization";

    internal static bool IsRecord(string kind) => kind is RecordKind.EmergencyAccess or RecordKind.Revocation or RecordKind.Client;

    /// <summary>Patients are written often, and their care changes seldom: only what says who cares for them counts, and of an organization what it is part of.</summary>
    /// <param name="before">Null when there was none.</param>
    /// <param name="after">Null when it is deleted.</param>
    internal static bool Moves(string type, JsonTree? before, JsonTree? after) =>
        Holds(type) && type switch
        {
            "Patient" => Differs(before, after, "generalPractitioner"u8) || Differs(before, after, "managingOrganization"u8),
            "Organization" => Differs(before, after, "partOf"u8),
            _ => true,
        };

    private static bool Differs(JsonTree? before, JsonTree? after, ReadOnlySpan<byte> member) => !Raw(before, member).SequenceEqual(Raw(after, member));

    private static ReadOnlySpan<byte> Raw(JsonTree? tree, ReadOnlySpan<byte> member) => tree is null ? default : tree.Root[member].RawSpan;
}
