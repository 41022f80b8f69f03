namespace FhirIomt.Fhir.FhirPath;

/// <summary>Filtering, projection, subsetting, tree navigation and aggregates: N1 §5.2, §5.3, §5.8, §7.</summary>
internal static class FilteringFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("where", 1, 1, Unused),
        new("select", 1, 1, Select),
        new("repeat", 1, 1, Repeat),
        new("single", 0, 0, Single),
        new("first", 0, 0, First),
        new("last", 0, 0, Last),
        new("tail", 0, 0, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => AddSlice(input, 1, int.MaxValue, output)),
        new("skip", 1, 1, Skip),
        new("take", 1, 1, Take),
        new("children", 0, 0, Children),
        new("descendants", 0, 0, Descendants),
        new("aggregate", 1, 2, Aggregate),
        new("sort", 0, 9, Sort),
    ];

    /// <summary>The integer an argument gives, or nothing.</summary>
    public static int? Integer(Evaluation run, in Scope scope, PathNode argument, string function)
    {
        var item = argument.Single(run, scope, function).ToSystem();
        return item.Kind switch
        {
            FhirPathKind.Nothing => null,
            FhirPathKind.Integer => item.IntegerValue,
            _ => throw FhirPathIssues.WrongType($"{function} takes an integer."),
        };
    }

    private static void Unused(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        throw new InvalidOperationException("This function has a node of its own.");

    private static void Select(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        for (var index = 0; index < input.Count; index++)
        {
            arguments[0].Evaluate(run, scope.On(input[index], index), output);
            run.CheckSize(output);
        }
    }

    private static void Repeat(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var (wave, next) = (run.Rent(), run.Rent());
        wave.AddRange(input);
        while (wave.Count > 0)
        {
            for (var index = 0; index < wave.Count; index++)
            {
                arguments[0].Evaluate(run, scope.On(wave[index], index), next);
            }

            wave.Clear();
            foreach (ref readonly var item in next.Span)
            {
                if (!HasSame(run, output, item))
                {
                    output.Add(item);
                    wave.Add(item);
                }
            }

            run.CheckSize(output);
            next.Clear();
        }

        run.Return(wave);
        run.Return(next);
    }

    // repeat() looks for the same item, not for an equal one: two equal groups of a questionnaire are both walked.
    private static bool HasSame(Evaluation run, ItemList items, in FhirPathItem item)
    {
        run.Step(items.Count);
        foreach (ref readonly var candidate in items.Span)
        {
            var same = item.IsElement ? candidate.IsElement && candidate.Node == item.Node && candidate.Companion == item.Companion : Equality.AreEqual(run, candidate, item) == true;
            if (same)
            {
                return true;
            }
        }

        return false;
    }

    private static void Single(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count > 1)
        {
            throw FhirPathIssues.NotSingle("single()");
        }

        output.AddRange(input);
    }

    private static void First(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => AddSlice(input, 0, 1, output);

    private static void Last(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => AddSlice(input, Math.Max(0, input.Count - 1), 1, output);

    private static void Skip(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (Integer(run, scope, arguments[0], "skip") is { } count)
        {
            AddSlice(input, Math.Max(0, count), int.MaxValue, output);
        }
    }

    private static void Take(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (Integer(run, scope, arguments[0], "take") is { } count)
        {
            AddSlice(input, 0, Math.Max(0, count), output);
        }
    }

    private static void AddSlice(ItemList input, int start, int count, ItemList output)
    {
        for (var index = start; index < input.Count && index - start < count; index++)
        {
            output.Add(input[index]);
        }
    }

    private static void Children(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        foreach (ref readonly var item in input.Span)
        {
            ElementStep.SelectAll(run, item, output);
        }
    }

    private static void Descendants(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        Children(run, scope, input, arguments, output);
        for (var index = 0; index < output.Count; index++)
        {
            var item = output[index];
            ElementStep.SelectAll(run, item, output);
            run.Step();
            if (output.Count > run.Environment.Limits.MaxItems)
            {
                run.CheckSize(output);
            }
        }
    }

    private static void Aggregate(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var (total, next) = (new ItemList(), new ItemList());
        if (arguments.Length > 1)
        {
            arguments[1].Evaluate(run, scope, total);
        }

        for (var index = 0; index < input.Count; index++)
        {
            arguments[0].Evaluate(run, new Scope(input[index], index, total), next);
            (total, next) = (next, total);
            next.Clear();
        }

        output.AddRange(total);
    }

    private static void Sort(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var keys = new (FhirPathItem Item, FhirPathItem[] Keys)[input.Count];
        for (var index = 0; index < input.Count; index++)
        {
            var own = new FhirPathItem[Math.Max(1, arguments.Length)];
            own[0] = input[index];
            for (var key = 0; key < arguments.Length; key++)
            {
                own[key] = arguments[key].Single(run, scope.On(input[index], index), "sort");
            }

            keys[index] = (input[index], own);
        }

        foreach (var (item, _) in keys.Order(Comparer<(FhirPathItem Item, FhirPathItem[] Keys)>.Create((left, right) => CompareKeys(left.Keys, right.Keys, arguments))))
        {
            output.Add(item);
        }
    }

    private static int CompareKeys(FhirPathItem[] left, FhirPathItem[] right, PathNode[] arguments)
    {
        for (var key = 0; key < left.Length; key++)
        {
            var (one, other) = (left[key], right[key]);
            var order = one.Kind == FhirPathKind.Nothing || other.Kind == FhirPathKind.Nothing
                ? (one.Kind != FhirPathKind.Nothing).CompareTo(other.Kind != FhirPathKind.Nothing)
                : Equality.Compare(one, other) ?? 0;
            if (order != 0)
            {
                return key < arguments.Length && arguments[key] is DescendingNode ? -order : order;
            }
        }

        return 0;
    }
}
