using System.Globalization;
using System.Xml.Linq;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.FhirPath;

/// <summary>HL7's FHIRPath test cases for R4. Cases that we do not pass are listed with the reason in official-suite-not-passed.txt; the list must be exact.</summary>
public sealed class OfficialSuiteTests
{
    [Fact]
    public void Every_case_passes_but_those_listed_with_a_reason()
    {
        var suite = SharedData.Require("conformance/fhirpath/tests-fhir-r4.xml");
        var inputs = SharedData.Require("conformance/fhirpath/inputs-json");
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var count = 0;
        foreach (var test in XDocument.Load(suite).Descendants("test"))
        {
            count++;
            if (Run(test, inputs) is { } difference)
            {
                failed[Name(test)] = difference;
            }
        }

        var listed = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "FhirPath", "official-suite-not-passed.txt"))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOf(' ', StringComparison.Ordinal)]).ToHashSet(StringComparer.Ordinal);
        var unexpected = failed.Where(pair => !listed.Contains(pair.Key)).Select(pair => $"{pair.Key} fails: {pair.Value}");
        var healed = listed.Where(name => !failed.ContainsKey(name)).Select(name => $"{name} passes now: take it off the list");
        TestContext.Current.TestOutputHelper?.WriteLine($"{count - failed.Count} of {count} pass");
        var differences = string.Join('\n', unexpected.Concat(healed));
        Assert.True(differences.Length == 0, differences);
        Assert.True(count > 600);
    }

    [Fact]
    public void The_check_against_types_finds_nothing_in_valid_expressions()
    {
        var suite = SharedData.Require("conformance/fhirpath/tests-fhir-r4.xml");
        var inputs = SharedData.Require("conformance/fhirpath/inputs-json");
        foreach (var test in XDocument.Load(suite).Descendants("test").Where(test => test.Element("expression")!.Attribute("invalid") is null && test.Attribute("inputfile")?.Value is { Length: > 0 }))
        {
            var text = test.Element("expression")!.Value;
            var type = Read(Path.Combine(inputs, Path.ChangeExtension(test.Attribute("inputfile")!.Value, ".json"))).Type!;
            if (FhirPathExpression.Compile(text, FhirDefinitions.R4).TryGetValue(out var compiled, out _))
            {
                Assert.True(compiled.Check(type) is { Count: 0 }, text);
            }
        }
    }

    private static string Name(XElement test) => $"{test.Parent!.Attribute("name")!.Value.Replace(' ', '_')}/{test.Attribute("name")!.Value}";

    private static string? Run(XElement test, string inputs)
    {
        var expression = test.Element("expression")!;
        var isInvalid = expression.Attribute("invalid")?.Value is { } invalid && invalid != "false";
        var definitions = FhirDefinitions.R4;
        if (!FhirPathExpression.Compile(expression.Value, definitions).TryGetValue(out var compiled, out var issues))
        {
            return isInvalid ? null : issues[0].Message;
        }

        var focus = test.Attribute("inputfile")?.Value is { Length: > 0 } file ? Read(Path.Combine(inputs, Path.ChangeExtension(file, ".json"))) : default;
        // Cases of the mode strict, and those that are wrong by their meaning, are about the check against types.
        var isChecked = test.Attribute("mode")?.Value == "strict" || expression.Attribute("invalid")?.Value == "semantic";
        if (isChecked && focus.Type is { } type && compiled.Check(type) is { Count: > 0 } findings)
        {
            return isInvalid ? null : findings[0].Message;
        }

        if (!compiled.TryEvaluate(focus, new FhirPathEnvironment { Resource = focus }).TryGetValue(out var items, out issues))
        {
            return isInvalid ? null : issues[0].Message;
        }

        var actual = items.Select(item => item.IsElement ? ("", item.AsText() ?? "") : (item.Kind.ToString(), item.AsText() ?? "")).ToList();
        if (isInvalid)
        {
            return $"no error, but [{string.Join(", ", actual)}]";
        }

        var expected = test.Elements("output").Select(output => (output.Attribute("type")?.Value, output.Value)).ToList();
        if (test.Attribute("predicate")?.Value == "true")
        {
            actual = [("Boolean", items.Count > 0 && items[0].AsBoolean() != false ? "true" : "false")];
        }

        var same = expected.Count == actual.Count && expected.Zip(actual).All(pair => Same(pair.First.Item1, pair.First.Item2, pair.Second));
        return same ? null : $"expected [{string.Join(", ", expected)}], got [{string.Join(", ", actual)}]";
    }

    private static bool Same(string? type, string expected, (string Kind, string Text) actual)
    {
        var isSystem = type is not null && actual.Kind.Length > 0;
        if (isSystem && !string.Equals(type, actual.Kind, StringComparison.OrdinalIgnoreCase) && !(type is "code" or "id" or "uri" && actual.Kind == "String"))
        {
            return false;
        }

        var isNumber = decimal.TryParse(expected, NumberStyles.Float, CultureInfo.InvariantCulture, out var left) & decimal.TryParse(actual.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var right);
        return isNumber && type is "decimal" or "integer" ? left == right : expected.TrimStart('@').TrimStart('T') == actual.Text;
    }

    private static FhirPathItem Read(string path) => FhirPathItem.Resource(JsonTree.Parse(File.ReadAllBytes(path)).Require(), FhirDefinitions.R4);
}
