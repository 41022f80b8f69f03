using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Base;

internal enum DataTypeRule : byte
{
    None,
    Coding,
    Attachment,
    Identifier,
    Quantity,
    Canonical,
}

/// <summary>One JSON member of a type, ready for the walk.</summary>
internal sealed class MemberPlan(FhirMember member, ElementPlan element, TypePlans plans)
{
    private TypePlan? _type;

    public FhirMember Member => member;

    public ElementPlan Element => element;

    public ValueShape Shape { get; } = ValueShapes.Of(member.Type);

    public bool IsReference { get; } = member.Type.Name == "Reference";

    /// <summary>What the data type asks beyond its structure.</summary>
    public DataTypeRule Rule { get; } = member.Type.Name switch
    {
        "Coding" => DataTypeRule.Coding,
        "Attachment" => DataTypeRule.Attachment,
        "Identifier" => DataTypeRule.Identifier,
        "Quantity" or "Age" or "Duration" or "Distance" or "Count" => DataTypeRule.Quantity,
        // The profiles of meta are looked up when they are applied.
        "canonical" when member.TargetTypes.Count > 0 && member.Element.Path != "Meta.profile" => DataTypeRule.Canonical,
        _ => DataTypeRule.None,
    };

    public bool IsExtension { get; } = member.Type.Name == "Extension";

    /// <summary>The binding, when it is required or extensible, can be listed and applies to this type.</summary>
    public BindingCheck? Binding { get; } = BindingCheck.For(member.Element.Binding, member.Type, plans.Bindings);

    /// <summary>sqty-1, for the elements that R4 types as SimpleQuantity: no comparator.</summary>
    public Invariant? SimpleQuantity { get; } = member.Profiles.Contains("http://hl7.org/fhir/StructureDefinition/SimpleQuantity", StringComparer.Ordinal)
        ? plans.InvariantOf(new FhirConstraint("sqty-1", IsError: true, "Invariant sqty-1 must hold.", "comparator.empty()"))
        : null;

    // Types refer to each other in circles, so a plan is looked up when first met.
    public TypePlan Type => _type ??= plans.For(member.Type);
}

internal sealed class ElementPlan(FhirElement element, int ordinal, IReadOnlyList<Invariant> invariants)
{
    public FhirElement Definition => element;

    public int Ordinal => ordinal;

    public string Name => element.Name;

    public bool IsArray => element.IsArray;

    public bool IsChoice => element.IsChoice;

    public int? Max => element.Max;

    public IReadOnlyList<Invariant> Invariants => invariants;
}

/// <summary>A type, ready for the walk.</summary>
internal sealed class TypePlan
{
    private readonly Dictionary<FhirMember, MemberPlan> _members = new(ReferenceEqualityComparer.Instance as IEqualityComparer<FhirMember>);

    public TypePlan(FhirType type, TypePlans plans)
    {
        Type = type;
        HasUniqueIds = type.Name != "ElementDefinition" && !type.Name.StartsWith("ElementDefinition.", StringComparison.Ordinal);
        Invariants = plans.InvariantsOf(type.Constraints);
        Check = plans.CheckOf(type);
        var required = new List<ElementPlan>();
        for (var index = 0; index < type.Elements.Count; index++)
        {
            var definition = type.Elements[index];
            var element = new ElementPlan(definition, index, plans.InvariantsOf(definition.Constraints));
            foreach (var member in definition.Members)
            {
                _members.Add(member, new MemberPlan(member, element, plans));
            }

            if (definition.Min > 0)
            {
                required.Add(element);
            }
        }

        Required = [.. required];
    }

    public FhirType Type { get; }

    /// <summary>An ElementDefinition's id is its path, which snapshot and differential share.</summary>
    public bool HasUniqueIds { get; }

    public IReadOnlyList<Invariant> Invariants { get; }

    public ElementPlan[] Required { get; }

    /// <summary>For a resource type that has rules of its own.</summary>
    public IResourceCheck? Check { get; }

    public MemberPlan? Find(ReadOnlySpan<byte> name) => Type.Find(name) is { } member ? _members[member] : null;
}
