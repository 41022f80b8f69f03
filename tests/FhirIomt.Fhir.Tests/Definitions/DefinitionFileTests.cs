using System.IO.Compression;
using System.Text.Json;
using FhirIomt.Definitions.Compiler;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Definitions;

public sealed class DefinitionFileTests
{
    [Fact]
    public void Compiling_the_official_package_again_gives_the_committed_tables()
    {
        var source = PackageSource.Read(SharedData.Require("conformance/r4-definitions"));
        var books = DefinitionCompiler.CompileBooks(source);
        var committed = DefinitionFile.Embedded();
        foreach (var part in Enum.GetValues<DefinitionFile.Part>())
        {
            Assert.True(committed.Unpack(part).AsSpan().SequenceEqual(books[(int)part]), $"{part}: run tools/FhirIomt.Definitions.Compiler again and commit the result");
        }
    }

    [Fact]
    public void Loading_twice_gives_the_same_tables()
    {
        var (one, other) = (new FhirDefinitions(DefinitionFile.Embedded()), new FhirDefinitions(DefinitionFile.Embedded()));
        foreach (var (left, right) in one.Types.Zip(other.Types))
        {
            Assert.NotSame(left, right);
            Assert.Equal(left.Name, right.Name);
            Assert.Equal(left.Members.Select(member => (member.JsonName, member.Type.Name)), right.Members.Select(member => (member.JsonName, member.Type.Name)));
        }
    }

    [Fact]
    public async Task Many_threads_may_load_at_once()
    {
        var definitions = new FhirDefinitions(DefinitionFile.Embedded());
        await Parallel.ForAsync(0, 32, (_, _) =>
        {
            Assert.Equal(11, definitions.Type("Observation")!.Element("value")!.Members.Count);
            Assert.NotNull(definitions.SearchParameter("Observation", "code"));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void A_damaged_file_is_refused() => Assert.Throws<InvalidDataException>(() => new DefinitionFile("something else"u8.ToArray()));

    // The official expansions leave deprecated codes out; by the definition they are still members.
    private static readonly HashSet<string> WithDeprecatedCodes = new(StringComparer.Ordinal)
    {
        "http://hl7.org/fhir/ValueSet/observation-interpretation",
        "http://hl7.org/fhir/ValueSet/patient-contactrelationship",
        "http://hl7.org/fhir/ValueSet/security-labels",
        "http://terminology.hl7.org/ValueSet/v2-0916",
    };

    [Fact]
    public void Value_sets_agree_with_the_official_expansions()
    {
        var differing = new List<string>();
        foreach (var (url, expected) in ReadExpansions(SharedData.Require("conformance/r4-definitions/pkg/hl7.fhir.r4.expansions-4.0.1.tgz")))
        {
            if (FhirDefinitions.R4.ValueSet(url) is { } set)
            {
                var actual = set.Systems.SelectMany(system => set.Codes(system).Select(code => (system, code))).ToHashSet();
                if (WithDeprecatedCodes.Contains(url) ? !actual.IsProperSupersetOf(expected) : !actual.SetEquals(expected))
                {
                    differing.Add($"{url}: ours {actual.Count}, official {expected.Count}: {string.Join(',', actual.Except(expected).Concat(expected.Except(actual)).Take(5))}");
                }
            }
        }

        Assert.True(differing.Count == 0, string.Join("\n", differing));
    }

    [Fact]
    public void A_profile_without_snapshot_is_refused()
    {
        var profile = JsonTree.Parse("""{"resourceType":"StructureDefinition","url":"http://example.org/p","type":"Patient"}"""u8.ToArray()).Require();
        Assert.False(StructureProfile.FromResource(profile).TryGetValue(out _, out var issues));
        Assert.Equal("IOMT-0201", Assert.Single(issues).Code);
    }

    private static IEnumerable<(string Url, HashSet<(string System, string Code)> Codes)> ReadExpansions(string path)
    {
        using var stream = File.OpenRead(path);
        using var plain = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new System.Formats.Tar.TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not { } data || !entry.Name.Contains("ValueSet", StringComparison.Ordinal))
            {
                continue;
            }

            using var document = JsonDocument.Parse(data);
            var codes = new HashSet<(string, string)>();
            if (document.RootElement.TryGetProperty("expansion", out var expansion))
            {
                Collect(expansion, codes);
            }

            yield return (document.RootElement.GetProperty("url").GetString()!, codes);
        }
    }

    private static void Collect(JsonElement parent, HashSet<(string, string)> codes)
    {
        if (!parent.TryGetProperty("contains", out var contains))
        {
            return;
        }

        foreach (var concept in contains.EnumerateArray())
        {
            if (concept.TryGetProperty("code", out var code) && !(concept.TryGetProperty("abstract", out var isAbstract) && isAbstract.GetBoolean()))
            {
                codes.Add((concept.GetProperty("system").GetString()!, code.GetString()!));
            }

            Collect(concept, codes);
        }
    }
}
