namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.1.</summary>
internal static class ExistenceFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("exists", 0, 1, Unused),
        new("empty", 0, 0, Unused),
        new("not", 0, 0, Unused),
        new("all", 1, 1, AllMatch),
        new("allTrue", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Test(input, output, value: true, needsAll: true)),
        new("anyTrue", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Test(input, output, value: true, needsAll: false)),
        new("allFalse", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Test(input, output, value: false, needsAll: true)),
        new("anyFalse", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => Test(input, output, value: false, needsAll: false)),
        new("subsetOf", 1, 1, SubsetOf),
        new("supersetOf", 1, 1, SupersetOf),
        new("count", 0, 0, Count),
        new("distinct", 0, 0, Distinct),
        new("isDistinct", 0, 0, IsDistinct),
    ];

    private static void Unused(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        throw new InvalidOperationException("This function has a node of its own.");

    private static void AllMatch(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        for (var index = 0; index < input.Count; index++)
        {
            if (arguments[0].Logic(run, scope.On(input[index], index)) != true)
            {
                output.Add(FhirPathItem.Boolean(false));
                return;
            }
        }

        output.Add(FhirPathItem.Boolean(true));
    }

    private static void Test(ItemList input, ItemList output, bool value, bool needsAll)
    {
        var result = needsAll;
        foreach (ref readonly var item in input.Span)
        {
            var actual = item.AsBoolean() ?? throw FhirPathIssues.WrongType($"{Equality.Describe(item)} is no boolean.");
            result = needsAll ? result && actual == value : result || actual == value;
        }

        output.Add(FhirPathItem.Boolean(result));
    }

    private static void SubsetOf(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var other = run.Rent();
        arguments[0].Evaluate(run, scope, other);
        output.Add(FhirPathItem.Boolean(IsSubset(run, input, other)));
        run.Return(other);
    }

    private static void SupersetOf(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var other = run.Rent();
        arguments[0].Evaluate(run, scope, other);
        output.Add(FhirPathItem.Boolean(IsSubset(run, other, input)));
        run.Return(other);
    }

    private static bool IsSubset(Evaluation run, ItemList small, ItemList large)
    {
        foreach (ref readonly var item in small.Span)
        {
            if (!Equality.Contains(run, large.Span, item))
            {
                return false;
            }
        }

        return true;
    }

    private static void Count(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => output.Add(FhirPathItem.Integer(input.Count));

    private static void Distinct(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => CombiningFunctions.AddDistinct(run, input, output);

    private static void IsDistinct(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var distinct = run.Rent();
        CombiningFunctions.AddDistinct(run, input, distinct);
        output.Add(FhirPathItem.Boolean(distinct.Count == input.Count));
        run.Return(distinct);
    }
}
