using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>The unit of a Quantity that says it is UCUM's (FHIR R4 §2.24.0.6).</summary>
internal static class UnitCheck
{
    // A warning: device mappings in use write "count/min" under UCUM's name, and a reading is worth more than its unit's code.
    public static void Run(ValidationRun run, ResourceNode quantity)
    {
        if (quantity["code"u8] is { IsString: true } code && quantity["system"u8].TextEquals("http://unitsofmeasure.org"u8) && !Ucum.Standard.IsValid(code.ContentSpan))
        {
            run.Add(ValidationIssues.MalformedUnit, code, "The code is no unit of UCUM.");
        }
    }
}
