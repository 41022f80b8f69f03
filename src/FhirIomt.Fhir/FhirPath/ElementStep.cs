using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>How to get from an element of one type to its children of one name: FHIR's JSON form (R4 §2.6.2) undone.</summary>
internal sealed class ElementStep
{
    private readonly FhirElement? _element;
    private readonly byte[] _name;

    // Null for a choice, whose members have names of their own.
    private readonly FhirMember? _single;

    public ElementStep(FhirType type, string name)
    {
        Type = type;
        _element = type.Element(name);
        _name = Encoding.UTF8.GetBytes(name);
        _single = _element is { IsChoice: false, Members: [var member, ..] } ? member : null;
    }

    public FhirType Type { get; }

    public void Select(Evaluation run, in FhirPathItem item, ItemList output)
    {
        if (_element is null)
        {
            return;
        }

        // The children of a primitive stand in its companion.
        var parent = Type.Kind == FhirTypeKind.Primitive ? item.Companion : item.Node;
        if (!parent.IsObject)
        {
            return;
        }

        if (_single is not null)
        {
            SelectSingle(run, parent, output);
        }
        else if (_element.IsChoice)
        {
            SelectChoice(run, parent, output);
        }
    }

    // On the rows, lengths first: code.coding.code 1.77 → 1.97 million/s (medians of three runs each, in turn).
    private void SelectSingle(Evaluation run, ResourceNode parent, ItemList output)
    {
        var tree = parent.Tree;
        var rows = tree.Rows;
        var text = tree.Span;
        var (value, companion) = (-1, -1);
        var next = parent.Index + 1;
        for (var left = parent.Count; left > 0; left--)
        {
            ref readonly var row = ref rows[next];
            var longer = row.NameLength - _name.Length;
            if (longer == 0 && text.Slice(row.NameStart, row.NameLength).SequenceEqual(_name))
            {
                value = next;
            }
            else if (longer == 1 && text[row.NameStart] == (byte)'_' && text.Slice(row.NameStart + 1, _name.Length).SequenceEqual(_name))
            {
                companion = next;
            }

            next = row.After;
        }

        if (value >= 0 || companion >= 0)
        {
            Add(run, _single!, value < 0 ? default : tree.NodeAt(value), companion < 0 ? default : tree.NodeAt(companion), output);
        }
    }

    private void SelectChoice(Evaluation run, ResourceNode parent, ItemList output)
    {
        var tree = parent.Tree;
        var rows = tree.Rows;
        var text = tree.Span;
        ResourceNode value = default, companion = default;
        FhirMember? member = null;
        var next = parent.Index + 1;
        for (var left = parent.Count; left > 0; left--)
        {
            var current = next;
            ref readonly var row = ref rows[current];
            next = row.After;

            // The name of a choice in JSON is longer than the element's by the type.
            if (row.NameLength <= _name.Length)
            {
                continue;
            }

            var name = text.Slice(row.NameStart, row.NameLength);
            var isCompanion = name[0] == (byte)'_';
            name = isCompanion ? name[1..] : name;
            if (name.StartsWith(_name) && Type.Find(name) is { } found && ReferenceEquals(found.Element, _element))
            {
                member = found;
                value = isCompanion ? value : tree.NodeAt(current);
                companion = isCompanion ? tree.NodeAt(current) : companion;
            }
        }

        if (member is not null)
        {
            Add(run, member, value, companion, output);
        }
    }

    /// <summary>All children in document order, each primitive once.</summary>
    public static void SelectAll(Evaluation run, in FhirPathItem item, ItemList output)
    {
        if (item.Type is not { } type)
        {
            return;
        }

        var parent = type.Kind == FhirTypeKind.Primitive ? item.Companion : item.Node;
        if (!parent.IsObject)
        {
            return;
        }

        foreach (var child in parent.Children)
        {
            var name = child.NameSpan;
            if (name.Length > 0 && name[0] == (byte)'_')
            {
                if (!parent[name[1..]].Exists && type.Find(name[1..]) is { } lone)
                {
                    Add(run, lone, default, child, output);
                }
            }
            else if (type.Find(name) is { } member)
            {
                Add(run, member, child, member.Type.Kind == FhirTypeKind.Primitive ? Companion(parent, name) : default, output);
            }
        }
    }

    private static ResourceNode Companion(ResourceNode parent, ReadOnlySpan<byte> name)
    {
        foreach (var child in parent.Children)
        {
            var other = child.NameSpan;
            if (other.Length == name.Length + 1 && other[0] == (byte)'_' && other[1..].SequenceEqual(name))
            {
                return child;
            }
        }

        return default;
    }

    private static void Add(Evaluation run, FhirMember member, ResourceNode value, ResourceNode companion, ItemList output)
    {
        if (!value.IsArray && !companion.IsArray)
        {
            AddOne(run, member, value, companion, output);
            return;
        }

        // Arrays of a primitive and of its companions run side by side, with null where one has nothing.
        var values = value.Items;
        var companions = companion.Items;
        while (true)
        {
            var hasValue = values.MoveNext();
            var hasCompanion = companions.MoveNext();
            if (!hasValue && !hasCompanion)
            {
                return;
            }

            AddOne(run, member, hasValue ? values.Current : default, hasCompanion ? companions.Current : default, output);
        }
    }

    private static void AddOne(Evaluation run, FhirMember member, ResourceNode value, ResourceNode companion, ItemList output)
    {
        run.Step();
        value = value.Exists && value.Kind == NodeKind.Null ? default : value;
        companion = companion.IsObject ? companion : default;
        if (!value.Exists && !companion.Exists)
        {
            return;
        }

        output.Add(member.Type is { Kind: FhirTypeKind.Resource, IsAbstract: true } && value.Exists
            ? FhirPathItem.Resource(value, run.Definitions)
            : FhirPathItem.Element(value, companion, member.Type));
    }
}
