using System.Collections.Frozen;
using System.Text;

namespace FhirIomt.Fhir.Definitions;

/// <summary>What a FHIR type is.</summary>
public enum FhirTypeKind : byte
{
    Primitive,
    Complex,

    /// <summary>An element with children of its own inside a type, such as <c>Observation.component</c>; its name is that path.</summary>
    Backbone,
    Resource,
}

/// <summary>
/// One FHIR type as a compiled table: its elements with cardinality, types, bindings and invariants. Elements inherited from the base type
/// are included, so that a walk needs this table only. Source: the StructureDefinition's snapshot.
/// </summary>
public sealed class FhirType
{
    private FrozenDictionary<string, FhirMember>.AlternateLookup<ReadOnlySpan<char>> _byName;
    private FrozenDictionary<string, FhirMember> _members = FrozenDictionary<string, FhirMember>.Empty;

    internal FhirType(string name, FhirTypeKind kind, bool isAbstract)
    {
        Name = name;
        Kind = kind;
        IsAbstract = isAbstract;
    }

    /// <summary><c>Patient</c>, <c>HumanName</c>, <c>string</c>, or for a backbone element its path <c>Patient.contact</c>.</summary>
    public string Name { get; }

    public FhirTypeKind Kind { get; }

    public bool IsAbstract { get; }

    /// <summary>The type this one specialises (<c>DomainResource</c>, <c>Element</c>, for <c>code</c> <c>string</c>); null at the root.</summary>
    public FhirType? Base { get; internal set; }

    /// <summary>Elements in definition order. <c>value[x]</c> is one element here and several <see cref="FhirMember"/>s.</summary>
    public IReadOnlyList<FhirElement> Elements { get; private set; } = [];

    /// <summary>Every JSON member name this type allows, choice types spelt out, without the primitives' <c>_</c> companions.</summary>
    public IReadOnlyCollection<FhirMember> Members => _members.Values;

    /// <summary>Invariants on the type itself.</summary>
    public IReadOnlyList<FhirConstraint> Constraints { get; internal set; } = [];

    /// <summary>The member of that JSON name, without a leading <c>_</c>; null when the type has none.</summary>
    public FhirMember? Find(ReadOnlySpan<byte> jsonName)
    {
        // The longest member name in R4 has 39 characters.
        if (jsonName.Length > 64)
        {
            return null;
        }

        Span<char> chars = stackalloc char[64];
        var length = Encoding.UTF8.GetChars(jsonName, chars);
        return _byName.TryGetValue(chars[..length], out var member) ? member : null;
    }

    public FhirMember? Find(string jsonName) => _members.GetValueOrDefault(jsonName);

    /// <summary>Whether this type is that type or a specialisation of it.</summary>
    public bool Is(FhirType other)
    {
        for (var type = this; type is not null; type = type.Base)
        {
            if (ReferenceEquals(type, other))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => Name;

    internal void SetElements(IReadOnlyList<FhirElement> elements)
    {
        Elements = elements;
        _members = elements.SelectMany(element => element.Members).ToFrozenDictionary(member => member.JsonName, StringComparer.Ordinal);
        _byName = _members.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}

/// <summary>One element of a type.</summary>
public sealed class FhirElement
{
    internal FhirElement(string name, string path, int min, int? max, bool isChoice)
    {
        Name = name;
        Path = path;
        Min = min;
        Max = max;
        IsChoice = isChoice;
    }

    /// <summary>FHIRPath name: <c>value</c> for <c>value[x]</c>.</summary>
    public string Name { get; }

    /// <summary>Path in the definition, such as <c>Observation.value[x]</c>.</summary>
    public string Path { get; }

    public int Min { get; }

    /// <summary>Null means unbounded.</summary>
    public int? Max { get; }

    /// <summary>Whether JSON holds it as an array (decided by the base definition's cardinality).</summary>
    public bool IsArray { get; internal init; }

    public bool IsChoice { get; }

    /// <summary>Part of <c>_summary=true</c>.</summary>
    public bool IsSummary { get; internal init; }

    public bool IsModifier { get; internal init; }

    /// <summary>One per allowed type.</summary>
    public IReadOnlyList<FhirMember> Members { get; internal set; } = [];

    public FhirBinding? Binding { get; internal init; }

    public IReadOnlyList<FhirConstraint> Constraints { get; internal init; } = [];
}

/// <summary>One JSON member name: an element in one of its types.</summary>
/// <param name="JsonName"><c>valueQuantity</c>, <c>status</c>.</param>
/// <param name="Element">The element it is a form of.</param>
/// <param name="Type">The type of its value(s).</param>
/// <param name="TargetTypes">For Reference and canonical: allowed resource type names; empty allows any.</param>
public sealed record FhirMember(string JsonName, FhirElement Element, FhirType Type, IReadOnlyList<string> TargetTypes);

public enum BindingStrength : byte
{
    Example,
    Preferred,
    Extensible,
    Required,
}

/// <param name="ValueSet">Canonical URL, with <c>|version</c> where the definition gives one.</param>
public sealed record FhirBinding(BindingStrength Strength, string ValueSet, string? MaxValueSet);

/// <summary>An invariant.</summary>
/// <param name="IsError">Otherwise it is a best-practice warning.</param>
public sealed record FhirConstraint(string Key, bool IsError, string Human, string Expression);
