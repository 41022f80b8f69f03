namespace FhirIomt.Fhir.FhirPath;

/// <summary>sum, avg, min and max: what FHIRPath's next version (ballot 2.1, §7) adds for numbers, quantities and what else has an order.</summary>
internal static class AggregateFunctions
{
    private static readonly ArithmeticNode Sum = new("+", new EmptyNode(), new EmptyNode());
    private static readonly ArithmeticNode Share = new("/", new EmptyNode(), new EmptyNode());

    public static IReadOnlyList<Function> All { get; } =
    [
        new("sum", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Add(output, Total(run, input))),
        new("avg", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Add(output, Average(run, input))),
        new("min", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Add(output, Extreme(input, -1))),
        new("max", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Add(output, Extreme(input, 1))),
    ];

    private static void Add(ItemList output, FhirPathItem? item)
    {
        if (item is { Kind: not FhirPathKind.Nothing } known)
        {
            output.Add(known);
        }
    }

    private static FhirPathItem? Total(Evaluation run, ItemList input)
    {
        FhirPathItem? total = input.IsEmpty ? null : input[0].ToSystem();
        for (var index = 1; index < input.Count && total is { } so; index++)
        {
            total = Sum.Compute(run, so, input[index].ToSystem());
        }

        return total;
    }

    private static FhirPathItem? Average(Evaluation run, ItemList input) => Total(run, input) switch
    {
        null => null,
        { Kind: FhirPathKind.Quantity } total => FhirPathItem.Of(total.Quantity with { Value = total.Quantity.Value / input.Count }),
        { } total => Share.Compute(run, total, FhirPathItem.Integer(input.Count)),
    };

    private static FhirPathItem? Extreme(ItemList input, int sign)
    {
        FhirPathItem? extreme = input.IsEmpty ? null : input[0].ToSystem();
        for (var index = 1; index < input.Count && extreme is { } so; index++)
        {
            var item = input[index].ToSystem();
            var order = Equality.Compare(item, so);
            extreme = order is null ? null : order * sign > 0 ? item : so;
        }

        return extreme;
    }
}
