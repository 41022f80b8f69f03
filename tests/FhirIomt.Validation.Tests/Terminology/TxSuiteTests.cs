using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Tests;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>HL7's terminology ecosystem suite, the cases for all servers (mode "general"), run in process on R4.</summary>
public sealed class TxSuiteTests
{
    private static readonly Dictionary<string, TerminologyOperation> Operations = new(StringComparer.Ordinal)
    {
        ["expand"] = TerminologyOperation.Expand,
        ["validate-code"] = TerminologyOperation.ValidateCode,
        ["cs-validate-code"] = TerminologyOperation.ValidateCodeInSystem,
        ["lookup"] = TerminologyOperation.Lookup,
        ["translate"] = TerminologyOperation.Translate,
        ["batch-validate"] = TerminologyOperation.BatchValidateCode,
    };

    [Fact]
    public void The_general_cases_are_answered_as_expected()
    {
        var root = SharedData.Require("conformance/tx");
        var outcomes = new Dictionary<string, string?>(StringComparer.Ordinal);
        var suites = Read(Path.Combine(root, "test-cases.json"))["suites"]!.AsArray().OfType<JsonObject>();
        foreach (var suite in suites.Where(suite => (string?)suite["mode"] == "general"))
        {
            var operations = OperationsOver(root, suite);
            foreach (var test in suite["tests"]!.AsArray().OfType<JsonObject>().Where(test => (string?)test["mode"] is null or "general"))
            {
                var id = $"{suite["name"]}/{test["name"]}";
                while (outcomes.ContainsKey(id))
                {
                    id += "+";
                }

                outcomes[id] = Difference(root, test, operations);
            }
        }

        Assert.NotEmpty(outcomes);
        KnownCases.AssertSame("Terminology/tx-suite-not-passed.txt", outcomes);
    }

    private static TerminologyOperations OperationsOver(string root, JsonObject suite)
    {
        var resources = suite["setup"]!.AsArray().Select(file => Path.Combine(root, (string)file!)).Where(File.Exists).Select(file => Tree(Read(file)));
        return new TerminologyOperations(new TerminologyService(DefinitionLibrary.R4.With(resources)), TimeProvider.System, IdSource.Random);
    }

    private static string? Difference(string root, JsonObject test, TerminologyOperations operations)
    {
        var request = Read(Path.Combine(root, (string)test["request"]!));
        if ((string?)test["profile"] is { } profile)
        {
            foreach (var parameter in Read(Path.Combine(root, profile))["parameter"]!.AsArray())
            {
                request["parameter"]!.AsArray().Add(parameter!.DeepClone());
            }
        }

        var answer = operations.Run(Operations[(string)test["operation"]!], Tree(request), (string?)test["Accept-Language"]);
        if ((string?)test["http-code"] is { } code && code.StartsWith('2') != answer.Succeeded)
        {
            return $"succeeded is {answer.Succeeded}: {string.Join("; ", answer.Refusals.Select(issue => issue.Message))}";
        }

        var actual = JsonNode.Parse(answer.Json.Span);
        var expected = Read(Path.Combine(root, (string)test["response"]!));
        TxComparer.Normalize(actual);
        TxComparer.Normalize(expected);
        return TxComparer.Compare(expected, actual, (string)expected["resourceType"]!);
    }

    private static JsonObject Read(string file) => JsonNode.Parse(File.ReadAllText(file))!.AsObject();

    private static JsonTree Tree(JsonNode node) => JsonTree.Parse(System.Text.Encoding.UTF8.GetBytes(node.ToJsonString())).Require();
}
