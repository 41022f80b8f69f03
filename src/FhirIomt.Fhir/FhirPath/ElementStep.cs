using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>How to get from an element of one type to its children of one name: FHIR's JSON form (R4 §2.6.2) undone.</summary>
internal sealed class ElementStep
{
    private readonly FhirElement? _element;
    private readonly byte[] _name;

    public ElementStep(FhirType type, string name)
    {
        Type = type;
        _element = type.Element(name);
        _name = Encoding.UTF8.GetBytes(name);
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

        ResourceNode value = default, companion = default;
        FhirMember? member = null;
        var isChoice = _element.IsChoice;
        foreach (var child in parent.Children)
        {
            var name = child.NameSpan;
            var isCompanion = name.Length > 0 && name[0] == (byte)'_';
            if ((!isChoice && name.Length != _name.Length + (isCompanion ? 1 : 0)) || Matches(isCompanion ? name[1..] : name) is not { } found)
            {
                continue;
            }

            member = found;
            value = isCompanion ? value : child;
            companion = isCompanion ? child : companion;
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

    private FhirMember? Matches(ReadOnlySpan<byte> name)
    {
        if (!_element!.IsChoice)
        {
            return name.SequenceEqual(_name) && _element.Members.Count > 0 ? _element.Members[0] : null;
        }

        return name.StartsWith(_name) && Type.Find(name) is { } member && ReferenceEquals(member.Element, _element) ? member : null;
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
