using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>Which system type a FHIR type stands for (FHIR R4 §2.9.3).</summary>
internal static class SystemTypes
{
    public static FhirPathKind KindOf(FhirType primitive) => primitive.Name switch
    {
        "boolean" => FhirPathKind.Boolean,
        "integer" or "positiveInt" or "unsignedInt" => FhirPathKind.Integer,
        "decimal" => FhirPathKind.Decimal,
        "date" => FhirPathKind.Date,
        "dateTime" or "instant" => FhirPathKind.DateTime,
        "time" => FhirPathKind.Time,
        _ => FhirPathKind.String,
    };

    public static bool IsQuantity(FhirType type) => type.Name is "Quantity" or "Age" or "Duration" or "Count" or "Distance";

    public static TemporalKind TemporalKindOf(FhirPathKind kind) => (TemporalKind)(kind - FhirPathKind.Date);

    public static FhirPathKind? Find(string name) => name switch
    {
        "Boolean" => FhirPathKind.Boolean,
        "Integer" => FhirPathKind.Integer,
        "Decimal" => FhirPathKind.Decimal,
        "String" => FhirPathKind.String,
        "Date" => FhirPathKind.Date,
        "DateTime" => FhirPathKind.DateTime,
        "Time" => FhirPathKind.Time,
        "Quantity" => FhirPathKind.Quantity,
        _ => null,
    };
}
