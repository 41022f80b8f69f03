using System.Text;

namespace FhirIomt.Fhir.Definitions;

/// <summary>Where a type's table is read from when it is first asked for.</summary>
internal interface ITypeTables
{
    FhirTypeTable Load(FhirType type);
}

/// <summary>The content of a <see cref="FhirType"/>, immutable once made.</summary>
internal sealed class FhirTypeTable(IReadOnlyList<FhirElement> elements, IReadOnlyList<FhirConstraint> constraints, string? pattern)
{
    public IReadOnlyList<FhirElement> Elements { get; } = elements;

    public IReadOnlyList<FhirConstraint> Constraints { get; } = constraints;

    public string? Pattern { get; } = pattern;

    public MemberTable Members { get; } = new(elements);

    public Dictionary<string, FhirElement> ElementsByName { get; } = elements.ToDictionary(element => element.Name, StringComparer.Ordinal);
}

/// <summary>Members by the bytes of their JSON name, so that a walk over UTF-8 never makes a string: open addressing, at most half full.</summary>
internal sealed class MemberTable
{
    private readonly FhirMember?[] _slots;
    private readonly byte[][] _names;

    public MemberTable(IReadOnlyList<FhirElement> elements)
    {
        var all = new List<FhirMember>(elements.Count);
        foreach (var element in elements)
        {
            all.AddRange(element.Members);
        }

        All = all;
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, all.Count * 2));
        _slots = new FhirMember?[size];
        _names = new byte[size][];
        foreach (var member in all)
        {
            Add(member);
        }
    }

    public IReadOnlyCollection<FhirMember> All { get; }

    public FhirMember? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return null;
        }

        for (var slot = Slot(name); _slots[slot] is { } member; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (name.SequenceEqual(_names[slot]))
            {
                return member;
            }
        }

        return null;
    }

    private void Add(FhirMember member)
    {
        var name = Encoding.UTF8.GetBytes(member.JsonName);
        var slot = Slot(name);
        while (_slots[slot] is not null)
        {
            slot = (slot + 1) & (_slots.Length - 1);
        }

        _slots[slot] = member;
        _names[slot] = name;
    }

    private int Slot(ReadOnlySpan<byte> name)
    {
        var hash = (uint)name.Length;
        foreach (var letter in name)
        {
            hash = (hash * 31) + letter;
        }

        return (int)((hash ^ (hash >> 15)) & (uint)(_slots.Length - 1));
    }
}
