namespace FhirIomt.Mapping.JmesPath;

/// <summary><c>source[*].rest</c>: rest of each element; null results are left out. Not an array: null.</summary>
internal sealed class ListProjection(JmesNode source, JmesNode rest) : JmesNode
{
    public override bool IsProjection => true;

    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => source.NeededToExist.Concat(rest.IsProjection ? [] : rest.NeededToExist);

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var array = source.Evaluate(current, run);
        if (array.Kind != JmesKind.Array)
        {
            return JmesValue.Null;
        }

        if (rest is CurrentNode && array.TryNode(out var node) && !node.RawSpan.Contains((byte)'n'))
        {
            // No null in it to leave out.
            return array;
        }

        var list = new JmesList(array.Count);
        foreach (var item in array.Items)
        {
            if (rest.Evaluate(item, run) is { IsNull: false } result)
            {
                list.Add(result);
            }
        }

        return JmesValue.Of(list);
    }
}

/// <summary><c>source.*.rest</c>: rest of each member's value. Not an object: null.</summary>
internal sealed class ValuesProjection(JmesNode source, JmesNode rest) : JmesNode
{
    public override bool IsProjection => true;

    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => source.NeededToExist.Concat(rest.IsProjection ? [] : rest.NeededToExist);

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var members = source.Evaluate(current, run);
        if (members.Kind != JmesKind.Object)
        {
            return JmesValue.Null;
        }

        var list = new JmesList(members.Count);
        foreach (var item in members.Items)
        {
            if (rest.Evaluate(item, run) is { IsNull: false } result)
            {
                list.Add(result);
            }
        }

        return JmesValue.Of(list);
    }
}

/// <summary><c>source[?condition].rest</c></summary>
internal sealed class FilterProjection(JmesNode source, JmesNode condition, JmesNode rest) : JmesNode
{
    public override bool IsProjection => true;

    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist =>
        source.NeededToExist.Concat(condition.NeededToBeTrue).Concat(rest.IsProjection ? [] : rest.NeededToExist);

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var array = source.Evaluate(current, run);
        if (array.Kind != JmesKind.Array)
        {
            return JmesValue.Null;
        }

        JmesList? list = null;
        foreach (var item in array.Items)
        {
            if (condition.Evaluate(item, run).IsTruthy && rest.Evaluate(item, run) is { IsNull: false } result)
            {
                (list ??= new JmesList(array.Count)).Add(result);
            }
        }

        return JmesValue.Of(list ?? Empty);
    }

    // Never added to: most messages are of another type than most templates.
    private static readonly JmesList Empty = new(0);
}

/// <summary><c>source[]</c>: elements that are arrays give theirs; one level.</summary>
internal sealed class FlattenNode(JmesNode source) : JmesNode
{
    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => source.NeededToExist;

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var array = source.Evaluate(current, run);
        if (array.Kind != JmesKind.Array)
        {
            return JmesValue.Null;
        }

        var list = new JmesList(array.Count);
        foreach (var item in array.Items)
        {
            if (item.Kind != JmesKind.Array)
            {
                list.Add(item);
                continue;
            }

            foreach (var inner in item.Items)
            {
                list.Add(inner);
            }
        }

        return JmesValue.Of(list);
    }
}

/// <summary><c>source[start:end:step]</c> with Python's meaning; a step of 0 is an error.</summary>
internal sealed class SliceNode(JmesNode source, int? start, int? end, int? step) : JmesNode
{
    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => source.NeededToExist;

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var array = source.Evaluate(current, run);
        if (array.Kind != JmesKind.Array)
        {
            return JmesValue.Null;
        }

        var by = step ?? 1;
        if (by == 0)
        {
            return run.Fail("invalid-value", "The step of a slice is 0.");
        }

        var items = JmesFunctions.ToArray(array);
        var (low, high) = by > 0 ? (0, items.Length) : (-1, items.Length - 1);
        long from = start is { } first ? Clamp(first, items.Length, low, high) : by > 0 ? 0 : high;
        long until = end is { } last ? Clamp(last, items.Length, low, high) : by > 0 ? items.Length : -1;
        var list = new JmesList();
        for (var index = from; by > 0 ? index < until : index > until; index += by)
        {
            list.Add(items[index]);
        }

        return JmesValue.Of(list);
    }

    private static long Clamp(int index, int count, int low, int high) => Math.Clamp(index < 0 ? (long)index + count : index, low, Math.Max(low, high));
}
