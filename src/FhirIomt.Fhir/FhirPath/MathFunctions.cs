namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.7. Roots, logarithms and broken powers go through double, everything else is exact.</summary>
internal static class MathFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        Of("abs", 0, (item, _) => item.Kind switch
        {
            FhirPathKind.Integer => FhirPathItem.Integer(Math.Abs(item.IntegerValue)),
            FhirPathKind.Quantity => FhirPathItem.Of(item.Quantity with { Value = Math.Abs(item.Quantity.Value) }),
            _ => FhirPathItem.Decimal(Math.Abs(item.DecimalValue)),
        }),
        Of("ceiling", 0, (item, _) => Whole(Math.Ceiling(item.DecimalValue))),
        Of("floor", 0, (item, _) => Whole(Math.Floor(item.DecimalValue))),
        Of("truncate", 0, (item, _) => Whole(Math.Truncate(item.DecimalValue))),
        Of("round", 1, Round),
        Of("exp", 0, (item, _) => Real(Math.Exp((double)item.DecimalValue))),
        Of("ln", 0, (item, _) => Real(Math.Log((double)item.DecimalValue))),
        Of("log", 1, (item, argument) => argument is { } radix ? Real(Math.Log((double)item.DecimalValue, (double)radix.DecimalValue)) : null),
        Of("sqrt", 0, (item, _) => Real(Math.Sqrt((double)item.DecimalValue))),
        Of("power", 1, Power),
    ];

    private static Function Of(string name, int most, Func<FhirPathItem, FhirPathItem?, FhirPathItem?> body) => new(name, 0, most, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
    {
        if (input.Count > 1)
        {
            throw FhirPathIssues.NotSingle(name + "()");
        }

        if (input.IsEmpty)
        {
            return;
        }

        var item = Number(input[0], name);
        FhirPathItem? argument = null;
        if (arguments.Length > 0 && arguments[0].Single(run, scope, name) is { Kind: not FhirPathKind.Nothing } given)
        {
            argument = Number(given, name);
        }

        try
        {
            if (body(item, argument) is { } result)
            {
                output.Add(result);
            }
        }
        catch (OverflowException)
        {
            // Outside the type's range: empty.
        }
    });

    private static FhirPathItem Number(in FhirPathItem item, string name)
    {
        var system = item.ToSystem();
        return system.Kind is FhirPathKind.Integer or FhirPathKind.Decimal || (name == "abs" && system.Kind == FhirPathKind.Quantity)
            ? system
            : throw FhirPathIssues.WrongType($"{name}() takes a number, not {Equality.Describe(system)}.");
    }

    private static FhirPathItem Whole(decimal value) => FhirPathItem.Integer(checked((int)value));

    private static FhirPathItem? Real(double value) => double.IsFinite(value) ? FhirPathItem.Decimal((decimal)value) : null;

    private static FhirPathItem? Round(FhirPathItem item, FhirPathItem? precision)
    {
        var digits = precision?.IntegerValue ?? 0;
        return digits is < 0 or > 28 ? throw FhirPathIssues.WrongType("round() takes 0 to 28 digits.") : FhirPathItem.Decimal(Math.Round(item.DecimalValue, digits, MidpointRounding.AwayFromZero));
    }

    private static FhirPathItem? Power(FhirPathItem item, FhirPathItem? argument)
    {
        if (argument is not { } exponent)
        {
            return null;
        }

        // A whole exponent up to 64 stays exact.
        if (exponent.Kind != FhirPathKind.Integer || Math.Abs(exponent.IntegerValue) > 64)
        {
            return Real(Math.Pow((double)item.DecimalValue, (double)exponent.DecimalValue));
        }

        var result = 1m;
        for (var count = Math.Abs(exponent.IntegerValue); count > 0; count--)
        {
            result *= item.DecimalValue;
        }

        if (exponent.IntegerValue < 0)
        {
            return result == 0 ? null : FhirPathItem.Decimal(1 / result);
        }

        return item.Kind == FhirPathKind.Integer ? Whole(result) : FhirPathItem.Decimal(result);
    }
}
