using System.IO.Compression;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Search;

/// <summary>What search expressions select in the official examples, against fhirpath.js. Known differences are listed with the reason.</summary>
public sealed class SearchOracleTests
{
    private static readonly FhirPathEnvironment Environment = new() { ResolvesToType = true };

    [Fact]
    public void Search_expressions_select_what_fhirpath_js_selects()
    {
        var examples = OfficialExamples.Read();
        var differences = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var (compared, agreed) = (0, 0);
        foreach (var line in ReadLines(SharedData.Require("conformance/search-oracle/sp-extraction-fhirpathjs.ndjson.gz")))
        {
            using var row = JsonDocument.Parse(line);
            var file = row.RootElement.GetProperty("file").GetString()!;
            var type = row.RootElement.GetProperty("resourceType").GetString()!;
            Assert.True(examples.ContainsKey(file), file);
            var focus = FhirPathItem.Resource(JsonTree.Parse(examples[file]).Require(), FhirDefinitions.R4);
            foreach (var parameter in FhirDefinitions.R4.SearchParameters(type))
            {
                // fhirpath.js resolved nothing when the oracle was made.
                if (parameter.Expression!.Contains("resolve()", StringComparison.Ordinal))
                {
                    continue;
                }

                compared++;
                var expected = row.RootElement.GetProperty("params").TryGetProperty(parameter.Code, out var values) ? values.EnumerateArray().Select(value => Canonical(value.GetProperty("value"))).Order(StringComparer.Ordinal).ToList() : [];
                var actual = Select(parameter.Expression, focus).Order(StringComparer.Ordinal).ToList();
                if (expected.SequenceEqual(actual))
                {
                    agreed++;
                    continue;
                }

                var key = $"{type}.{parameter.Code}";
                differences.TryAdd(key, []);
                differences[key].Add($"{file}: expected {Shorten(expected)}, got {Shorten(actual)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{agreed} of {compared} agree");
        var listed = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Search", "oracle-differences.txt"))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOf(' ', StringComparison.Ordinal)]).ToHashSet(StringComparer.Ordinal);
        var unexpected = differences.Where(pair => !listed.Contains(pair.Key)).Select(pair => $"{pair.Key} {pair.Value.Count}× {string.Join(" ## ", pair.Value.Take(3))}");
        var healed = listed.Where(name => !differences.ContainsKey(name)).Select(name => $"{name} agrees now: take it off the list");
        var text = string.Join('\n', unexpected.Concat(healed));
        Assert.True(text.Length == 0, text);
    }

    [Fact]
    public void A_parameter_that_is_ruled_out_by_its_members_selects_nothing()
    {
        var plans = new Dictionary<string, SearchPlan>(StringComparer.Ordinal);
        foreach (var (file, bytes) in OfficialExamples.Read())
        {
            var tree = JsonTree.Parse(bytes).Require();
            var type = tree.Root["resourceType"u8].AsString()!;
            plans.TryAdd(type, new SearchPlan(FhirDefinitions.R4.Type(type)!, FhirDefinitions.R4));
            var present = plans[type].Present(tree.Root);
            var focus = FhirPathItem.Resource(tree, FhirDefinitions.R4);
            foreach (var (parameter, path) in plans[type].Parameters.SelectMany(parameter => parameter.Paths.Select(path => (parameter, path))))
            {
                var items = path.Expression.Evaluate(focus, Environment);
                var selects = items.Any(item => parameter.Components.All(component => component.Expression.Evaluate(item, Environment).Count > 0));
                Assert.True(path.Needs.MayBeMet(present) || !selects, $"{file} {parameter.Parameter.Code}: {path.Expression}");
            }
        }
    }

    private static string Shorten(List<string> values)
    {
        var text = string.Join(" ; ", values);
        return text.Length < 150 ? text : text[..150];
    }

    private static IEnumerable<string> Select(string expression, FhirPathItem focus)
    {
        var items = FhirPathExpression.Compile(expression, FhirDefinitions.R4).Require().Evaluate(focus, Environment);
        return items.Where(item => !item.IsElement || item.Node.Exists).Select(item =>
        {
            using var document = JsonDocument.Parse(item.IsElement ? item.Node.ToString() : item.AsBoolean() is { } flag ? (flag ? "true" : "false") : JsonSerializer.Serialize(item.AsText()));
            return Canonical(document.RootElement);
        });
    }

    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(",", value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}:{Canonical(member.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(",", value.EnumerateArray().Select(Canonical)) + "]",
        // The oracle went through doubles.
        JsonValueKind.Number => value.GetDouble().ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    private static IEnumerable<string> ReadLines(string path)
    {
        using var stream = File.OpenRead(path);
        using var plain = new GZipStream(stream, CompressionMode.Decompress);
        using var reader = new StreamReader(plain);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
