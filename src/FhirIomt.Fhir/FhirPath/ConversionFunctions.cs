using System.Globalization;
using FhirIomt.Core.Units;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.5: each type has a <c>toX()</c> and a <c>convertsToX()</c> over one conversion.</summary>
internal static class ConversionFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("iif", 2, 3, Iif),
        .. Pair("Boolean", ToBoolean),
        .. Pair("Integer", ToInteger),
        .. Pair("Decimal", ToDecimal),
        .. Pair("String", ToText),
        .. Pair("Date", (in FhirPathItem item) => ToTemporal(item, TemporalKind.Date)),
        .. Pair("DateTime", (in FhirPathItem item) => ToTemporal(item, TemporalKind.DateTime)),
        .. Pair("Time", (in FhirPathItem item) => ToTemporal(item, TemporalKind.Time)),
        new("toQuantity", 0, 1, ToQuantity),
        new("convertsToQuantity", 0, 1, ConvertsToQuantity),
    ];

    private delegate FhirPathItem? Conversion(in FhirPathItem item);

    private static Function[] Pair(string type, Conversion convert) =>
    [
        new("to" + type, 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        {
            if (Single(input) is { } item && convert(item) is { } converted)
            {
                output.Add(converted);
            }
        }),
        new("convertsTo" + type, 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        {
            if (Single(input) is { } item)
            {
                output.Add(FhirPathItem.Boolean(convert(item) is not null));
            }
        }),
    ];

    private static FhirPathItem? Single(ItemList input) => input.Count switch
    {
        0 => null,
        1 => input[0].ToSystem(),
        _ => throw FhirPathIssues.NotSingle("a conversion"),
    };

    private static void Iif(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count > 1)
        {
            throw FhirPathIssues.NotSingle("iif()");
        }

        var inner = input.Count == 1 ? scope.On(input[0], scope.Index) : scope;
        var criterion = arguments[0].Single(run, inner, "the criterion of iif");
        var holds = criterion.Kind != FhirPathKind.Nothing && (criterion.AsBoolean() ?? (criterion.IsElement ? true : throw FhirPathIssues.WrongType("the criterion of iif is no boolean.")));
        if (holds)
        {
            arguments[1].Evaluate(run, inner, output);
        }
        else if (arguments.Length > 2)
        {
            arguments[2].Evaluate(run, inner, output);
        }
    }

    private static FhirPathItem? ToBoolean(in FhirPathItem item) => item.Kind switch
    {
        FhirPathKind.Boolean => item,
        FhirPathKind.Integer or FhirPathKind.Decimal => item.DecimalValue switch { 1 => FhirPathItem.Boolean(true), 0 => FhirPathItem.Boolean(false), _ => null },
        FhirPathKind.String => item.StringValue.ToLowerInvariant() switch
        {
            "true" or "t" or "yes" or "y" or "1" or "1.0" => FhirPathItem.Boolean(true),
            "false" or "f" or "no" or "n" or "0" or "0.0" => FhirPathItem.Boolean(false),
            _ => null,
        },
        _ => null,
    };

    private static FhirPathItem? ToInteger(in FhirPathItem item) => item.Kind switch
    {
        FhirPathKind.Integer => item,
        FhirPathKind.Boolean => FhirPathItem.Integer(item.BooleanValue ? 1 : 0),
        FhirPathKind.String when int.TryParse(item.StringValue, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => FhirPathItem.Integer(value),
        _ => null,
    };

    private static FhirPathItem? ToDecimal(in FhirPathItem item) => item.Kind switch
    {
        FhirPathKind.Decimal => item,
        FhirPathKind.Integer => FhirPathItem.Decimal(item.IntegerValue),
        FhirPathKind.Boolean => FhirPathItem.Decimal(item.BooleanValue ? 1.0m : 0.0m),
        FhirPathKind.String when decimal.TryParse(item.StringValue, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) => FhirPathItem.Decimal(value),
        _ => null,
    };

    private static FhirPathItem? ToText(in FhirPathItem item) => item.AsText() is { } text ? FhirPathItem.String(text) : null;

    private static FhirPathItem? ToTemporal(in FhirPathItem item, TemporalKind kind) => item.Kind switch
    {
        FhirPathKind.Date or FhirPathKind.DateTime when kind != TemporalKind.Time => FhirPathItem.Of(item.Temporal.As(kind)),
        FhirPathKind.Time when kind == TemporalKind.Time => item,
        FhirPathKind.String when Temporal.TryParse(item.StringValue, kind, out var value) => FhirPathItem.Of(value),
        FhirPathKind.String when kind == TemporalKind.Date && Temporal.TryParse(item.StringValue, TemporalKind.DateTime, out var moment) => FhirPathItem.Of(moment.As(kind)),
        _ => null,
    };

    private static void ToQuantity(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (Quantity(run, scope, input, arguments) is { } quantity)
        {
            output.Add(FhirPathItem.Of(quantity));
        }
    }

    private static void ConvertsToQuantity(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (!input.IsEmpty)
        {
            output.Add(FhirPathItem.Boolean(Quantity(run, scope, input, arguments) is not null));
        }
    }

    private static FhirPathQuantity? Quantity(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments)
    {
        if (Single(input) is not { } item)
        {
            return null;
        }

        var quantity = item.Kind switch
        {
            FhirPathKind.Quantity => item.Quantity,
            FhirPathKind.Integer or FhirPathKind.Decimal => new FhirPathQuantity(item.DecimalValue, "1", IsCalendar: false),
            FhirPathKind.Boolean => new FhirPathQuantity(item.BooleanValue ? 1.0m : 0.0m, "1", IsCalendar: false),
            FhirPathKind.String => ParseQuantity(item.StringValue),
            _ => null,
        };
        if (quantity is null || arguments.Length == 0 || arguments[0].Single(run, scope, "toQuantity").AsText() is not { } unit)
        {
            return quantity;
        }

        return quantity.UcumUnit is { } own && Ucum.Standard.Convert(quantity.Value, own, unit) is { } value ? new FhirPathQuantity(value, unit, IsCalendar: false) : null;
    }

    private static FhirPathQuantity? ParseQuantity(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var number = space < 0 ? text : text[..space];
        var unit = space < 0 ? "" : text[(space + 1)..].Trim();
        if (!decimal.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        if (unit.Length > 2 && unit[0] == '\'' && unit[^1] == '\'')
        {
            return new FhirPathQuantity(value, unit[1..^1], IsCalendar: false);
        }

        return unit.Length == 0 ? new FhirPathQuantity(value, "1", IsCalendar: false)
            : FhirPathQuantity.CalendarUnit(unit) is { } word ? new FhirPathQuantity(value, word, IsCalendar: true) : null;
    }
}
