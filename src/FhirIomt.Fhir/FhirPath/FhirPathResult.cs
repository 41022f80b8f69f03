using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>The answer of an expression as JSON: an array of <c>{"type","value"}</c>.</summary>
public static class FhirPathResult
{
    /// <summary><c>code</c>, <c>HumanName</c>, <c>Patient</c> for elements; <c>string</c>, <c>decimal</c>, <c>Quantity</c> for system values.</summary>
    public static string TypeName(in FhirPathItem item) => item.Type is { } type ? FhirPathItem.NameOf(type) : item.Kind switch
    {
        FhirPathKind.DateTime => "dateTime",
        FhirPathKind.Quantity => "Quantity",
        FhirPathKind.TypeInfo => "TypeInfo",
        var kind => kind.ToString().ToLowerInvariant(),
    };

    /// <summary>Elements as they stand in the resource, digits and all; a primitive that has only extensions has the value null.</summary>
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<FhirPathItem> items)
    {
        writer.WriteStartArray();
        foreach (var item in items)
        {
            writer.WriteStartObject();
            writer.WriteString("type", TypeName(item));
            writer.WritePropertyName("value");
            WriteValue(writer, item);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter writer, in FhirPathItem item)
    {
        switch (item.Kind)
        {
            case FhirPathKind.Element:
                if (item.Node is { Exists: true } node)
                {
                    writer.WriteRawValue(JsonTextWriter.Minified(node), skipInputValidation: true);
                }
                else
                {
                    writer.WriteNullValue();
                }

                break;
            case FhirPathKind.Boolean or FhirPathKind.Integer or FhirPathKind.Decimal:
                writer.WriteRawValue(item.AsText()!, skipInputValidation: true);
                break;
            case FhirPathKind.Quantity:
                WriteQuantity(writer, item.Quantity);
                break;
            case FhirPathKind.TypeInfo:
                writer.WriteStartObject();
                writer.WriteString("namespace", item.TypeInfo.Namespace);
                writer.WriteString("name", item.TypeInfo.Name);
                writer.WriteEndObject();
                break;
            default:
                writer.WriteStringValue(item.AsText());
                break;
        }
    }

    private static void WriteQuantity(Utf8JsonWriter writer, FhirPathQuantity quantity)
    {
        writer.WriteStartObject();
        writer.WriteNumber("value", quantity.Value);
        writer.WriteString("unit", quantity.Unit);
        if (!quantity.IsCalendar)
        {
            writer.WriteString("system", "http://unitsofmeasure.org");
            writer.WriteString("code", quantity.Unit);
        }

        writer.WriteEndObject();
    }
}
