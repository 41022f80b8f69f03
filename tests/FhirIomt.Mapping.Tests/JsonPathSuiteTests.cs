using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Tests;

/// <summary>Every case of the public compliance suite of RFC 9535.</summary>
public sealed class JsonPathSuiteTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_case_of_the_RFC_9535_suite_comes_out_as_it_says()
    {
        var failures = new List<string>();
        using var suite = JsonDocument.Parse(File.ReadAllBytes(FhirIomt.Tests.SharedData.Require("conformance/jsonpath/cts.json")));
        var tests = suite.RootElement.GetProperty("tests").EnumerateArray().ToList();
        foreach (var test in tests)
        {
            if (Check(test) is { } problem)
            {
                failures.Add($"{test.GetProperty("name").GetString()} {test.GetProperty("selector").GetString()}: {problem}");
            }
        }

        output.WriteLine($"{tests.Count - failures.Count} of {tests.Count} pass");
        Assert.True(failures.Count == 0, $"{failures.Count} of {tests.Count} fail\n" + string.Join("\n", failures));
        Assert.NotEmpty(tests);
    }

    private static string? Check(JsonElement test)
    {
        var path = JsonPathExpression.ParseStandard(test.GetProperty("selector").GetString()!, out var error);
        if (test.TryGetProperty("invalid_selector", out _) || path is null)
        {
            return path is null ? test.TryGetProperty("invalid_selector", out _) ? null : "refused: " + error!.Message : "is accepted";
        }

        var document = JsonTree.Parse(Encoding.UTF8.GetBytes(test.GetProperty("document").GetRawText())).Require();
        var found = "[" + string.Join(",", path.SelectAll(PathScope.At(document, 0), out _).Select(node => JmesPathSuiteTests.Comparable(JsonNode.Parse(node.ToString())))) + "]";
        var wanted = test.TryGetProperty("result", out var result) ? [result] : test.GetProperty("results").EnumerateArray().ToArray();
        return wanted.Any(candidate => JmesPathSuiteTests.Comparable(JsonNode.Parse(candidate.GetRawText())) == found) ? null : $"found {found}, expected {string.Join(" or ", wanted)}";
    }
}
