using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Mapping.Tests;

/// <summary>Every case of the public JMESPath suite.</summary>
public sealed class JmesPathSuiteTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_case_of_the_JMESPath_suite_comes_out_as_it_says()
    {
        var failures = new List<string>();
        var (ran, benchmarks) = (0, 0);
        foreach (var file in Directory.GetFiles(FhirIomt.Tests.SharedData.Require("conformance/jmespath/tests"), "*.json").Order(StringComparer.Ordinal))
        {
            var isBenchmark = Path.GetFileName(file) == "benchmarks.json";
            var groups = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.EnumerateArray().ToList();
            for (var group = 0; group < groups.Count; group++)
            {
                var given = JsonTree.Parse(Encoding.UTF8.GetBytes(groups[group].GetProperty("given").GetRawText())).Require();
                var cases = groups[group].GetProperty("cases").EnumerateArray().ToList();
                for (var index = 0; index < cases.Count; index++)
                {
                    (ran, benchmarks) = (ran + (isBenchmark ? 0 : 1), benchmarks + (isBenchmark ? 1 : 0));
                    if (Check(given, cases[index]) is { } problem)
                    {
                        failures.Add($"{Path.GetFileNameWithoutExtension(file)}/{group}/{index} {cases[index].GetProperty("expression").GetString()}: {problem}");
                    }
                }
            }
        }

        output.WriteLine($"{ran - failures.Count} of {ran} pass; {benchmarks} expressions of benchmarks.json compile and run");
        Assert.True(failures.Count == 0, $"{failures.Count} of {ran} fail\n" + string.Join("\n", failures));
        Assert.NotEqual(0, ran);
    }

    private static string? Check(JsonTree given, JsonElement test)
    {
        var wanted = test.TryGetProperty("error", out var error) ? error.GetString() : null;
        var expression = JmesPathExpression.Parse(test.GetProperty("expression").GetString()!, out var refusal);
        if (expression is null)
        {
            return refusal!.Kind == wanted ? null : $"refused: {refusal.Kind} {refusal.Message}";
        }

        var run = new JmesRun(integerArithmetic: false);
        var value = expression.Evaluate(JmesValue.Of(given.Root), run);
        if (run.Error is { } failure)
        {
            return failure.Kind == wanted ? null : $"fails: {failure.Kind} {failure.Message}";
        }

        if (wanted is not null)
        {
            return $"{wanted} expected, found {JmesFunctions.Json(value)}";
        }

        var found = Comparable(JsonNode.Parse(JmesFunctions.Json(value)));
        return !test.TryGetProperty("result", out var result) || found == Comparable(JsonNode.Parse(result.GetRawText())) ? null : $"expected {result.GetRawText()}, found {found}";
    }

    // Members in order of name, numbers by value.
    internal static string Comparable(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject members => "{" + string.Join(",", members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{JsonSerializer.Serialize(member.Key)}:{Comparable(member.Value)}")) + "}",
        JsonArray items => "[" + string.Join(",", items.Select(Comparable)) + "]",
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture),
        _ => node.ToJsonString(),
    };
}
