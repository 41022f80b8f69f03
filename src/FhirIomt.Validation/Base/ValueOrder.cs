using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Validation.Base;

/// <summary>Orders values of one kind: numbers, dates, times, strings, and quantities of comparable units.</summary>
internal static class ValueOrder
{
    /// <summary>Null when the two cannot be compared.</summary>
    public static int? Compare(ResourceNode left, ResourceNode right)
    {
        if (!left.Exists || !right.Exists || left.Kind != right.Kind)
        {
            return null;
        }

        if (left.Kind == NodeKind.Number)
        {
            return Number(left) is { } one && Number(right) is { } other ? one.CompareTo(other) : null;
        }

        if (left.IsString)
        {
            return Dates(left, right) ?? string.CompareOrdinal(left.AsString(), right.AsString());
        }

        return left.IsObject ? Quantities.Compare(left, right) : null;
    }

    public static decimal? Number(ResourceNode node) =>
        node.Exists && decimal.TryParse(node.RawSpan, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    // A partial date is an interval: it comes before another when it begins before it, and after it when it ends after it.
    private static int? Dates(ResourceNode left, ResourceNode right)
    {
        if (!FhirDate.TryParseInterval(left.ContentSpan, out var leftStart, out var leftEnd) || !FhirDate.TryParseInterval(right.ContentSpan, out var rightStart, out var rightEnd))
        {
            return null;
        }

        return leftStart == rightStart && leftEnd == rightEnd ? 0 : leftStart < rightStart ? -1 : 1;
    }
}
