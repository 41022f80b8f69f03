using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>An element of a snapshot or differential as a tree: children below it, slices beside it.</summary>
internal sealed class SnapshotNode(string name)
{
    /// <summary>Last part of the path: <c>value[x]</c>.</summary>
    public string Name => name;

    /// <summary>Null where a differential goes through an element without saying anything of it.</summary>
    public ElementDraft? Element { get; set; }

    /// <summary>For a choice: the base already has one type only.</summary>
    public bool IsSingleInBase { get; init; }

    public List<SnapshotNode> Children { get; } = [];

    public List<SnapshotNode> Slices { get; } = [];

    public string? Slice { get; init; }

    /// <summary>The tree of a list of elements, in their order.</summary>
    public static SnapshotNode Read(ResourceNode elements)
    {
        SnapshotNode? root = null;
        var names = new SliceNames();
        foreach (var element in elements.Items)
        {
            var draft = ElementDraft.Of(element);
            var steps = names.Apply(draft, SnapshotPath.Of(draft));
            if (steps.Count > 1 && steps[^1].Slice is { } slice && draft.SliceName is null)
            {
                throw new SnapshotException(SnapshotIssues.NotSliceable(draft["path"].AsString() ?? "", slice));
            }

            root ??= new SnapshotNode(steps[0].Name);
            if (steps[0].Name != root.Name)
            {
                throw new SnapshotException(SnapshotIssues.NoElement(element["path"u8].AsString() ?? ""));
            }

            root.Place(steps, draft);
        }

        return root ?? new SnapshotNode("");
    }

    /// <summary>This element and all within and beside it.</summary>
    public int Count => 1 + Children.Sum(child => child.Count) + Slices.Sum(slice => slice.Count);

    public SnapshotNode? Find(string child) => Children.Find(node => node.Name == child);

    public SnapshotNode? FindSlice(string slice) => Slices.Find(node => node.Slice == slice);

    public SnapshotNode Clone(string? slice = null)
    {
        var copy = new SnapshotNode(Name) { Element = Element?.Clone(), Slice = slice ?? Slice, IsSingleInBase = Name.EndsWith("[x]", StringComparison.Ordinal) && Element?["type"].Count == 1 };
        copy.Children.AddRange(Children.Select(child => child.Clone()));
        copy.Slices.AddRange(slice is null ? Slices.Select(inner => inner.Clone()) : []);
        return copy;
    }

    private void Place(IReadOnlyList<SnapshotStep> steps, ElementDraft draft)
    {
        var node = this;
        for (var index = 1; index < steps.Count; index++)
        {
            node = node.Enter(steps[index], isLast: index == steps.Count - 1);
        }

        // A differential may name an element twice: what comes later adds to it.
        node.Element = node.Element is null ? draft : ElementMerge.Join(node.Element, draft);
    }

    // Without ids a path means the element last spoken of: below a slice, that slice.
    private SnapshotNode Enter(SnapshotStep step, bool isLast)
    {
        var child = Find(step.Name);
        if (child is null)
        {
            Children.Add(child = new SnapshotNode(step.Name));
        }

        if (step.Slice is { } slice)
        {
            var known = child.FindSlice(slice);
            if (known is null)
            {
                child.Slices.Add(known = new SnapshotNode(step.Name) { Slice = slice });
            }

            return known;
        }

        return step.IsNamed || isLast || child.Slices.Count == 0 ? child : child.Slices[^1];
    }
}

/// <summary>The slices whose id says another name than their slice name: what is below them goes by the id.</summary>
internal sealed class SliceNames
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public List<SnapshotStep> Apply(ElementDraft element, List<SnapshotStep> steps)
    {
        var id = (element["id"].AsString() ?? "").Split('.');
        if (id.Length != steps.Count)
        {
            return steps;
        }

        if (element.SliceName is { } said && id[^1].IndexOf(':') is >= 0 and var colon && id[^1][(colon + 1)..] is var named && named != said)
        {
            _names[string.Join('.', id)] = said;
        }

        for (var index = 0; index < steps.Count - 1 && _names.Count > 0; index++)
        {
            if (_names.TryGetValue(string.Join('.', id[..(index + 1)]), out var name))
            {
                steps[index] = steps[index] with { Slice = name };
            }
        }

        return steps;
    }
}

/// <summary>One part of an element's path.</summary>
/// <param name="IsNamed">The id says which element is meant, slice or not.</param>
internal readonly record struct SnapshotStep(string Name, string? Slice, bool IsNamed);

internal static class SnapshotPath
{
    /// <summary>The parts of an element's path, with slices from its id where the id agrees with the path, else from its slice name.</summary>
    public static List<SnapshotStep> Of(ElementDraft element)
    {
        // Many differentials leave out the path where the id says it.
        var path = (element["path"].AsString() ?? WithoutSlices(element["id"].AsString() ?? "")).Split('.');
        var id = (element["id"].AsString() ?? "").Split('.');
        var steps = new List<SnapshotStep>(path.Length);
        var isNamed = Agrees(path, id, element.SliceName);
        for (var index = 0; index < path.Length; index++)
        {
            var colon = isNamed ? id[index].IndexOf(':') : -1;
            var slice = colon >= 0 ? id[index][(colon + 1)..] : index == path.Length - 1 ? element.SliceName : null;
            steps.Add(new SnapshotStep(path[index], slice, isNamed));
        }

        return steps;
    }

    private static string WithoutSlices(string id) => string.Join('.', id.Split('.').Select(part => part.Split(':')[0]));

    private static bool Agrees(string[] path, string[] id, string? slice)
    {
        if (path.Length != id.Length)
        {
            return false;
        }

        for (var index = 0; index < path.Length; index++)
        {
            var colon = id[index].IndexOf(':');
            if (!SameName(colon < 0 ? id[index] : id[index][..colon], path[index]))
            {
                return false;
            }
        }

        return slice is null || id[^1].EndsWith(':' + slice, StringComparison.Ordinal);
    }

    // The root of a logical model or a choice may be written in two ways.
    private static bool SameName(string one, string other) => one == other || one == other + "[x]" || one + "[x]" == other;
}
