using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
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

    public static void Run(Report report, bool quick)
    {
        var mapping = BuiltInMappings.All.First(one => one.Name == "vitals").Set;
        var context = new MappingContext(null, DateTimeOffset.UnixEpoch);
        var reading = mapping.Map(JsonTree.Parse(Envelope).Require(), context).Readings[0];
        var key = reading.SourceKey("patient", "device", withFraction: false);
        var resolved = new ResolvedReading(key, "patient", "device", null, DateTimeOffset.UnixEpoch, Amended: false);
        var observation = Observation(reading, resolved);
        var indexer = new SearchIndexer(FhirDefinitions.R4);
        var indexed = new IndexPolicy(FhirDefinitions.R4).IndexedParameters("Observation");
        var validator = new ResourceValidator(FhirDefinitions.R4);
        var problems = validator.Validate(JsonTree.Parse(observation).Require()).Where(issue => issue.Refuses).ToList();
        if (problems.Count > 0)
        {
            throw new InvalidOperationException(string.Join("; ", problems.Select(problem => problem.Message)));
        }

        var tree = JsonTree.Parse(observation).Require();
        Measure(report, quick, "map a message (built-in vitals, 6 templates)", () => mapping.Map(JsonTree.Parse(Envelope).Require(), context), "≥ 400,000/s");
        Measure(report, quick, "write the Observation", () => Observation(reading, resolved), null);
        var floor = Measure(report, quick, "Utf8JsonReader over an Observation (floor)", () => ReadOnly(observation), null);
        Measure(report, quick, "parse an Observation", () => JsonTree.Parse(observation), "≥ 250,000/s", ("Utf8JsonReader", floor));
        Measure(report, quick, "parse and validate a vital-sign Observation", () => validator.Validate(JsonTree.Parse(observation).Require()), "≥ 30,000/s");
        var focus = FhirPathItem.Resource(tree, FhirDefinitions.R4);
        var environment = new FhirPathEnvironment { Resource = focus };
        var path = FhirPathExpression.Compile("code.coding.code", FhirDefinitions.R4).Require();
        var condition = FhirPathExpression.Compile("code.coding.exists(system = 'http://loinc.org') and value.value > 5", FhirDefinitions.R4).Require();
        Measure(report, quick, "FHIRPath code.coding.code", () => path.Evaluate(focus, environment), "≥ 2,000,000/s");
        Measure(report, quick, "FHIRPath exists and compare", () => condition.IsTrue(focus, environment) ? path : null, "≥ 500,000/s");
        Measure(report, quick, "extract its search values", () => indexer.Extract(tree, indexed), "≥ 100,000/s");
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

    private static double Measure(Report report, bool quick, string name, Func<object?> work, string? budget, (string Name, double Value)? floor = null)
    {
        var seconds = quick ? 0.2 : 1.0;
        Repeat(work, seconds);
        var runs = Enumerable.Range(0, quick ? 3 : 5).Select(_ => Repeat(work, seconds)).ToList();
        report.Add(name, "/s per core", runs, floor?.Name, floor?.Value, budget);
        return runs.Order().ElementAt(runs.Count / 2);
    }

    private static double Repeat(Func<object?> work, double seconds)
    {
        var clock = Stopwatch.StartNew();
        long count = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            for (var i = 0; i < 256; i++)
            {
                work();
            }

            count += 256;
        }

        return count / clock.Elapsed.TotalSeconds;
    }
}
