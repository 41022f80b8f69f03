using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary><c>[…]</c> or <c>.name</c> of RFC 9535: each selector in turn, on this value or on it and everything below it.</summary>
internal sealed class Segment(Selector[] selectors, bool descends) : PathStep
{
    public IReadOnlyList<Selector> Selectors => selectors;

    /// <summary>Whether it can find one value at most.</summary>
    public bool IsSingular => !descends && selectors is [NameSelector or IndexSelector];

    public override IEnumerable<string[]> RequiredNames
    {
        get
        {
            if (selectors.All(selector => selector is NameSelector))
            {
                return [[.. selectors.Cast<NameSelector>().Select(selector => selector.Name)]];
            }

            return selectors is [FilterSelector filter] ? filter.Predicate.RequiredNames : [];
        }
    }

    public override bool Apply(in PathScope scope, int row, ref RowBuffer found)
    {
        foreach (var selector in selectors)
        {
            if (!selector.Select(scope, row, this, ref found))
            {
                return false;
            }
        }

        if (!descends)
        {
            return true;
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

    /// <summary>Hands what a selector found to the next segment.</summary>
    public bool Found(in PathScope scope, int row, ref RowBuffer found) => Forward(scope, row, ref found);
}

/// <summary>One selector of a segment.</summary>
internal abstract class Selector
{
    /// <summary>Follows it from one row. False: enough was found.</summary>
    public abstract bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found);
}

internal sealed class NameSelector(string name) : Selector
{
    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(name);

    public string Name => name;

    public override bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found) =>
        !scope.NodeAt(row).IsObject || !scope.TryMember(row, _utf8, out var member) || segment.Found(scope, member, ref found);
}

internal sealed class WildcardSelector : Selector
{
    public override bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found)
    {
        foreach (var child in scope.ChildrenOf(row))
        {
            if (!segment.Found(scope, child, ref found))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed class IndexSelector(long index) : Selector
{
    public override bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found)
    {
        var node = scope.NodeAt(row);
        var at = index < 0 ? index + node.Count : index;
        return at is < 0 or > int.MaxValue || !ArrayElements.TryAt(scope, row, (int)at, out var element) || segment.Found(scope, element, ref found);
    }
}

/// <summary>Slices as RFC 9535 §2.3.4 defines them; a step of 0 finds nothing.</summary>
internal sealed class SliceSelector(long? start, long? end, long step) : Selector
{
    public override bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found)
    {
        if (!scope.NodeAt(row).IsArray || step == 0)
        {
            return true;
        }

        var rows = ArrayElements.All(scope, row);
        var count = rows.Length;
        var (from, until) = step > 0
            ? (Math.Clamp(Normal(start ?? 0, count), 0, count), Math.Clamp(Normal(end ?? count, count), 0, count))
            : (Math.Clamp(Normal(start ?? count - 1, count), -1, count - 1), Math.Clamp(end is { } last ? Normal(last, count) : -1, -1, count - 1));
        for (var index = from; step > 0 ? index < until : index > until; index += step)
        {
            if (!segment.Found(scope, rows[index], ref found))
            {
                return false;
            }
        }

        return true;
    }

    private static long Normal(long index, int count) => index < 0 ? index + count : index;
}

/// <summary><c>?expression</c>: members and elements alike.</summary>
internal sealed class FilterSelector(PathPredicate predicate) : Selector
{
    public PathPredicate Predicate => predicate;

    public override bool Select(in PathScope scope, int row, Segment segment, ref RowBuffer found)
    {
        foreach (var child in scope.ChildrenOf(row))
        {
            if (predicate.Holds(scope, child) && !segment.Found(scope, child, ref found))
            {
                return false;
            }
        }

        return true;
    }
}
