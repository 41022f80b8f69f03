using FhirIomt.Core.Units;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>+ - * / div mod over numbers, strings, quantities and dates (N1 §6.6, §6.7). What overflows is empty.</summary>
internal sealed class ArithmeticNode(string symbol, PathNode left, PathNode right) : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var one = left.Single(run, scope, symbol).ToSystem();
        var other = right.Single(run, scope, symbol).ToSystem();
        if (one.Kind == FhirPathKind.Nothing || other.Kind == FhirPathKind.Nothing)
        {
            return;
        }

        try
        {
            if (Apply(run, one, other) is { } result)
            {
                output.Add(result);
            }
        }
        catch (Exception exception) when (exception is OverflowException or ArgumentOutOfRangeException)
        {
            // N1 §6.6: a result outside the type's range is empty.
        }
    }

    private FhirPathItem? Apply(Evaluation run, in FhirPathItem one, in FhirPathItem other)
    {
        switch (one.Kind, other.Kind)
        {
            case (FhirPathKind.Integer, FhirPathKind.Integer) when symbol != "/":
                return Integers(one.IntegerValue, other.IntegerValue);
            case (FhirPathKind.Integer or FhirPathKind.Decimal, FhirPathKind.Integer or FhirPathKind.Decimal):
                return Decimals(one.DecimalValue, other.DecimalValue);
            case (FhirPathKind.String, FhirPathKind.String) when symbol == "+":
                run.CheckText((long)one.StringValue.Length + other.StringValue.Length);
                return FhirPathItem.String(one.StringValue + other.StringValue);
            case (FhirPathKind.Quantity, FhirPathKind.Quantity):
                return Quantities(one.Quantity, other.Quantity);
            case (FhirPathKind.Quantity, FhirPathKind.Integer or FhirPathKind.Decimal) when symbol is "*" or "/":
                return Quantities(one.Quantity, new FhirPathQuantity(other.DecimalValue, "1", IsCalendar: false));
            case (FhirPathKind.Integer or FhirPathKind.Decimal, FhirPathKind.Quantity) when symbol is "*" or "/":
                return Quantities(new FhirPathQuantity(one.DecimalValue, "1", IsCalendar: false), other.Quantity);
            case (FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time, FhirPathKind.Quantity) when symbol is "+" or "-":
                return FhirPathItem.Of(Shift(one.Temporal, other.Quantity, symbol == "-" ? -1 : 1));
            default:
                throw FhirPathIssues.WrongType($"{Equality.Describe(one)} {symbol} {Equality.Describe(other)} is not defined.");
        }
    }

    private FhirPathItem? Integers(int one, int other) => symbol switch
    {
        "+" => FhirPathItem.Integer(checked(one + other)),
        "-" => FhirPathItem.Integer(checked(one - other)),
        "*" => FhirPathItem.Integer(checked(one * other)),
        "div" => other == 0 ? null : FhirPathItem.Integer(checked((int)((long)one / other))),
        "mod" => other == 0 ? null : FhirPathItem.Integer((int)((long)one % other)),
        _ => throw FhirPathIssues.WrongType($"{symbol} takes no numbers."),
    };

    private FhirPathItem? Decimals(decimal one, decimal other) => symbol switch
    {
        "+" => FhirPathItem.Decimal(one + other),
        "-" => FhirPathItem.Decimal(one - other),
        "*" => FhirPathItem.Decimal(one * other),
        "/" => other == 0 ? null : FhirPathItem.Decimal(one / other),
        "div" => other == 0 ? null : FhirPathItem.Integer(checked((int)decimal.Truncate(one / other))),
        "mod" => other == 0 ? null : FhirPathItem.Decimal(one % other),
        _ => throw FhirPathIssues.WrongType($"{symbol} takes no numbers."),
    };

    private FhirPathItem? Quantities(FhirPathQuantity one, FhirPathQuantity other)
    {
        if (symbol is "*" or "/")
        {
            return (symbol == "/" && other.Value == 0) || FhirPathQuantity.Multiply(one, other, symbol == "/") is not { } product ? null : FhirPathItem.Of(product);
        }

        if (symbol is not ("+" or "-"))
        {
            throw FhirPathIssues.WrongType($"{symbol} takes no quantities.");
        }

        decimal? converted = one.Unit == other.Unit && one.IsCalendar == other.IsCalendar ? other.Value
            : one.UcumUnit is { } target && other.UcumUnit is { } unit ? Ucum.Standard.Convert(other.Value, unit, target) : null;
        return converted is { } value ? FhirPathItem.Of(one with { Value = symbol == "+" ? one.Value + value : one.Value - value }) : null;
    }

    // Years and months of variable length must be named as calendar units; 'a' and 'mo' are refused (N1 §6.6.7).
    private static Temporal Shift(Temporal moment, FhirPathQuantity by, int sign)
    {
        var whole = checked((int)decimal.Truncate(by.Value)) * sign;
        var unit = by.IsCalendar ? by.Unit : by.Unit switch
        {
            "wk" => "week",
            "d" => "day",
            "h" => "hour",
            "min" => "minute",
            "s" => "second",
            "ms" => "millisecond",
            _ => throw FhirPathIssues.WrongType($"'{by.Unit}' cannot be added to a date or time."),
        };
        if (moment.Kind == TemporalKind.Time)
        {
            var ticks = (moment.Local.Ticks + Ticks(unit, by.Value * sign)) % TimeSpan.TicksPerDay;
            return moment.With(new DateTime(ticks < 0 ? ticks + TimeSpan.TicksPerDay : ticks));
        }

        return moment.With(unit switch
        {
            "year" => moment.Local.AddYears(whole),
            "month" => moment.Local.AddMonths(whole),
            "week" => moment.Local.AddDays(7 * whole),
            "day" => moment.Local.AddDays(whole),
            _ => AddFine(moment, Ticks(unit, by.Value * sign)),
        });
    }

    // To a partial date, hours and less are added as whole units of its precision.
    private static DateTime AddFine(Temporal moment, long ticks) => moment.Precision switch
    {
        1 => moment.Local.AddYears((int)(ticks / (365 * TimeSpan.TicksPerDay))),
        2 => moment.Local.AddMonths((int)(ticks / (30 * TimeSpan.TicksPerDay))),
        3 => moment.Local.AddDays((int)(ticks / TimeSpan.TicksPerDay)),
        _ => moment.Local.AddTicks(ticks),
    };

    private static long Ticks(string unit, decimal value) => unit switch
    {
        "hour" => checked((long)(decimal.Truncate(value) * TimeSpan.TicksPerHour)),
        "minute" => checked((long)(decimal.Truncate(value) * TimeSpan.TicksPerMinute)),
        "second" => checked((long)(decimal.Truncate(value) * TimeSpan.TicksPerSecond)),
        "millisecond" => checked((long)(decimal.Truncate(value) * TimeSpan.TicksPerMillisecond)),
        _ => throw FhirPathIssues.WrongType($"{unit}s cannot be added to a time."),
    };
}
