using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>Which of R4's vital-signs profiles an Observation falls under by its code (R4 "Observation Vital Signs Panel", the table of LOINC codes).</summary>
public static class VitalSigns
{
    /// <summary>The profile, or null for an Observation that is no vital sign or claims profiles itself.</summary>
    public static string? ProfileOf(ResourceNode observation)
    {
        if (observation["meta"u8]["profile"u8].Count > 0)
        {
            return null;
        }

        foreach (var coding in observation["code"u8]["coding"u8].Items)
        {
            if (coding["system"u8].TextEquals("http://loinc.org"u8) && NameOf(coding["code"u8].AsString()) is { } name)
            {
                return $"http://hl7.org/fhir/StructureDefinition/{name}";
            }
        }

        return null;
    }

    private static string? NameOf(string? loinc) => loinc switch
    {
        "85353-1" => "vitalspanel",
        "9279-1" => "resprate",
        "8867-4" => "heartrate",
        "2708-6" => "oxygensat",
        "8310-5" => "bodytemp",
        "8302-2" => "bodyheight",
        "9843-4" => "headcircum",
        "29463-7" => "bodyweight",
        "39156-5" => "bmi",
        "85354-9" => "bp",
        _ => null,
    };
}
