using System.Globalization;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>Equality, equivalence and order of items (N1 §6.1, §6.2).</summary>
internal static class Equality
{
    /// <summary>null when precision or units leave it open.</summary>
    public static bool? AreEqual(Evaluation run, in FhirPathItem left, in FhirPathItem right)
    {
        run.Step();
        var (one, other) = (left.ToSystem(), right.ToSystem());
        switch (one.Kind, other.Kind)
        {
            case (FhirPathKind.String, FhirPathKind.String):
                return string.Equals(one.StringValue, other.StringValue, StringComparison.Ordinal);
            case (FhirPathKind.Boolean, FhirPathKind.Boolean):
                return one.BooleanValue == other.BooleanValue;
            case (FhirPathKind.Integer or FhirPathKind.Decimal, FhirPathKind.Integer or FhirPathKind.Decimal):
                return one.DecimalValue == other.DecimalValue;
            case (FhirPathKind.Quantity, FhirPathKind.Quantity):
                return FhirPathQuantity.Compare(one.Quantity, other.Quantity) is { } order ? order == 0 : DifferentUnits(one.Quantity, other.Quantity);
            case (FhirPathKind.Quantity, FhirPathKind.Integer or FhirPathKind.Decimal):
                return one.Quantity.Unit == "1" && one.Quantity.Value == other.DecimalValue;
            case (FhirPathKind.Element, FhirPathKind.Element):
                return DeepEqual(run, one, other, isEquivalence: false);
        }

        return IsTemporal(one.Kind) && IsTemporal(other.Kind) ? TemporalEqual(one, other) : TextEqual(one, other);
    }

    public static bool AreEquivalent(Evaluation run, in FhirPathItem left, in FhirPathItem right)
    {
        run.Step();
        var (one, other) = (left.ToSystem(), right.ToSystem());
        switch (one.Kind, other.Kind)
        {
            case (FhirPathKind.String, FhirPathKind.String):
                return string.Equals(Normalize(one.StringValue), Normalize(other.StringValue), StringComparison.Ordinal);
            case (FhirPathKind.Integer or FhirPathKind.Decimal, FhirPathKind.Integer or FhirPathKind.Decimal):
                return DecimalsEquivalent(one.DecimalValue, other.DecimalValue);
            case (FhirPathKind.Quantity, FhirPathKind.Quantity):
                return one.Quantity.UcumUnit is { } unit && other.Quantity.UcumUnit is { } target && Ucum.Standard.Convert(one.Quantity.Value, unit, target) is { } converted
                    ? QuantitiesEquivalent(one.Quantity, other.Quantity, converted)
                    : one.Quantity == other.Quantity;
            case (FhirPathKind.Element, FhirPathKind.Element):
                return DeepEqual(run, one, other, isEquivalence: true);
        }

        return AreEqual(run, one, other) ?? false;
    }

    /// <summary>Negative, zero, positive, or null when it is open; items that have no order are an error.</summary>
    public static int? Compare(in FhirPathItem left, in FhirPathItem right)
    {
        var (one, other) = (left.ToSystem(), right.ToSystem());
        switch (one.Kind, other.Kind)
        {
            case (FhirPathKind.Integer or FhirPathKind.Decimal, FhirPathKind.Integer or FhirPathKind.Decimal):
                return one.DecimalValue.CompareTo(other.DecimalValue);
            case (FhirPathKind.String, FhirPathKind.String):
                return string.CompareOrdinal(one.StringValue, other.StringValue);
            case (FhirPathKind.Quantity, FhirPathKind.Quantity):
                return FhirPathQuantity.Compare(one.Quantity, other.Quantity);
        }

        if (IsTemporal(one.Kind) && IsTemporal(other.Kind) && (one.Kind == FhirPathKind.Time) == (other.Kind == FhirPathKind.Time))
        {
            return Temporal.Compare(one.Temporal, other.Temporal);
        }

        throw FhirPathIssues.WrongType($"{Describe(one)} and {Describe(other)} have no order.");
    }

    /// <summary>Whether a list has an item equal to that one.</summary>
    public static bool Contains(Evaluation run, ReadOnlySpan<FhirPathItem> items, in FhirPathItem item)
    {
        foreach (ref readonly var candidate in items)
        {
            if (AreEqual(run, candidate, item) == true)
            {
                return true;
            }
        }

        return false;
    }

    public static string Describe(in FhirPathItem item) => item.IsElement ? item.Type!.Name : item.Kind.ToString();

    private static bool IsTemporal(FhirPathKind kind) => kind is FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time;

    private static bool? TemporalEqual(in FhirPathItem one, in FhirPathItem other) =>
        (one.Kind == FhirPathKind.Time) != (other.Kind == FhirPathKind.Time) ? false : Temporal.Compare(one.Temporal, other.Temporal) is { } order ? order == 0 : null;

    // A FHIR string that looks like a date or a time compares with one as FHIR's implicit conversion allows; everything else differs.
    private static bool? TextEqual(in FhirPathItem one, in FhirPathItem other)
    {
        if (one.Kind == FhirPathKind.String && IsTemporal(other.Kind) && Temporal.TryParse(one.StringValue, SystemTypes.TemporalKindOf(other.Kind), out var left))
        {
            return Temporal.Compare(left, other.Temporal) is { } order ? order == 0 : null;
        }

        return other.Kind == FhirPathKind.String && IsTemporal(one.Kind) ? TextEqual(other, one) : false;
    }

    private static bool? DifferentUnits(FhirPathQuantity one, FhirPathQuantity other) =>
        one.UcumUnit is null || other.UcumUnit is null || !Ucum.Standard.AreComparable(one.Unit, other.Unit) ? null : false;

    private static bool QuantitiesEquivalent(FhirPathQuantity one, FhirPathQuantity other, decimal converted)
    {
        // The least precise of the two decides, each in the unit it was written in: 4 'g' ~ 4040 'mg'.
        var step = Ucum.Standard.Convert(Unit(one.Value), one.UcumUnit!, other.UcumUnit!) ?? 1;
        var width = Math.Max(step, Unit(other.Value));
        return Math.Round(converted / width, MidpointRounding.AwayFromZero) == Math.Round(other.Value / width, MidpointRounding.AwayFromZero);
    }

    private static decimal Unit(decimal value) => new(1, 0, 0, isNegative: false, value.Scale);

    private static bool DecimalsEquivalent(decimal one, decimal other)
    {
        var scale = Math.Min(Significant(one), Significant(other));
        return Math.Round(one, scale, MidpointRounding.AwayFromZero) == Math.Round(other, scale, MidpointRounding.AwayFromZero);
    }

    private static byte Significant(decimal value)
    {
        // Trailing zeros do not count (N1 §6.1.2).
        var trimmed = value / 1.0000000000000000000000000000m;
        return trimmed.Scale;
    }

    private static string Normalize(string text) =>
        string.Join(' ', text.ToLower(CultureInfo.InvariantCulture).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static bool DeepEqual(Evaluation run, in FhirPathItem one, in FhirPathItem other, bool isEquivalence)
    {
        if (one.Type!.Kind == FhirTypeKind.Primitive || other.Type!.Kind == FhirTypeKind.Primitive)
        {
            return one.Type.Kind == other.Type!.Kind && NodesEqual(run, one.Node, other.Node) && NodesEqual(run, one.Companion, other.Companion);
        }

        if (!isEquivalence)
        {
            return NodesEqual(run, one.Node, other.Node);
        }

        var (left, right) = (run.Rent(), run.Rent());
        ElementStep.SelectAll(run, one, left);
        ElementStep.SelectAll(run, other, right);
        var equal = SetsEquivalent(run, left, right);
        run.Return(left);
        run.Return(right);
        return equal;
    }

    /// <summary>Same items in any order.</summary>
    public static bool SetsEquivalent(Evaluation run, ItemList left, ItemList right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        var used = new bool[right.Count];
        foreach (ref readonly var item in left.Span)
        {
            var found = -1;
            for (var index = 0; index < right.Count && found < 0; index++)
            {
                found = !used[index] && AreEquivalent(run, item, right[index]) ? index : -1;
            }

            if (found < 0)
            {
                return false;
            }

            used[found] = true;
        }

        return true;
    }

    private static bool NodesEqual(Evaluation run, ResourceNode one, ResourceNode other)
    {
        run.Step();
        if (!one.Exists || !other.Exists || one == other)
        {
            return one.Exists == other.Exists;
        }

        if (one.Kind != other.Kind || one.Count != other.Count)
        {
            return false;
        }

        return one.Kind switch
        {
            NodeKind.Object => MembersEqual(run, one, other),
            NodeKind.Array => ElementsEqual(run, one, other),
            NodeKind.String => string.Equals(one.AsString(), other.AsString(), StringComparison.Ordinal),
            NodeKind.Number => decimal.TryParse(one.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var left)
                && decimal.TryParse(other.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var right) && left == right,
            _ => true,
        };
    }

    private static bool MembersEqual(Evaluation run, ResourceNode one, ResourceNode other)
    {
        foreach (var member in one.Children)
        {
            if (!NodesEqual(run, member, other[member.NameSpan]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool ElementsEqual(Evaluation run, ResourceNode one, ResourceNode other)
    {
        var others = other.Children;
        foreach (var item in one.Children)
        {
            if (!others.MoveNext() || !NodesEqual(run, item, others.Current))
            {
                return false;
            }
        }

        return true;
    }
}
