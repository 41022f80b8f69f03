using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Repository.Readings.Routes;

/// <summary>
/// What must agree for two readings of two routes to be the same measurement: group, patient, code, body site, method, effective time and unit, never the value. The time is exact:
/// a window would take two doses or readings close to each other for one.
/// </summary>
internal static class RouteMoment
{
    private const string Loinc = "http://loinc.org";

    /// <summary>Null for what no other route brings: what is not about the patient, has no code or no time.</summary>
    public static string? Of(string group, string patientId, ResourceNode observation)
    {
        if (observation["subject"u8]["reference"u8].AsString() != $"Patient/{patientId}" || CodeOf(observation["code"u8]) is not { } code || TimeOf(observation) is not { } time)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var part in (ReadOnlySpan<string>)[group, patientId, code, CodeOf(observation["bodySite"u8]) ?? "", CodeOf(observation["method"u8]) ?? "", time, UnitsOf(observation)])
        {
            // With its length before it, so that no two lists of parts are one text.
            text.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Whether both say the same: numbers by what they are, so that 81.25 is 81.250; of components those that both have.</summary>
    public static bool SameValue(ResourceNode one, ResourceNode other)
    {
        if (!SameOwnValue(one, other))
        {
            return false;
        }

        foreach (var component in one["component"u8].Items)
        {
            foreach (var candidate in other["component"u8].Items)
            {
                if (CodeOf(candidate["code"u8]) == CodeOf(component["code"u8]) && !SameOwnValue(component, candidate))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool SameOwnValue(ResourceNode one, ResourceNode other)
    {
        var (left, right) = (one["valueQuantity"u8], other["valueQuantity"u8]);
        if (!left.Exists || !right.Exists)
        {
            return ResourceComparison.SameElement(one, other, static name => name.StartsWith("value", StringComparison.Ordinal) || name == "dataAbsentReason");
        }

        return left["comparator"u8].AsString() == right["comparator"u8].AsString() && UnitOf(left) == UnitOf(right) && Number(left["value"u8]) is { } number && number == Number(right["value"u8]);
    }

    // The code that every route of a quantity has: of LOINC, where it has one of several it is the first.
    private static string? CodeOf(ResourceNode concept)
    {
        string? first = null;
        foreach (var coding in concept["coding"u8].Items)
        {
            if (coding["code"u8].AsString() is { } code)
            {
                var system = coding["system"u8].AsString();
                if (system == Loinc)
                {
                    return $"{system}|{code}";
                }

                first ??= $"{system}|{code}";
            }
        }

        return first ?? concept["text"u8].AsString();
    }

    private static string? TimeOf(ResourceNode observation)
    {
        var period = observation["effectivePeriod"u8];
        return period.Exists ? Instant(period["start"u8].AsString()) is { } start ? $"{start}/{Instant(period["end"u8].AsString()) ?? ""}" : null
            : Instant(observation["effectiveDateTime"u8].AsString() ?? observation["effectiveInstant"u8].AsString()) is { } time ? $"{time}/{time}" : null;
    }

    // A day is no moment: it stays the text that it is.
    private static string? Instant(string? text) => text is null ? null
        : !text.Contains('T', StringComparison.Ordinal) ? text
        : FhirDate.TryParseInterval(text, out var start, out _) ? start.UtcTicks.ToString(CultureInfo.InvariantCulture) : null;

    private static string UnitsOf(ResourceNode observation)
    {
        var units = new SortedSet<string>(StringComparer.Ordinal);
        if (UnitOf(observation["valueQuantity"u8]) is { } own)
        {
            units.Add(own);
        }

        if (UnitOf(observation["valueSampledData"u8]["origin"u8]) is { } sampled)
        {
            units.Add(sampled);
        }

        foreach (var component in observation["component"u8].Items)
        {
            if (UnitOf(component["valueQuantity"u8]) is { } unit)
            {
                units.Add(unit);
            }
        }

        return string.Join(' ', units);
    }

    private static string? UnitOf(ResourceNode quantity) => quantity["code"u8].AsString() ?? quantity["unit"u8].AsString();

    private static decimal? Number(ResourceNode value) => decimal.TryParse(value.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
