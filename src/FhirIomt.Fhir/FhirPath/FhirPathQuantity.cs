using System.Globalization;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>A quantity with a UCUM unit, or a calendar unit such as <c>month</c> (N1 §2.1.1 Quantity).</summary>
internal sealed record FhirPathQuantity(decimal Value, string Unit, bool IsCalendar)
{
    /// <summary>The singular calendar word, or null when the word is none.</summary>
    public static string? CalendarUnit(string word) => word switch
    {
        "year" or "years" => "year",
        "month" or "months" => "month",
        "week" or "weeks" => "week",
        "day" or "days" => "day",
        "hour" or "hours" => "hour",
        "minute" or "minutes" => "minute",
        "second" or "seconds" => "second",
        "millisecond" or "milliseconds" => "millisecond",
        _ => null,
    };

    /// <summary>The UCUM unit that a calendar unit equals; null for year and month, whose length varies.</summary>
    public string? UcumUnit => !IsCalendar ? Unit : Unit switch
    {
        "week" => "wk",
        "day" => "d",
        "hour" => "h",
        "minute" => "min",
        "second" => "s",
        "millisecond" => "ms",
        _ => null,
    };

    public static FhirPathQuantity? FromElement(ResourceNode node)
    {
        // "Less than 5" is no number to compute with (FHIR R4 §2.9.3: a Quantity converts when it has no comparator).
        if (node["comparator"u8].Exists || !decimal.TryParse(node["value"u8].RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        var isUcum = node["system"u8].TextEquals("http://unitsofmeasure.org"u8);
        return new FhirPathQuantity(value, (isUcum ? node["code"u8].AsString() : node["unit"u8].AsString() ?? node["code"u8].AsString()) ?? "1", IsCalendar: false);
    }

    /// <summary>Negative, zero or positive; null when the units cannot be compared.</summary>
    public static int? Compare(FhirPathQuantity left, FhirPathQuantity right)
    {
        if (left.Unit == right.Unit && left.IsCalendar == right.IsCalendar)
        {
            return left.Value.CompareTo(right.Value);
        }

        return left.UcumUnit is { } one && right.UcumUnit is { } other && Ucum.Standard.Convert(left.Value, one, other) is { } converted ? converted.CompareTo(right.Value) : null;
    }

    /// <summary>The product (or quotient) in base units; null when a unit is unknown, special or of variable length, or the result does not fit.</summary>
    public static FhirPathQuantity? Multiply(FhirPathQuantity left, FhirPathQuantity right, bool divide)
    {
        if (left.UcumUnit is not { } one || right.UcumUnit is not { } other || !Ucum.Standard.TryParse(one, out var unit) || !Ucum.Standard.TryParse(other, out var by))
        {
            return null;
        }

        var (quantity, factor) = (new UcumQuantity(left.Value, unit), new UcumQuantity(right.Value, by));
        return (divide ? quantity.Divide(factor) : quantity.Multiply(factor)) is { } result ? new FhirPathQuantity(result.Value, result.Unit.Code, IsCalendar: false) : null;
    }

    public override string ToString() =>
        Value.ToString(CultureInfo.InvariantCulture) + (IsCalendar ? " " + Unit : $" '{Unit}'");
}
