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
    private readonly ITypeTables _tables;
    private volatile FhirTypeTable? _table;

    internal FhirType(string name, FhirTypeKind kind, bool isAbstract, FhirType? baseType, ITypeTables tables, int position)
    {
        Name = name;
        Kind = kind;
        IsAbstract = isAbstract;
        Base = baseType;
        Position = position;
        _tables = tables;
    }

    /// <summary><c>Patient</c>, <c>HumanName</c>, <c>string</c>, or for a backbone element its path <c>Patient.contact</c>.</summary>
    public string Name { get; }

    public FhirTypeKind Kind { get; }

    public bool IsAbstract { get; }

    /// <summary>The type this one specialises (<c>DomainResource</c>, <c>Element</c>, for <c>code</c> <c>string</c>); null at the root.</summary>
    public FhirType? Base { get; }

    /// <summary>Elements in definition order. <c>value[x]</c> is one element here and several <see cref="FhirMember"/>s.
    /// A primitive has <c>id</c> and <c>extension</c>; its value is not an element.</summary>
    public IReadOnlyList<FhirElement> Elements => Table.Elements;

    /// <summary>Every JSON member name this type allows, choice types spelt out, without the primitives' <c>_</c> companions.</summary>
    public IReadOnlyCollection<FhirMember> Members => Table.Members.All;

    /// <summary>Invariants on the type itself; for a backbone element those of the element that defines it, so that
    /// elements which refer to it by contentReference meet them too.</summary>
    public IReadOnlyList<FhirConstraint> Constraints => Table.Constraints;

    /// <summary>For a primitive: the regular expression of its text, not anchored; null where the definition gives none.</summary>
    public string? Pattern => Table.Pattern;

    /// <summary>Where the table stands in the definitions.</summary>
    internal int Position { get; }

    // Read when first asked for: a process touches a few dozen of the 682 tables. Of two threads that read it at once the first one's stays: elements and
    // members are compared by identity, so there must never be two of them.
    private FhirTypeTable Table => _table ?? FirstTable(_tables.Load(this));

    private FhirTypeTable FirstTable(FhirTypeTable loaded) => Interlocked.CompareExchange(ref _table, loaded, null) ?? loaded;

    /// <summary>The member of that JSON name, without a leading <c>_</c>; null when the type has none.</summary>
    public FhirMember? Find(ReadOnlySpan<byte> jsonName) => Table.Members.Find(jsonName);

    public FhirMember? Find(string jsonName)
    {
        // The longest member name in R4 has 39 characters.
        Span<byte> utf8 = stackalloc byte[128];
        return Encoding.UTF8.TryGetBytes(jsonName, utf8, out var length) ? Find(utf8[..length]) : null;
    }

    /// <summary>The element of that FHIRPath name (<c>value</c>, not <c>valueQuantity</c>); null when the type has none.</summary>
    public FhirElement? Element(string name) => Table.ElementsByName.GetValueOrDefault(name);

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
}

/// <summary>One element of a type.</summary>
public sealed class FhirElement
{
    internal FhirElement(string name, string path, int min, int? max)
    {
        Name = name;
        Path = path;
        Min = min;
        Max = max;
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

    public bool IsChoice { get; internal init; }

    /// <summary>Part of <c>_summary=true</c>.</summary>
    public bool IsSummary { get; internal init; }

    public bool IsModifier { get; internal init; }

    /// <summary>One per allowed type.</summary>
    public IReadOnlyList<FhirMember> Members { get; internal set; } = [];

    public FhirBinding? Binding { get; internal init; }

    /// <summary>Invariants of this element beyond those of its types.</summary>
    public IReadOnlyList<FhirConstraint> Constraints { get; internal init; } = [];

    public override string ToString() => Path;
}

/// <summary>One JSON member name: an element in one of its types.</summary>
/// <param name="JsonName"><c>valueQuantity</c>, <c>status</c>.</param>
/// <param name="Element">The element it is a form of.</param>
/// <param name="Type">The type of its value(s).</param>
/// <param name="TargetTypes">For Reference and canonical: allowed resource type names; empty allows any.</param>
public sealed record FhirMember(string JsonName, FhirElement Element, FhirType Type, IReadOnlyList<string> TargetTypes)
{
    /// <summary>Profiles that a value must meet (canonical URLs): in R4's own types only SimpleQuantity and MoneyQuantity occur.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Position among the members of its type, from 0.</summary>
    internal int Ordinal { get; init; }

    public override string ToString() => JsonName;
}

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
/// <param name="Key"><c>obs-7</c>.</param>
/// <param name="Human">What a profile loaded at run time says; a sentence of our own for R4's constraints, whose prose is not carried.</param>
/// <param name="Expression">FHIRPath that must hold.</param>
/// <param name="IsError">Otherwise it is a best-practice warning.</param>
public sealed record FhirConstraint(string Key, bool IsError, string Human, string Expression);
