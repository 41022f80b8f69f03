using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping.Templates;

/// <summary>A coding of a template; members that are null stay out.</summary>
internal sealed record FhirCode(string? System, string? Code, string? Display);

/// <summary>Writes the constant parts of an Observation once, at load.</summary>
internal static class FhirJson
{
    /// <summary>System of the coding that carries a reading's type, and of its identifier. Kept from the connector, so that re-sent data updates what it wrote.</summary>
    public const string ConnectorSystem = SourceKey.ConnectorSystem;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Category(IReadOnlyList<(IReadOnlyList<FhirCode> Codes, string? Text)> concepts) => concepts.Count == 0
        ? []
        : Fragment("\"category\":", writer =>
        {
            writer.WriteStartArray();
            foreach (var (codes, text) in concepts)
            {
                WriteConcept(writer, codes, text);
            }

            writer.WriteEndArray();
        }, ",");

    public static byte[] Meta(string? profile) => profile is null ? [] : Fragment("\"meta\":{\"profile\":[", writer => writer.WriteStringValue(profile), "]},");

    public static byte[] Codings(IReadOnlyList<FhirCode> codes) =>
        [.. codes.SelectMany(code => Fragment("", writer => WriteCoding(writer, code), ","))];

    /// <summary><c>{"coding":[codes, type],"text":type}</c>: the last coding is how a component is found again.</summary>
    public static byte[] ConnectorConcept(byte[] codings, string type)
    {
        var coding = Fragment("", writer => WriteCoding(writer, new FhirCode(ConnectorSystem, type, type)), "],\"text\":");
        return [.. "{\"coding\":["u8, .. codings, .. coding, .. Fragment("", writer => writer.WriteStringValue(type), "}")];
    }

    public static byte[] Concept(IReadOnlyList<FhirCode> codes, string? text) => Fragment("", writer => WriteConcept(writer, codes, text), "");

    /// <summary>What follows the number of a Quantity: <c>,"unit":…}</c>.</summary>
    public static byte[] QuantityEnd(string? unit, string? system, string? code)
    {
        var members = Fragment("", writer =>
        {
            writer.WriteStartObject();
            WriteMember(writer, "unit", unit);
            WriteMember(writer, "system", system);
            WriteMember(writer, "code", code);
            writer.WriteEndObject();
        }, "");
        return members.Length == 2 ? "}"u8.ToArray() : [(byte)',', .. members[1..]];
    }

    /// <summary>A SampledData up to its tokens: <c>{"origin":{"value":0,"unit":…},"period":…,"dimensions":1,"data":"</c>.</summary>
    public static byte[] SamplesMiddle(string? unit, decimal period)
    {
        var start = Fragment("", writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("origin");
            writer.WriteNumber("value", 0);
            WriteMember(writer, "unit", unit);
            writer.WriteEndObject();
            writer.WriteNumber("period", period);
            writer.WriteNumber("dimensions", 1);
            writer.WriteEndObject();
        }, "");
        return [.. start[..^1], .. ",\"data\":\""u8];
    }

    private static void WriteConcept(Utf8JsonWriter writer, IReadOnlyList<FhirCode> codes, string? text)
    {
        writer.WriteStartObject();
        if (codes.Count > 0)
        {
            writer.WriteStartArray("coding");
            foreach (var code in codes)
            {
                WriteCoding(writer, code);
            }

            writer.WriteEndArray();
        }

        WriteMember(writer, "text", text);
        writer.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter writer, FhirCode code)
    {
        writer.WriteStartObject();
        WriteMember(writer, "system", code.System);
        WriteMember(writer, "code", code.Code);
        WriteMember(writer, "display", code.Display);
        writer.WriteEndObject();
    }

    // FHIR has no empty strings; published mappings do write "unit": "".
    private static void WriteMember(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            writer.WriteString(name, value);
        }
    }

    private static byte[] Fragment(string before, Action<Utf8JsonWriter> write, string after)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            write(writer);
        }

        return [.. Encoding.UTF8.GetBytes(before), .. buffer.WrittenSpan, .. Encoding.UTF8.GetBytes(after)];
    }
}
