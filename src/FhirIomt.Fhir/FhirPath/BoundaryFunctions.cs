using FhirIomt.Core.Units;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>lowBoundary, highBoundary, precision and comparable: FHIRPath's draft precision functions, as the official suite tests them.</summary>
internal static class BoundaryFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("lowBoundary", 0, 1, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Boundary(run, scope, input, arguments, output, isHigh: false)),
        new("highBoundary", 0, 1, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Boundary(run, scope, input, arguments, output, isHigh: true)),
        new("precision", 0, 0, Precision),
        new("comparable", 1, 1, Comparable),
    ];

    private static void Boundary(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output, bool isHigh)
    {
        if (input.Count > 1)
        {
            throw FhirPathIssues.NotSingle("a boundary");
        }

        if (input.IsEmpty)
        {
            return;
        }

        var item = input[0].ToSystem();
        int? digits = arguments.Length > 0 ? FilteringFunctions.Integer(run, scope, arguments[0], "a boundary") : null;
        switch (item.Kind)
        {
            case FhirPathKind.Integer or FhirPathKind.Decimal when Decimal(item.DecimalValue, digits ?? 8, isHigh) is { } bound:
                output.Add(FhirPathItem.Decimal(bound));
                return;
            case FhirPathKind.Quantity when Decimal(item.Quantity.Value, digits ?? 8, isHigh) is { } bound:
                output.Add(FhirPathItem.Of(item.Quantity with { Value = bound }));
                return;
            case FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time when Moment(item.Temporal, digits, isHigh) is { } bound:
                output.Add(FhirPathItem.Of(bound));
                return;
        }
    }

    private static decimal? Decimal(decimal value, int digits, bool isHigh)
    {
        if (digits is < 0 or > 28)
        {
            return null;
        }

        var half = new decimal(5, 0, 0, isNegative: false, (byte)(value.Scale + 1));
        var bound = isHigh ? value + half : value - half;
        var rounded = Math.Round(bound, digits, isHigh ? MidpointRounding.ToPositiveInfinity : MidpointRounding.ToNegativeInfinity);
        if (rounded != 0 && digits > rounded.Scale)
        {
            // Adding a zero of the wanted scale writes the wanted number of digits.
            rounded += new decimal(0, 0, 0, isNegative: false, (byte)digits);
        }

        return rounded;
    }

    // Digits count those of the text: 4 year, 6 month, 8 day, 10 hour, 12 minute, 14 second, 17 millisecond; for a time 2, 4, 6, 9.
    private static Temporal? Moment(Temporal value, int? digits, bool isHigh)
    {
        var full = value.Kind switch { TemporalKind.Date => 8, TemporalKind.Time => 9, _ => 17 };
        var wanted = digits ?? full;
        var precision = (value.Kind == TemporalKind.Time ? wanted + 8 : wanted) switch { 4 => 1, 6 => 2, 8 => 3, 10 => 4, 12 => 5, 14 or 17 => 6, _ => 0 };
        if (precision == 0 || wanted > full)
        {
            return null;
        }

        var local = isHigh ? End(value) : value.Local;
        var hasTime = value.Kind == TemporalKind.DateTime && precision > 3;
        // Without a zone the earliest moment is at +14:00, the latest at -12:00.
        var offset = hasTime ? value.Offset ?? TimeSpan.FromHours(isHigh ? -12 : 14) : value.Offset;
        return Temporal.Boundary(value, local, precision, wanted == full && precision == 6 ? 3 : 0, offset);
    }

    private static DateTime End(Temporal value) => (value.Precision switch
    {
        1 => value.Local.AddYears(1),
        2 => value.Local.AddMonths(1),
        3 => value.Local.AddDays(1),
        4 => value.Local.AddHours(1),
        5 => value.Local.AddMinutes(1),
        _ when value.FractionDigits == 0 => value.Local.AddSeconds(1),
        _ => value.Local.AddMilliseconds(1),
    }).AddMilliseconds(-1);

    private static void Precision(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count != 1)
        {
            return;
        }

        var item = input[0].ToSystem();
        if (item.Kind is FhirPathKind.Integer or FhirPathKind.Decimal)
        {
            output.Add(FhirPathItem.Integer(item.DecimalValue.Scale));
        }
        else if (item.Kind is FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time)
        {
            var digits = item.Temporal.Precision switch { 1 => 4, 2 => 6, 3 => 8, 4 => 10, 5 => 12, _ => 14 + item.Temporal.FractionDigits };
            output.Add(FhirPathItem.Integer(item.Kind == FhirPathKind.Time ? digits - 8 : digits));
        }
    }

    private static void Comparable(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count == 1 && input[0].ToSystem() is { Kind: FhirPathKind.Quantity } one && arguments[0].Single(run, scope, "comparable").ToSystem() is { Kind: FhirPathKind.Quantity } other)
        {
            output.Add(FhirPathItem.Boolean(one.Quantity.UcumUnit is { } left && other.Quantity.UcumUnit is { } right && Ucum.Standard.AreComparable(left, right)));
        }
    }
}
