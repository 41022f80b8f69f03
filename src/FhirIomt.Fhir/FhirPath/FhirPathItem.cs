using System.Globalization;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>What an item of a FHIRPath collection is: an element of a resource, or a value of the System types.</summary>
public enum FhirPathKind : byte
{
    Nothing,
    Element,
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,

    /// <summary>What <c>type()</c> answers.</summary>
    TypeInfo,
}

/// <summary>One item of a collection: a typed place in a resource, or a system value. The default value is nothing.</summary>
public readonly struct FhirPathItem
{
    // A JsonTree for elements; a string, boxed decimal, Temporal, FhirPathQuantity or TypeInfo for the system kinds that need one.
    private readonly object? _value;
    private readonly int _number;
    private readonly int _companion;

    private FhirPathItem(FhirPathKind kind, object? value, int number = 0, FhirType? type = null, int companion = -1)
    {
        Kind = kind;
        _value = value;
        _number = number;
        Type = type;
        _companion = companion;
    }

    public FhirPathKind Kind { get; }

    /// <summary>The FHIR type of an element; null for system values.</summary>
    public FhirType? Type { get; }

    public bool IsElement => Kind == FhirPathKind.Element;

    /// <summary>The value's place; does not exist for system values and for a primitive that has only extensions.</summary>
    public ResourceNode Node => IsElement && _number >= 0 && _value is JsonTree tree ? tree.NodeAt(_number) : default;

    /// <summary>The object of the primitive's <c>_name</c> member, with id and extensions.</summary>
    public ResourceNode Companion => IsElement && _companion >= 0 && _value is JsonTree tree ? tree.NodeAt(_companion) : default;

    internal Temporal Temporal => (Temporal)_value!;

    internal FhirPathQuantity Quantity => (FhirPathQuantity)_value!;

    internal TypeInfo TypeInfo => (TypeInfo)_value!;

    internal int IntegerValue => _number;

    internal bool BooleanValue => _number != 0;

    internal string StringValue => (string)_value!;

    internal decimal DecimalValue => Kind == FhirPathKind.Integer ? _number : (decimal)_value!;

    /// <summary>A whole resource; a type that R4 does not know is read as Resource.</summary>
    public static FhirPathItem Resource(JsonTree tree, FhirDefinitions definitions) => Resource(tree.Root, definitions);

    /// <summary>A resource inside another document, such as an entry of a Bundle.</summary>
    public static FhirPathItem Resource(ResourceNode node, FhirDefinitions definitions)
    {
        var type = node["resourceType"u8].AsString() is { } name && definitions.Type(name) is { Kind: FhirTypeKind.Resource } known ? known : definitions.Type("Resource");
        return new FhirPathItem(FhirPathKind.Element, node.Tree, node.Index, type);
    }

    /// <summary>An element; one of the two nodes may be missing for a primitive.</summary>
    public static FhirPathItem Element(ResourceNode node, ResourceNode companion, FhirType type)
    {
        var tree = node.Exists ? node.Tree : companion.Tree;
        return new FhirPathItem(FhirPathKind.Element, tree, node.Exists ? node.Index : -1, type, companion.Exists ? companion.Index : -1);
    }

    /// <summary>Stands for a resource of which only the type is known: enough for <c>resolve() is Patient</c>.</summary>
    public static FhirPathItem OfType(FhirType type) => new(FhirPathKind.Element, value: null, -1, type);

    public static FhirPathItem Boolean(bool value) => new(FhirPathKind.Boolean, value: null, value ? 1 : 0);

    public static FhirPathItem Integer(int value) => new(FhirPathKind.Integer, value: null, value);

    public static FhirPathItem Decimal(decimal value) => new(FhirPathKind.Decimal, value);

    public static FhirPathItem String(string value) => new(FhirPathKind.String, value);

    /// <summary>Whether it is a FHIR or system boolean, and which; null for anything else.</summary>
    public bool? AsBoolean() => ToSystem() is { Kind: FhirPathKind.Boolean } value ? value.BooleanValue : null;

    public decimal? AsDecimal() => ToSystem() is { Kind: FhirPathKind.Integer or FhirPathKind.Decimal } value ? value.DecimalValue : null;

    /// <summary>A primitive's or system value's text; null for complex elements.</summary>
    public string? AsText()
    {
        if (IsElement)
        {
            return Type!.Kind == FhirTypeKind.Primitive ? Node.AsText() : null;
        }

        return Kind switch
        {
            FhirPathKind.Boolean => BooleanValue ? "true" : "false",
            FhirPathKind.Integer => _number.ToString(CultureInfo.InvariantCulture),
            FhirPathKind.Decimal => DecimalValue.ToString(CultureInfo.InvariantCulture),
            FhirPathKind.Nothing => null,
            _ => _value!.ToString(),
        };
    }

    public override string ToString() => AsText() ?? (IsElement ? Node.ToString() : "");

    /// <summary>A backbone element has no type name of its own outside this program.</summary>
    internal static string NameOf(FhirType type) => type.Kind == FhirTypeKind.Backbone ? type.Base!.Name : type.Name;

    /// <summary>Of what <see cref="ToSystem"/> answers: a primitive or a Quantity that has no system value.</summary>
    internal bool IsValueless => Type is { } type && (type.Kind == FhirTypeKind.Primitive || SystemTypes.IsQuantity(type));

    internal static FhirPathItem Of(Temporal value) => new((FhirPathKind)((int)FhirPathKind.Date + (int)value.Kind), value);

    internal static FhirPathItem Of(FhirPathQuantity value) => new(FhirPathKind.Quantity, value);

    internal static FhirPathItem Of(TypeInfo value) => new(FhirPathKind.TypeInfo, value);

    /// <summary>The system value of a FHIR primitive or Quantity (FHIR R4 §2.9.3); anything else as it is.</summary>
    internal FhirPathItem ToSystem()
    {
        if (!IsElement)
        {
            return this;
        }

        var node = Node;
        if (!node.Exists)
        {
            return this;
        }

        return Type!.Kind == FhirTypeKind.Primitive ? PrimitiveToSystem(node) : SystemTypes.IsQuantity(Type) && FhirPathQuantity.FromElement(node) is { } quantity ? Of(quantity) : this;
    }

    private FhirPathItem PrimitiveToSystem(ResourceNode node)
    {
        var kind = SystemTypes.KindOf(Type!);
        switch (kind)
        {
            case FhirPathKind.Boolean:
                return node.Kind is NodeKind.True or NodeKind.False ? Boolean(node.Kind == NodeKind.True) : this;
            case FhirPathKind.Integer:
                return int.TryParse(node.RawSpan, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? Integer(integer) : this;
            case FhirPathKind.Decimal:
                return decimal.TryParse(node.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Decimal(number) : this;
            case FhirPathKind.String:
                return node.AsString() is { } text ? String(text) : this;
            default:
                return Temporal.TryParse(node.AsString() ?? "", SystemTypes.TemporalKindOf(kind), out var temporal) ? Of(temporal) : this;
        }
    }
}

/// <summary>The answer of <c>type()</c>.</summary>
internal sealed record TypeInfo(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}.{Name}";
}
