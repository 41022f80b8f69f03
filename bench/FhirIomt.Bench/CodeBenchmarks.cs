using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Mapping;
using FhirIomt.Validation;

namespace FhirIomt.Bench;

/// <summary>The parts of the write path by themselves, on one thread.</summary>
internal static class CodeBenchmarks
{
    private static readonly byte[] Envelope = """{"Body":{"deviceId":"dev-1","time":"2026-11-20T10:00:00Z","heartRate":72}}"""u8.ToArray();

    public static void Run(CodeMeter meter, Workspace workspace)
    {
        var mapping = BuiltInMappings.All.First(one => one.Name == "vitals").Set;
        var context = new MappingContext(null, DateTimeOffset.UnixEpoch);
        var reading = mapping.Map(JsonTree.Parse(Envelope).Require(), context).Readings[0];
        var key = reading.SourceKey("patient", "device", withFraction: false);
        var resolved = new ResolvedReading(key, "patient", "device", null, DateTimeOffset.UnixEpoch, Amended: false);
        var observation = Observation(reading, resolved);
        var indexer = new SearchIndexer(FhirDefinitions.R4);
        var indexed = new IndexPolicy(FhirDefinitions.R4).ExtractedParameters("Observation");
        var validator = new ResourceValidator(FhirDefinitions.R4);
        var problems = validator.Validate(JsonTree.Parse(observation).Require()).Where(issue => issue.Refuses).ToList();
        if (problems.Count > 0)
        {
            throw new InvalidOperationException(string.Join("; ", problems.Select(problem => problem.Message)));
        }

        var engines = new Engines(workspace, observation, meter.IsQuick);
        var tree = JsonTree.Parse(observation).Require();
        meter.Rate("map a message (built-in vitals, 6 templates)", () => mapping.Map(JsonTree.Parse(Envelope).Require(), context), "≥ 400,000/s");
        meter.Rate("write the Observation", () => Observation(reading, resolved), null);
        var floor = meter.Rate("Utf8JsonReader over an Observation (floor)", () => ReadOnly(observation), null);
        meter.Rate("parse an Observation", () => JsonTree.Parse(observation), "≥ 250,000/s", ("Utf8JsonReader", floor));
        Validation(meter, validator, observation, engines);
        meter.Rate("extract its search values", () => indexer.Extract(tree, indexed), "≥ 100,000/s");
        FhirPathBenchmarks.Run(meter, observation, engines);
        FormatBenchmarks.Run(meter, observation, engines);
    }

    private static void Validation(CodeMeter meter, ResourceValidator validator, byte[] observation, Engines engines)
    {
        const string Name = "parse and validate a vital-sign Observation";
        Func<object?> work = () => validator.Validate(JsonTree.Parse(observation).Require());
        if (meter.Wants(Name))
        {
            var other = engines.Medplum();
            meter.Rate(Name, work, "≥ 30,000/s, ≥ 10 × @medplum/core", other is { } figures ? ("@medplum/core, base type only", figures.Base) : null);
            if (other is { Profile: > 0 } both)
            {
                meter.Report.Add("@medplum/core, the same with the profile heartrate", "/s of CPU", [both.Profile]);
            }
        }

        meter.Allocation("allocated by one of them", work, "kept by ValidationCostTests, on an example");
    }

    private static byte[] Observation(MappedReading reading, in ResolvedReading resolved)
    {
        var output = new ArrayBufferWriter<byte>(1536);
        reading.Write(output, resolved);
        return output.WrittenSpan.ToArray();
    }

    private static object? ReadOnly(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
        }

        return null;
    }
}
