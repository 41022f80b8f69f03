using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>One step of a path. Steps form a chain; each hands what it finds to the next, so results come in document order.</summary>
internal abstract class PathStep
{
    public PathStep? Next { get; set; }

    /// <summary>Follows this step from one row. False: enough was found, stop looking.</summary>
    public abstract bool Apply(in PathScope scope, int row, ref RowBuffer found);

    /// <summary>Member names of which at least one must stand somewhere in the document for this step to find anything; empty when none is known.</summary>
    public virtual IEnumerable<string[]> RequiredNames => [];

    protected bool Forward(in PathScope scope, int row, ref RowBuffer found) =>
        Next is null ? found.Add(row) : Next.Apply(scope, row, ref found);
}

/// <summary><c>$</c> inside a filter: back to where the whole path began.</summary>
internal sealed class RootStep : PathStep
{
    public override bool Apply(in PathScope scope, int row, ref RowBuffer found) => Forward(scope, scope.Root, ref found);
}

/// <summary><c>.name</c> or <c>['name']</c>.</summary>
internal sealed class MemberStep(string name) : PathStep
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    public string Name => name;

    public override IEnumerable<string[]> RequiredNames => [[name]];

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found) =>
        !scope.TryMember(row, _name, out var member) || Forward(scope, member, ref found);
}

/// <summary><c>['a','b']</c>: members in the order named.</summary>
internal sealed class MembersStep(string[] names) : PathStep
{
    private readonly byte[][] _names = [.. names.Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<string[]> RequiredNames => [names];

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        foreach (var name in _names)
        {
            if (scope.TryMember(row, name, out var member) && !Forward(scope, member, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary><c>.*</c> takes the members of an object, <c>[*]</c> the elements of an array; neither takes the other's.</summary>
internal sealed class WildcardStep(NodeKind container) : PathStep
{
    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        if (scope.NodeAt(row).Kind != container)
        {
            return true;
        }

        foreach (var child in scope.ChildrenOf(row))
        {
            if (!Forward(scope, child, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary><c>..name</c>, <c>..['a','b']</c> and, without names, <c>..*</c>, which takes the start itself too.</summary>
internal sealed class DescendantStep(string[]? names) : PathStep
{
    private readonly byte[][]? _names = names?.Select(Encoding.UTF8.GetBytes).ToArray();

    public override IEnumerable<string[]> RequiredNames => names is null ? [] : [names];

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found) =>
        (_names is not null || Forward(scope, row, ref found)) && Descend(scope, row, ref found);

    private bool Descend(in PathScope scope, int row, ref RowBuffer found)
    {
        var children = scope.ChildrenOf(row);
        while (children.MoveNext())
        {
            // A name that is listed twice finds its members twice, in the connector too.
            for (var times = TimesNamed(children.Name); times > 0; times--)
            {
                if (!Forward(scope, children.Current, ref found))
                {
                    return false;
                }
            }

            if (!Descend(scope, children.Current, ref found))
            {
                return false;
            }
        }

        return true;
    }

    private int TimesNamed(ReadOnlySpan<byte> raw)
    {
        if (_names is null)
        {
            return 1;
        }

        var times = 0;
        foreach (var name in _names)
        {
            times += PathScope.NameIs(raw, name) ? 1 : 0;
        }

        return times;
    }
}

/// <summary><c>[n]</c> and <c>[n,m]</c>, on arrays only; an index outside the array finds nothing.</summary>
internal sealed class IndexStep(int[] indexes) : PathStep
{
    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        foreach (var index in indexes)
        {
            if (ArrayElements.TryAt(scope, row, index, out var element) && !Forward(scope, element, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary><c>[start:end:step]</c> with Python's meaning, on arrays only.</summary>
internal sealed class SliceStep(int? start, int? end, int step) : PathStep
{
    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        var node = scope.NodeAt(row);
        if (!node.IsArray)
        {
            return true;
        }

        var count = node.Count;
        var (first, last) = step > 0
            ? (Clamp(start ?? 0, count, 0, count), Clamp(end ?? count, count, 0, count))
            : (Clamp(start ?? count - 1, count, -1, count - 1), end is null ? -1 : Clamp(end.Value, count, -1, count - 1));
        var elements = ArrayElements.All(scope, row);
        for (long index = first; step > 0 ? index < last : index > last; index += step)
        {
            if (!Forward(scope, elements[index], ref found))
            {
                return false;
            }
        }

        return true;
    }

    private static int Clamp(int value, int count, int low, int high) => Math.Clamp(value < 0 ? value + count : value, low, Math.Max(low, high));
}

/// <summary><c>[?(…)]</c>: the elements of an array that pass. Like the connector's JSONPath it finds nothing among the members of an object.</summary>
internal sealed class FilterStep(PathPredicate predicate) : PathStep
{
    public override IEnumerable<string[]> RequiredNames => predicate.RequiredNames;

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        if (!scope.NodeAt(row).IsArray)
        {
            return true;
        }

        foreach (var child in scope.ChildrenOf(row))
        {
            if (predicate.Holds(scope, child) && !Forward(scope, child, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary><c>..[?(…)]</c>: tests the start itself and everything below it. This is how nearly every published device mapping matches.</summary>
internal sealed class DescendantFilterStep(PathPredicate predicate) : PathStep
{
    public override IEnumerable<string[]> RequiredNames => predicate.RequiredNames;

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        if (predicate.Holds(scope, row) && !Forward(scope, row, ref found))
        {
            return false;
        }

        foreach (var child in scope.ChildrenOf(row))
        {
            if (!Apply(scope, child, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

internal static class ArrayElements
{
    public static int[] All(in PathScope scope, int row)
    {
        var rows = new int[scope.NodeAt(row).Count];
        var next = 0;
        foreach (var child in scope.ChildrenOf(row))
        {
            rows[next++] = child;
        }

        return rows;
    }

    public static bool TryAt(in PathScope scope, int row, int index, out int element)
    {
        var node = scope.NodeAt(row);
        element = 0;
        if (!node.IsArray || index < 0 || index >= node.Count)
        {
            return false;
        }

        foreach (var child in node.Children)
        {
            if (index-- == 0)
            {
                element = child.Index;
                break;
            }
        }

        return true;
    }
}
