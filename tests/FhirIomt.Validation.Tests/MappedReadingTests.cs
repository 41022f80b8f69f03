using System.Buffers;
using System.Text;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping;

namespace FhirIomt.Validation.Tests;

/// <summary>What the built-in mappings write is valid against the profiles that they name: neither project knows the other, so this holds them together.</summary>
public sealed class MappedReadingTests
{
    [Theory]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","heartRate":72}""", 1)]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05.25Z","spo2":97.5}""", 1)]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","weightKg":81.20}""", 1)]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","temperatureC":36.9}""", 1)]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","systolic":120,"diastolic":80,"pulse":70}""", 2)]
    [InlineData("vitals", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","systolic":120,"diastolic":80,"pulse":70,"spo2":97,"heartRate":71,"weightKg":80,"temperatureC":36.6}""", 6)]
    [InlineData("cgm", """{"deviceId":"d","time":"2026-01-02T03:04:05Z","glucose":153}""", 1)]
    [InlineData("cgm-csv", """{"id":"d","time":"2026-01-02 03:04:05","gl":"153"}""", 1)]
    public void A_built_in_mapping_writes_what_its_profile_asks_for(string mapping, string body, int count)
    {
        var envelope = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();
        var readings = BuiltInMappings.All.Single(known => known.Name == mapping).Set.Map(envelope, new MappingContext(null, default)).Readings;
        Assert.Equal(count, readings.Count);
        Assert.All(readings, reading =>
        {
            var resource = Write(reading);
            Assert.StartsWith("https://fhiriomt.org/profiles/iomt/", resource.Root["meta"u8]["profile"u8].First().AsString(), StringComparison.Ordinal);
            Assert.Empty(Validated.Validator.Validate(resource));
        });
    }

    private static JsonTree Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var issued = new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero);
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, issued, Amended: false));
        return JsonTree.Parse(buffer.WrittenMemory).Require();
    }
}
