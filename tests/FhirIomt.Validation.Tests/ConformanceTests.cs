using System.Collections.Concurrent;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Tests;

namespace FhirIomt.Validation.Tests;

/// <summary>Outside suites. What is refused here and should not be, or the other way round, stands in the lists beside this file.</summary>
public sealed class ConformanceTests
{
    [Fact]
    public void The_official_examples_are_accepted()
    {
        var refused = RefusedOf(SharedData.Require("conformance/r4-examples/examples-json-official.tar.gz"), expected: 716);
        Assert.Equal(KnownDifferences.Read("official-examples-refused.txt").Order(StringComparer.Ordinal), refused.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Synthetic_records_are_accepted() =>
        Assert.Empty(RefusedOf(SharedData.Require("conformance/synthea/synthea-20-subset.tar.gz"), expected: 22));

    [Fact]
    public void Invalid_mutants_are_refused()
    {
        var accepted = new List<string>();
        foreach (var line in Lines(SharedData.Require("conformance/mutants/invalid-mutants.ndjson.gz")))
        {
            using var mutant = JsonDocument.Parse(line);
            var bytes = Encoding.UTF8.GetBytes(mutant.RootElement.GetProperty("resource").GetRawText());
            if (FirstError(bytes) is null)
            {
                accepted.Add(mutant.RootElement.GetProperty("id").GetString()!);
            }
        }

        Assert.Equal(KnownDifferences.Read("mutants-accepted.txt"), accepted);
    }

    [Fact]
    public void A_wrong_place_is_named_where_the_mutant_was_changed()
    {
        var (named, all) = (0, 0);
        foreach (var line in Lines(SharedData.Require("conformance/mutants/invalid-mutants.ndjson.gz")))
        {
            using var mutant = JsonDocument.Parse(line);
            var tree = JsonTree.Parse(Encoding.UTF8.GetBytes(mutant.RootElement.GetProperty("resource").GetRawText())).Require();
            var issues = Validated.Validator.Validate(tree);
            var where = mutant.RootElement.GetProperty("where").GetString()!;
            named += issues.Any(issue => issue.Refuses && issue.Expression is { } expression && Covers(InJson(expression), where)) ? 1 : 0;
            all++;
        }

        // The rest: two forms of one choice and unknown types are reported at the other form or at resourceType.
        Assert.True(named >= all * 85 / 100, $"{named} of {all}");
    }

    // The mutants name places as JSON does: valueQuantity for value.ofType(Quantity).
    private static string InJson(string expression) =>
        Regex.Replace(expression, @"\.ofType\((\w)(\w*)\)", match => char.ToUpperInvariant(match.Groups[1].Value[0]) + match.Groups[2].Value, RegexOptions.None, TimeSpan.FromSeconds(1));

    private static bool Covers(string expression, string where) => (expression.StartsWith(where, StringComparison.Ordinal) || where.StartsWith(expression, StringComparison.Ordinal));

    private static ConcurrentDictionary<string, Issue> RefusedOf(string archive, int expected)
    {
        var documents = Documents(archive).ToArray();
        Assert.Equal(expected, documents.Length);
        var refused = new ConcurrentDictionary<string, Issue>(StringComparer.Ordinal);
        Parallel.ForEach(documents, document =>
        {
            if (FirstError(document.Bytes) is { } error)
            {
                refused.TryAdd(Path.GetFileName(document.Name), error);
            }
        });
        return refused;
    }

    private static Issue? FirstError(byte[] bytes)
    {
        var issues = JsonTree.Parse(bytes).TryGetValue(out var tree, out var refusals) ? Validated.Validator.Validate(tree) : refusals;
        return issues.FirstOrDefault(issue => issue.Refuses);
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Documents(string archive)
    {
        using var stream = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(stream);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not null)
            {
                using var content = entry.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(entry.DataStream, CompressionMode.Decompress) : entry.DataStream;
                using var copy = new MemoryStream();
                content.CopyTo(copy);
                yield return (entry.Name, copy.ToArray());
            }
        }
    }

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
