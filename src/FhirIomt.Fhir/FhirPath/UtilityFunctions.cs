using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.9 and type().</summary>
internal static class UtilityFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("trace", 1, 2, Trace),
        new("now", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => output.Add(FhirPathItem.Of(Temporal.From(run.Now)))),
        new("today", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => output.Add(FhirPathItem.Of(Temporal.DateOf(run.Now)))),
        new("timeOfDay", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => output.Add(FhirPathItem.Of(Temporal.TimeOf(run.Now)))),
        new("type", 0, 0, TypeOf),
    ];

    private static void Trace(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (run.Environment.Trace is { } trace)
        {
            var items = run.Rent();
            if (arguments.Length > 1)
            {
                for (var index = 0; index < input.Count; index++)
                {
                    arguments[1].Evaluate(run, scope.On(input[index], index), items);
                }
            }
            else
            {
                items.AddRange(input);
            }

            trace(arguments[0].Single(run, scope, "trace").AsText() ?? "", items.ToArray());
            run.Return(items);
        }

        output.AddRange(input);
    }

    private static void TypeOf(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        foreach (ref readonly var item in input.Span)
        {
            output.Add(FhirPathItem.Of(item.Type is { } type ? new TypeInfo("FHIR", FhirPathItem.NameOf(type)) : new TypeInfo("System", item.Kind.ToString())));
        }
    }
}
