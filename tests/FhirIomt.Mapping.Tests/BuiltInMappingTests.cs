using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Tests;

public sealed class BuiltInMappingTests
{
    [Fact]
    public void All_of_them_load_without_warnings()
    {
        Assert.Equal(
            ["apple-health", "cgm", "cgm-csv", "device-health", "dexcom", "ecg", "fall-detector", "fitbit", "garmin", "google-health", "healthkit", "ihealth", "imaging", "implant", "infusion-pump", "medication-adherence", "nightscout", "openmhealth", "oura", "patch", "patient-reported", "smart-bed", "stethoscope", "vitals", "withings"],
            BuiltInMappings.All.Select(mapping => mapping.Name).Order(StringComparer.Ordinal));
        Assert.All(BuiltInMappings.All, mapping => Assert.Empty(MappingSet.Load(mapping.DeviceMapping, mapping.FhirMapping).Issues));
    }

    [Theory]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","heartRate":72}""", "heart-rate", "8867-4 147842", "72 /min")]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","spo2":97}""", "oxygen-saturation", "2708-6 59408-5 150456", "97 %")]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","weightKg":81.20}""", "body-weight", "29463-7 188736", "81.20 kg")]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","temperatureC":36.9}""", "body-temperature", "8310-5 150364", "36.9 Cel")]
    [InlineData("cgm", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","glucose":153}""", "cgm-reading", "99504-3 160212", "153 mg/dL")]
    [InlineData("cgm-csv", """{"id":"d","time":"2026-01-02 03:04:05","gl":"153"}""", "cgm-reading", "99504-3 160212", "153 mg/dL")]
    public void A_message_becomes_an_observation_of_its_profile(string mapping, string body, string profile, string codes, string value)
    {
        var written = Assert.Single(Map(mapping, body));
        Assert.Equal("https://fhiriomt.org/profiles/iomt/StructureDefinition/iomt-" + profile, (string)written["meta"]!["profile"]![0]!);
        Assert.Equal("2026-01-02T03:04:05Z", (string)written["effectiveDateTime"]!);
        Assert.Equal(codes, Codes(written));
        Assert.Equal(value, $"{written["valueQuantity"]!["value"]!.ToJsonString()} {(string)written["valueQuantity"]!["code"]!}");
        Assert.Equal(mapping == "vitals" ? "vital-signs" : "laboratory", (string)written["category"]![0]!["coding"]![0]!["code"]!);
    }

    [Fact]
    public void A_cuff_gives_a_blood_pressure_without_value_and_a_pulse()
    {
        var written = Map("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","systolic":120,"diastolic":80,"pulse":70}""");
        Assert.Equal(["85354-9 150020", "8867-4 149546"], written.Select(Codes));
        Assert.Null(written[0]["valueQuantity"]);
        Assert.Equal(
            ["8480-6 150021 120 mm[Hg]", "8462-4 150022 80 mm[Hg]"],
            written[0]["component"]!.AsArray().Select(part => $"{Codes(part!)} {part!["valueQuantity"]!["value"]} {part["valueQuantity"]!["code"]}"));
    }

    private static string Codes(JsonNode coded) =>
        string.Join(' ', coded["code"]!["coding"]!.AsArray().SkipLast(1).Select(coding => (string)coding!["code"]!));

    private static List<JsonNode> Map(string name, string body)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();
        var result = BuiltInMappings.All.Single(mapping => mapping.Name == name).Set.Map(tree, new MappingContext(null, default));
        Assert.Empty(result.Issues);
        return [.. result.Readings.Select(Write)];
    }

    private static JsonNode Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, default, Amended: false));
        return JsonNode.Parse(buffer.WrittenSpan)!;
    }
}
