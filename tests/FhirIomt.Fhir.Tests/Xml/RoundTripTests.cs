using System.IO.Compression;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Fhir.Tests.Xml;

/// <summary>Other people's resources go to XML and come back the same.</summary>
public sealed class RoundTripTests
{
    [Fact]
    public void Official_examples_lose_nothing() => Check("Xml/examples-not-round.txt", OfficialExamples.Read().Select(pair => (pair.Key, pair.Value)));

    [Fact]
    public void Synthea_records_lose_nothing() =>
        Check("Xml/synthea-not-round.txt", SharedFiles.Read("conformance/synthea/synthea-20-subset.tar.gz").Where(file => file.Name.EndsWith(".json.gz", StringComparison.Ordinal)).Select(file => (file.Name, Plain(file.Bytes))));

    [Theory]
    [InlineData("us_core_311")]
    [InlineData("us_core_610")]
    [InlineData("us_core_800")]
    public void Us_core_loses_nothing(string package) =>
        Check("Xml/us-core-not-round.txt", SharedFiles.Read($"conformance/us-core/{package}.tgz").Where(file => file.Name.EndsWith(".json", StringComparison.Ordinal)).Select(file => ($"{package}/{file.Name}", file.Bytes)));

    private static void Check(string list, IEnumerable<(string Name, byte[] Json)> resources)
    {
        var run = new List<string>();
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, json) in resources)
        {
            // Some published packages have files with a byte-order mark.
            var tree = JsonTree.Parse(json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsMemory(3) : json).Require();
            if (!tree.Root["resourceType"u8].Exists)
            {
                continue;
            }

            run.Add(name);
            if (Compare(tree) is { } difference)
            {
                failed[name] = difference;
            }
        }

        FhirIomt.Tests.CaseList.MustMatch(list, run, failed);
    }

    private static string? Compare(JsonTree tree)
    {
        var minified = JsonTree.Parse(JsonTextWriter.Minified(tree.Root)).Require();
        if (Difference.Of(tree.Root, minified.Root) is { } changed)
        {
            return "JSON: " + changed;
        }

        return FhirXmlWriter.Write(tree.Root, FhirDefinitions.R4).TryGetValue(out var xml, out var issues)
            ? Difference.Of(tree.Root, FhirXml.Parse(xml, FhirDefinitions.R4).Require().Root)
            : $"{issues[0].Code} {issues[0].Expression} {issues[0].Message}";
    }

    private static byte[] Plain(byte[] zipped)
    {
        using var plain = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        plain.CopyTo(bytes);
        return bytes.ToArray();
    }
}
