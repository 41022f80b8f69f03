using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Profiles;

/// <summary>Values of a profile against values of a resource (FHIR R4 §5.1.0.9, ElementDefinition.pattern).</summary>
internal static class ValueComparison
{
    public static ResourceNode Read(ProfileValue value) => JsonTree.Parse(Encoding.UTF8.GetBytes(value.Json)).Require().Root;

    /// <summary>Whether a value has everything that the pattern has: each member of an object, for each entry of an array some entry.</summary>
    public static bool HasPattern(ResourceNode value, ResourceNode pattern)
    {
        if (!value.Exists)
        {
            return false;
        }

        if (pattern.IsArray)
        {
            foreach (var wanted in pattern.Children)
            {
                if (!AnyHasPattern(value, wanted))
                {
                    return false;
                }
            }

            return true;
        }

        if (!pattern.IsObject)
        {
            return JsonEquality.ScalarsEqual(value, pattern);
        }

        foreach (var member in pattern.Children)
        {
            if (!HasPattern(value[member.NameSpan], member))
            {
                return false;
            }
        }

        return value.IsObject;
    }

    public static bool TryNumber(ResourceNode node, out decimal number) => decimal.TryParse(node.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    private static bool AnyHasPattern(ResourceNode values, ResourceNode wanted)
    {
        foreach (var item in values.Items)
        {
            if (HasPattern(item, wanted))
            {
                return true;
            }
        }

        return false;
    }
}
