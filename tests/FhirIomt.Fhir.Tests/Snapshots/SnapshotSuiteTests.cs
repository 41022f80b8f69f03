using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;
using FhirIomt.Fhir.Snapshots;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Snapshots;

/// <summary>
/// HL7's snapshot suite. Its expected snapshots were made over R4B; an element that our base has otherwise and the differential leaves alone is no difference.
/// </summary>
public sealed class SnapshotSuiteTests
{
    private const string Folder = "snapshot/r4b/";

    [Fact]
    public void Each_differential_gives_the_expected_snapshot()
    {
        var files = ReadArchive(SharedData.Require("conformance/snapshot/snapshot.tar.gz"));
        var core = ReadCore();
        var everything = Everything(core, files);
        var outcomes = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var test in XDocument.Parse(Encoding.UTF8.GetString(files["manifest.xml"])).Root!.Elements("test").Where(test => (string?)test.Attribute("gen") == "true"))
        {
            var id = (string)test.Attribute("id")!;
            if (Load(files, id + "-input") is { } input)
            {
                outcomes[id] = Difference(test, input, Load(files, id + "-expected"), With(core, files, test), everything);
            }
        }

        Assert.NotEmpty(outcomes);
        var listed = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Snapshots", "snapshot-suite-not-passed.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')[0]).ToHashSet(StringComparer.Ordinal);
        var surprises = outcomes.Where(outcome => outcome.Value is null == listed.Contains(outcome.Key)).Select(outcome => $"{outcome.Key}: {outcome.Value ?? "passes now"}");
        Assert.True(!surprises.Any(), string.Join('\n', surprises));
    }

    private static string? Difference(XElement test, JsonTree input, JsonTree? expected, DefinitionLibrary library, DefinitionLibrary everything)
    {
        var mustFail = (string?)test.Attribute("fail") == "true";
        var outcome = SnapshotGenerator.Generate(input, library);
        if (!outcome.Succeeded && !mustFail)
        {
            // Some cases build on others without naming them.
            outcome = SnapshotGenerator.Generate(input, everything);
        }

        if (!outcome.TryGetValue(out var made, out var issues))
        {
            return mustFail ? null : issues[0].Message;
        }

        return mustFail ? "gives a snapshot where none is expected"
            : expected is null ? "has no expected snapshot"
            : new SnapshotComparison(library).Difference(expected, made);
    }

    private static DefinitionLibrary ReadCore()
    {
        var trees = new List<JsonTree>();
        foreach (var name in (string[])["profiles-resources", "profiles-types", "profiles-others", "extension-definitions", "logical-models"])
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Require($"conformance/r4-definitions/{name}.ndjson.gz")), CompressionMode.Decompress));
            while (reader.ReadLine() is { Length: > 0 } line)
            {
                trees.Add(JsonTree.Parse(Encoding.UTF8.GetBytes(line)).Require());
            }
        }

        return DefinitionLibrary.Empty.With(trees);
    }

    private static DefinitionLibrary Everything(DefinitionLibrary core, Dictionary<string, byte[]> files)
    {
        using var stream = File.OpenRead(SharedData.Require("conformance/us-core/us_core_311.tgz"));
        return core.With(FhirPackage.Read(stream).Require()).With(files.Keys.Where(name => name.Contains("-input.", StringComparison.Ordinal)).Select(name => Load(files, Path.GetFileNameWithoutExtension(name))).OfType<JsonTree>());
    }

    private static DefinitionLibrary With(DefinitionLibrary core, Dictionary<string, byte[]> files, XElement test)
    {
        var named = $"{(string?)test.Attribute("register")},{(string?)test.Attribute("include")}".Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var inputs = files.Keys.Where(name => name.Contains("-input.", StringComparison.Ordinal)).Select(name => Load(files, Path.GetFileNameWithoutExtension(name)))
            .OfType<JsonTree>().Where(tree => tree.Root["url"u8].AsString() is { } url && url.StartsWith("urn:", StringComparison.Ordinal));
        return core.With([.. inputs, .. named.Select(name => Load(files, name) ?? Load(files, name + "-input")).OfType<JsonTree>()]);
    }

    private static JsonTree? Load(Dictionary<string, byte[]> files, string name)
    {
        if (files.TryGetValue(name + ".xml", out var xml))
        {
            return FhirXml.Read(xml, FhirDefinitions.R4).Tree;
        }

        return files.TryGetValue(name + ".json", out var json) && JsonTree.Parse(json.AsMemory(json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? 3 : 0)).TryGetValue(out var tree, out _) ? tree : null;
    }

    private static Dictionary<string, byte[]> ReadArchive(string path)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using var tar = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name.StartsWith(Folder, StringComparison.Ordinal) && entry.DataStream is { } data)
            {
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                files[entry.Name[Folder.Length..]] = bytes.ToArray();
            }
        }

        return files;
    }
}
