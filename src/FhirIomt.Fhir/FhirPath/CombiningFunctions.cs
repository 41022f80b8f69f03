namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.4 and the set functions of §5.3.</summary>
internal static class CombiningFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("union", 1, 1, Union),
        new("combine", 1, 2, Combine),
        new("intersect", 1, 1, Intersect),
        new("exclude", 1, 1, Exclude),
    ];

    /// <summary>Appends the items that output has not yet.</summary>
    public static void AddDistinct(Evaluation run, ItemList items, ItemList output)
    {
        var start = output.Count;
        foreach (ref readonly var item in items.Span)
        {
            if (!Equality.Contains(run, output.Span[start..], item))
            {
                output.Add(item);
            }
        }

        run.CheckSize(output);
    }

    private static void Union(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var all = run.Rent();
        all.AddRange(input);
        arguments[0].Evaluate(run, scope, all);
        AddDistinct(run, all, output);
        run.Return(all);
    }

    private static void Combine(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        output.AddRange(input);
        arguments[0].Evaluate(run, scope, output);
    }

    private static void Intersect(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var (other, both) = (run.Rent(), run.Rent());
        arguments[0].Evaluate(run, scope, other);
        foreach (ref readonly var item in input.Span)
        {
            if (Equality.Contains(run, other.Span, item))
            {
                both.Add(item);
            }
        }

        AddDistinct(run, both, output);
        run.Return(other);
        run.Return(both);
    }

    private static void Exclude(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var other = run.Rent();
        arguments[0].Evaluate(run, scope, other);
        foreach (ref readonly var item in input.Span)
        {
            if (!Equality.Contains(run, other.Span, item))
            {
                output.Add(item);
            }
        }

        run.Return(other);
    }
}
