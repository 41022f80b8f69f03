using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.9 and type().</summary>
internal static class UtilityFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("trace", 1, 2, Trace),
        new("defineVariable", 1, 2, DefineVariable),
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

    private static void DefineVariable(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var name = arguments[0].Single(run, scope, "defineVariable").AsText() ?? throw FhirPathIssues.WrongType("defineVariable takes a name.");
        if (IsTaken(run, name))
        {
            throw FhirPathIssues.WrongType($"the variable '%{name}' is defined already.");
        }

        var items = input;
        if (arguments.Length > 1)
        {
            items = run.Rent();
            for (var index = 0; index < input.Count; index++)
            {
                arguments[1].Evaluate(run, scope.On(input[index], index), items);
            }

            run.CheckSize(items);
        }

        run.Variables = new DefinedVariable(name, items.ToArray(), run.Variables);
        output.AddRange(input);
    }

    private static bool IsTaken(Evaluation run, string name) =>
        name is "context" or "resource" or "rootResource" or "ucum" or "sct" or "loinc" || DefinedVariable.Find(run.Variables, name) is not null || run.Environment.Variables?.ContainsKey(name) == true;

    private static void TypeOf(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        foreach (ref readonly var item in input.Span)
        {
            output.Add(FhirPathItem.Of(item.Type is { } type ? new TypeInfo("FHIR", FhirPathItem.NameOf(type)) : new TypeInfo("System", item.Kind.ToString())));
        }
    }
}
