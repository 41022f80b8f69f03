using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;
using FhirIomt.Tests;

namespace FhirIomt.Validation.Tests;

/// <summary>US Core's own examples against its own profiles, version by version, with HL7's terminology and extensions loaded.</summary>
public sealed class UsCoreTests
{
    [Theory]
    [InlineData("us_core_311.tgz")]
    [InlineData("us_core_400.tgz")]
    [InlineData("us_core_501.tgz")]
    [InlineData("us_core_610.tgz")]
    [InlineData("us_core_700.tgz")]
    [InlineData("us_core_800.tgz")]
    public void The_examples_meet_the_profiles_they_claim(string file)
    {
        var path = SharedData.Require("conformance/us-core/" + file);
        var catalog = With(ProfileCatalog.BuiltIn(FhirDefinitions.R4), path);
        foreach (var package in Directory.GetFiles(SharedData.Require("conformance/packages"), "*.tgz"))
        {
            catalog = With(catalog, package);
        }

        var validator = new ResourceValidator(catalog);
        var outcomes = Examples(path).ToDictionary(
            example => $"{file}:{example.Name}",
            example => validator.Validate(example.Resource).FirstOrDefault(issue => issue.Refuses)?.ToString(),
            StringComparer.Ordinal);
        Assert.NotEmpty(outcomes);
        KnownCases.AssertSame("us-core-examples-refused.txt", outcomes, only: file + ":");
    }

    private static ProfileCatalog With(ProfileCatalog catalog, string package)
    {
        using var stream = File.OpenRead(package);
        return catalog.With(FhirPackage.Read(stream).Require());
    }

    private static IEnumerable<(string Name, JsonTree Resource)> Examples(string package)
    {
        using var plain = new GZipStream(File.OpenRead(package), CompressionMode.Decompress);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name.StartsWith("package/example/", StringComparison.Ordinal) && entry.Name.EndsWith(".json", StringComparison.Ordinal) && entry.DataStream is { } data && !entry.Name.EndsWith(".index.json", StringComparison.Ordinal))
            {
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                var text = bytes.ToArray();
                yield return (Path.GetFileName(entry.Name), JsonTree.Parse(text.AsMemory(text.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? 3 : 0)).Require());
            }
        }
    }
}
