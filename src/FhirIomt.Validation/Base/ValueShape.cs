using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>How a type is written in JSON.</summary>
internal enum ValueShape : byte
{
    Object,
    Resource,
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Markdown,
    Code,
    Id,
    Uri,
    Oid,
    Uuid,
    Base64,
    Date,
    DateTime,
    Instant,
    Time,
    Xhtml,
}

internal static class ValueShapes
{
    public static ValueShape Of(FhirType type) => type.Kind switch
    {
        FhirTypeKind.Resource => ValueShape.Resource,
        FhirTypeKind.Primitive => OfPrimitive(type),
        _ => ValueShape.Object,
    };

    public static bool IsPrimitive(this ValueShape shape) => shape > ValueShape.Resource;

    public static bool Fits(this ValueShape shape, NodeKind kind) => shape switch
    {
        ValueShape.Object or ValueShape.Resource => kind == NodeKind.Object,
        ValueShape.Boolean => kind is NodeKind.True or NodeKind.False,
        ValueShape.Integer or ValueShape.UnsignedInt or ValueShape.PositiveInt or ValueShape.Decimal => kind == NodeKind.Number,
        _ => kind == NodeKind.String,
    };

    public static string JsonName(this ValueShape shape) => shape switch
    {
        ValueShape.Object or ValueShape.Resource => "an object",
        ValueShape.Boolean => "true or false",
        ValueShape.Integer or ValueShape.UnsignedInt or ValueShape.PositiveInt or ValueShape.Decimal => "a number",
        _ => "a string",
    };

    private static ValueShape OfPrimitive(FhirType type) => type.Name switch
    {
        "boolean" => ValueShape.Boolean,
        "integer" => ValueShape.Integer,
        "unsignedInt" => ValueShape.UnsignedInt,
        "positiveInt" => ValueShape.PositiveInt,
        "decimal" => ValueShape.Decimal,
        "markdown" => ValueShape.Markdown,
        "code" => ValueShape.Code,
        "id" => ValueShape.Id,
        "uri" or "url" or "canonical" => ValueShape.Uri,
        "oid" => ValueShape.Oid,
        "uuid" => ValueShape.Uuid,
        "base64Binary" => ValueShape.Base64,
        "date" => ValueShape.Date,
        "dateTime" => ValueShape.DateTime,
        "instant" => ValueShape.Instant,
        "time" => ValueShape.Time,
        "xhtml" => ValueShape.Xhtml,
        _ => ValueShape.String,
    };
}
