using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Linting;

namespace FhirIomt.Mapping.Tests;

/// <summary>The built-in mappings of wearables' and home devices' clouds.</summary>
public sealed class WearableTests
{
    // Parts of documents, and what no reading can be made of: valid, and nothing to store.
    private static readonly string[] NothingToStore =
        ["hk-correlation", "hk-metadata", "hk-workout", "time-frame", "time-interval", "data-point__1.0__shouldPass__empty-body", "header", "medication-adherence-percent", "reason-single-medication", "breath-carbon", "expiratory-time", "inspiratory-time", "rr-interval-only", "date-part-of-day"];

    public static TheoryData<string> Names => [.. BuiltInMappings.All.Where(mapping => mapping.Set.Samples.Count > 0).Select(mapping => mapping.Name)];

    public static TheoryData<string> OpenMhealth => [.. SharedData.Files("device-data/openmhealth", "*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_built_in_mapping_maps_its_own_samples(string name)
    {
        var mapping = BuiltInMappings.All.Single(one => one.Name == name);
        Assert.All(mapping.Set.Samples, sample =>
        {
            var result = mapping.Set.Map(MappingLinter.Envelope(sample), new MappingContext(null, default));
            Assert.Empty(result.Issues);
            Assert.NotEmpty(result.Readings);
        });
    }

    [Theory]
    [MemberData(nameof(OpenMhealth))]
    public void A_document_of_Open_mHealth_is_taken_or_refused_as_its_schema_says(string file)
    {
        var result = Run("openmhealth", File.ReadAllText(SharedData.PathOf("device-data/openmhealth/" + file)));
        if (file.Contains("__shouldFail__", StringComparison.Ordinal))
        {
            Assert.Empty(result.Readings);
            return;
        }

        Assert.DoesNotContain(result.Issues, issue => issue.Code == "IOMT-0970");
        if (!Array.Exists(NothingToStore, part => file.Contains(part, StringComparison.Ordinal)))
        {
            Assert.NotEmpty(result.Readings);
        }
    }

    private static MapResult Run(string name, string body, TimeZoneInfo? zone = null)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();
        return BuiltInMappings.All.Single(mapping => mapping.Name == name).Set.Map(tree, new MappingContext(zone, default));
    }

    private static JsonNode Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, default, Amended: false));
        return JsonNode.Parse(buffer.WrittenSpan)!;
    }
}
