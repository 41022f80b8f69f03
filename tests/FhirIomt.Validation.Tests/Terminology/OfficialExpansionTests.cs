using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Tests;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>HL7's own expansions of R4's value sets against ours: codes, displays, abstract and inactive flags.</summary>
public sealed class OfficialExpansionTests
{
    private static readonly TerminologyLimits Wide = TerminologyLimits.Default with { MaxExpansion = 100_000 };

    [Fact]
    public void Official_expansions_come_out_the_same()
    {
        var archive = SharedData.Require("conformance/r4-definitions/pkg/hl7.fhir.r4.expansions-4.0.1.tgz");
        var definitions = DefinitionLibrary.Empty.With(new[] { "core", "v2", "v3" }.SelectMany(part => Lines(SharedData.Require($"conformance/r4-definitions/terminology-{part}.ndjson.gz"))));
        var operations = new TerminologyOperations(new TerminologyService(definitions, Wide), TimeProvider.System, IdSource.Random);
        var outcomes = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var expected in Expansions(archive))
        {
            // The archive has each expansion twice, under two names.
            var url = (string)expected["url"]!;
            outcomes[url] = outcomes.GetValueOrDefault(url) ?? Difference(expected, operations);
        }

        Assert.NotEmpty(outcomes);
        KnownCases.AssertSame("Terminology/official-expansions-different.txt", outcomes);
    }

    private static string? Difference(JsonObject expected, TerminologyOperations operations)
    {
        // Without abstract concepts: HL7's run was flat (its parameter excludeNested), and in a flat list it left them out. It also left out concepts
        // with a deprecation date or the status deprecated; they are still members (concept-properties#deprecationDate), so only the comparison passes over them.
        var request = new JsonObject
        {
            ["resourceType"] = "Parameters",
            ["parameter"] = new JsonArray(
                new JsonObject { ["name"] = "url", ["valueUri"] = (string)expected["url"]! },
                new JsonObject { ["name"] = "excludeNested", ["valueBoolean"] = true },
                new JsonObject { ["name"] = "excludeNotForUI", ["valueBoolean"] = true },
                new JsonObject { ["name"] = "property", ["valueString"] = "deprecationDate" }),
        };
        var answer = operations.Run(TerminologyOperation.Expand, Tree(Encoding.UTF8.GetBytes(request.ToJsonString())));
        if (!answer.Succeeded)
        {
            return "refused: " + answer.Refusals[0].Message;
        }

        var wanted = Concepts(expected["expansion"]);
        var given = Concepts(JsonNode.Parse(answer.Json.Span)!["expansion"]);
        var missing = wanted.Keys.Where(key => !given.ContainsKey(key)).ToList();
        var surplus = given.Where(entry => !wanted.ContainsKey(entry.Key) && !entry.Value.Deprecated).Select(entry => entry.Key).ToList();
        if (missing.Count + surplus.Count > 0)
        {
            return $"{missing.Count} missing ({string.Join(' ', missing.Take(3))}), {surplus.Count} surplus ({string.Join(' ', surplus.Take(3))})";
        }

        var different = wanted.Where(entry => !Same(entry.Value, given[entry.Key])).Select(entry => $"{entry.Key}: {given[entry.Key]} instead of {entry.Value}").ToList();
        return different.Count == 0 ? null : $"{different.Count} different: {string.Join("; ", different.Take(2))}";
    }

    // HL7's run flags no concept as inactive, not even retired ones: only a flag that it gives can be compared.
    private static bool Same(Entry expected, Entry given) =>
        (expected.Display is null || expected.Display == given.Display) && expected.Abstract == given.Abstract && (!expected.Inactive || given.Inactive);

    private static Dictionary<string, Entry> Concepts(JsonNode? parent)
    {
        var concepts = new Dictionary<string, Entry>(StringComparer.Ordinal);
        Add(concepts, parent);
        return concepts;
    }

    private static void Add(Dictionary<string, Entry> concepts, JsonNode? parent)
    {
        foreach (var concept in parent?["contains"]?.AsArray() ?? [])
        {
            concepts[$"{concept!["system"]}|{concept["code"]}"] = new Entry(((string?)concept["display"])?.Trim(), (bool?)concept["abstract"] ?? false, (bool?)concept["inactive"] ?? false, IsDeprecated(concept));
            Add(concepts, concept);
        }
    }

    private static IEnumerable<JsonObject> Expansions(string archive)
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not null && entry.Name.Contains("/ValueSet-", StringComparison.Ordinal) && JsonNode.Parse(entry.DataStream) is JsonObject resource
                && (string?)resource["resourceType"] == "ValueSet" && resource["expansion"] is not null)
            {
                yield return resource;
            }
        }
    }

    private static IEnumerable<JsonTree> Lines(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            yield return Tree(Encoding.UTF8.GetBytes(line));
        }
    }

    private static JsonTree Tree(byte[] utf8) => JsonTree.Parse(utf8).Require();

    private static bool IsDeprecated(JsonNode concept)
    {
        var extensions = concept["extension"]?.ToJsonString() ?? "";
        return extensions.Contains("\"valueCode\":\"deprecationDate\"", StringComparison.Ordinal) || extensions.Contains("\"valueCode\":\"deprecated\"", StringComparison.Ordinal);
    }

    private sealed record Entry(string? Display, bool Abstract, bool Inactive, bool Deprecated);
}
