using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Measurements;
using System.Buffers;

namespace FhirIomt.Mapping.Tests.Measurements;

/// <summary>Runs a decoder on one message and looks at the resources.</summary>
internal static class MeasurementCase
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public static MapResult Gatt(string json) => GattMapper.Instance.Map(Envelope(json), new MappingContext(null, Now));

    public static MapResult Hl7(string message, TimeZoneInfo? zone = null) => Hl7Mapper.Instance.Map(Envelope(JsonSerializer.Serialize(message)), new MappingContext(zone, Now));

    public static JsonElement Resource(MappedReading reading)
    {
        var output = new ArrayBufferWriter<byte>();
        reading.Write(output, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, Now, Amended: false));
        return JsonDocument.Parse(output.WrittenMemory).RootElement;
    }

    public static string Codes(JsonElement resource) => string.Join(' ', resource.GetProperty("code").GetProperty("coding").EnumerateArray().Select(coding => coding.GetProperty("code").GetString()));

    public static string Value(JsonElement holder) =>
        holder.TryGetProperty("valueQuantity", out var quantity) ? $"{(quantity.TryGetProperty("comparator", out var comparator) ? comparator.GetString() : "")}{quantity.GetProperty("value").GetRawText()} {(quantity.TryGetProperty("code", out var unit) ? unit.GetString() : "?")}"
        : holder.TryGetProperty("dataAbsentReason", out var absent) ? "absent: " + absent.GetProperty("coding")[0].GetProperty("code").GetString()
        : holder.TryGetProperty("valueSampledData", out var samples) ? $"{samples.GetProperty("period").GetRawText()} ms: {samples.GetProperty("data").GetString()}"
        : holder.TryGetProperty("valueCodeableConcept", out var concept) ? (concept.TryGetProperty("coding", out var coding) ? coding[0].GetProperty("code").GetString()! : concept.GetProperty("text").GetString()!)
        : holder.TryGetProperty("component", out var parts) ? string.Join("; ", parts.EnumerateArray().Select(part => $"{Codes(part).Split(' ')[^1]} {Value(part)}"))
        : holder.TryGetProperty("valueString", out var text) ? text.GetString()! : "";

    /// <summary>Each reading as <c>codes = value @ time</c>.</summary>
    public static IReadOnlyList<string> Told(MapResult result) =>
        [.. result.Readings.Select(Resource).Select(resource => $"{Codes(resource)} = {Value(resource)} @ {(resource.TryGetProperty("effectiveDateTime", out var at) ? at.GetString() : resource.TryGetProperty("effectivePeriod", out var period) ? period.GetProperty("start").GetString() : resource.GetProperty("period").GetProperty("start").GetString())}")];

    public static IReadOnlyList<string> IssueCodes(MapResult result) => [.. result.Issues.Select(issue => issue.Code)];

    private static JsonTree Envelope(string body) => JsonTree.Parse(Encoding.UTF8.GetBytes($$"""{"Body":{{body}}}""")).Require();
}
