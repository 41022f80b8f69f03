using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Bench;

/// <summary>Normalisation: one message from its bytes to the readings in it, on one thread.</summary>
internal static class MappingBenchmarks
{
    private static readonly byte[] Message =
        """{"Body":{"heartRate":78,"endDate":"2019-02-01T22:46:01.8750000Z","deviceId":"device123"},"Properties":{},"SystemProperties":{}}"""u8.ToArray();

    private static readonly string[] Others =
    [
        "steps", "spo2", "systolic", "diastolic", "temperature", "weight", "height", "glucose", "respiratoryRate", "hrv",
        "sleep", "calories", "distance", "floors", "bodyFat", "bmi", "vo2max", "stress", "pulseWave",
    ];

    public static void Run(CodeMeter meter, Workspace workspace)
    {
        var floor = meter.Rate("normalise: Utf8JsonReader over the message (floor)", () => ReadOnly(Message));
        meter.Rate("normalise: parse the message only", () => JsonTree.Parse(Message), null, ("Utf8JsonReader", floor));
        Normalise(meter, "normalise, 1 template, JSONPath", [JsonPath("heartRate")], "≥ 500,000/s", floor);
        Normalise(meter, "normalise, 20 templates, JSONPath", [.. Others.Select(JsonPath), JsonPath("heartRate")], "≥ 400,000/s", floor);
        Normalise(meter, "normalise, 1 template, JMESPath", [JmesPath("heartRate")], "≥ 300,000/s", floor);
        Normalise(meter, "normalise, 20 templates, JMESPath", [.. Others.Select(JmesPath), JmesPath("heartRate")], null, floor);
        RunJmesPathFile(meter, workspace);
    }

    private static void Normalise(CodeMeter meter, string name, string[] templates, string? budget, double floor)
    {
        var device = $$"""{"templateType":"CollectionContent","template":[{{string.Join(',', templates)}}]}""";
        var set = MappingSet.Load(Encoding.UTF8.GetBytes(device), null, indexed: true).Require();
        var context = new MappingContext(null, DateTimeOffset.UnixEpoch);
        Func<object?> work = () => set.Normalise(JsonTree.Parse(Message).Require(), context);
        if (set.Normalise(JsonTree.Parse(Message).Require(), context).Count != 1)
        {
            throw new InvalidOperationException(name + " finds no reading.");
        }

        meter.Rate(name, work, budget, ("Utf8JsonReader", floor));
        meter.Allocation(name + ": allocated", work, "≤ 1,024 B");
    }

    private static string JsonPath(string name) =>
        $$$"""{"templateType":"JsonPathContent","template":{"typeName":"{{{name}}}","typeMatchExpression":"$..[?(@{{{name}}})]","deviceIdExpression":"$.deviceId","timestampExpression":"$.endDate","values":[{"required":true,"valueExpression":"$.{{{name}}}","valueName":"{{{name}}}"}]}}""";

    private static string JmesPath(string name) =>
        $$$"""{"templateType":"CalculatedContent","template":{"typeName":"{{{name}}}","defaultExpressionLanguage":"JmesPath","typeMatchExpression":"[Body][?{{{name}}}]","deviceIdExpression":"matchedToken.deviceId","timestampExpression":"matchedToken.endDate","values":[{"required":true,"valueExpression":"matchedToken.{{{name}}}","valueName":"{{{name}}}"}]}}""";

    // The suite's own benchmarks: those marked "full" are compiled once and run, those marked "parse" only compiled.
    private static void RunJmesPathFile(CodeMeter meter, Workspace workspace)
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("FHIRIOMT_SHARED") ?? Path.Combine(workspace.Root, "..", "shared"), "conformance", "jmespath", "tests", "benchmarks.json");
        if (!File.Exists(file))
        {
            Console.WriteLine($"JMESPath's benchmarks are not at {file}: left out");
            return;
        }

        using var groups = JsonDocument.Parse(File.ReadAllBytes(file));
        foreach (var group in groups.RootElement.EnumerateArray())
        {
            var given = JmesValue.Of(JsonTree.Parse(Encoding.UTF8.GetBytes(group.GetProperty("given").GetRawText())).Require().Root);
            foreach (var test in group.GetProperty("cases").EnumerateArray())
            {
                var text = test.GetProperty("expression").GetString()!;
                var name = test.GetProperty("comment").GetString()!;
                if (test.GetProperty("bench").GetString() == "full")
                {
                    var expression = JmesPathExpression.Parse(text, out _)!;
                    var run = new JmesRun(integerArithmetic: false);
                    meter.Rate("JMESPath run: " + name, () => expression.Evaluate(given, run).IsNull ? null : expression);
                }

                meter.Rate("JMESPath compile: " + name, () => JmesPathExpression.Parse(text, out _));
            }
        }
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
