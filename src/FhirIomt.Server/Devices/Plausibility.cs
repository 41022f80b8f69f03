using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Measurements;

namespace FhirIomt.Server.Devices;

/// <summary>
/// Holds an Observation to what a body can have, by its code of LOINC and its unit (profiles/codes/devices.json): a glucose of 6.5 mg/dL is a mistake of the unit, and
/// must wait instead of being believed. What has no range is not judged.
/// </summary>
internal static class Plausibility
{
    public static Issue? Check(ResourceNode observation)
    {
        if (OutOfRange(observation) is { } whole)
        {
            return whole;
        }

        foreach (var component in observation["component"u8].Children)
        {
            if (OutOfRange(component) is { } part)
            {
                return part;
            }
        }

        return null;
    }

    private static Issue? OutOfRange(ResourceNode holder)
    {
        var quantity = holder["valueQuantity"u8];
        if (!quantity.Exists || quantity["code"u8].AsString() is not { } unit || !quantity["system"u8].TextEquals("http://unitsofmeasure.org"u8)
            || !decimal.TryParse(quantity["value"u8].AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        foreach (var coding in holder["code"u8]["coding"u8].Children)
        {
            if (coding["system"u8].TextEquals("http://loinc.org"u8) && coding["code"u8].AsString() is { } code && CodeTable.Standard.RangeOf(code, unit) is { } range
                && (value < range.Low || value > range.High))
            {
                return DeviceIssues.Implausible(code, unit, range.Low, range.High);
            }
        }

        return null;
    }
}
