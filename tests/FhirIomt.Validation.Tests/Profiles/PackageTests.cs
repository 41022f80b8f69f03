using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Packages;
using FhirIomt.Profiles.Packer;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>profiles/iomt as a FHIR package, as tools/pack-profiles makes it.</summary>
public sealed class PackageTests
{
    private static readonly byte[] Packed = Pack();

    [Fact]
    public void The_package_names_itself_and_what_it_builds_on()
    {
        var package = Open();
        Assert.Equal(new PackageId("fhiriomt.iomt", EmbeddedProfiles.Version), package.Id);
        Assert.Equal([new PackageId("hl7.fhir.r4.core", "4.0.1")], package.Dependencies);
    }

    [Fact]
    public void The_package_holds_every_definition_with_its_snapshot()
    {
        var definitions = Open().Definitions;
        Assert.Equal(
            OwnProfiles.Definitions.Select(file => OwnProfiles.Read(file).Root["url"u8].AsString()!).Order(StringComparer.Ordinal),
            definitions.Select(definition => definition.Url).Order(StringComparer.Ordinal));
        Assert.All(definitions.Where(definition => definition.ResourceType == "StructureDefinition"), definition => Assert.True(definition.Tree.Root["snapshot"u8]["element"u8].Count > 0, definition.Url));
    }

    [Fact]
    public void The_package_checks_as_the_embedded_profiles_do()
    {
        var validator = new ResourceValidator(ProfileCatalog.Core(FhirDefinitions.R4).With(Open()));
        Assert.All(OwnProfiles.Valid, file => Assert.Empty(validator.Validate(OwnProfiles.Example(file))));
        Assert.All(OwnProfiles.Invalid, example => Assert.Equal(Findings(Validated.Validator, example), Findings(validator, example)));

        static string[] Findings(ResourceValidator validator, InvalidExample example) => [.. validator.Validate(example.Make()).Select(issue => issue.ToString())];
    }

    [Fact]
    public void Packed_again_it_has_the_same_bytes() => Assert.Equal(Packed, Pack());

    [Fact]
    public void Its_index_lists_every_definition_by_file_and_canonical_url()
    {
        using var index = JsonDocument.Parse(Entry("package/.index.json"));
        Assert.Equal(OwnProfiles.Definitions, index.RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("filename").GetString()!));
        Assert.All(index.RootElement.GetProperty("files").EnumerateArray(), file => Assert.EndsWith($"/{file.GetProperty("resourceType").GetString()}/{file.GetProperty("id").GetString()}", file.GetProperty("url").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_definition_that_is_no_json_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "ValueSet-x.json"), "{");
            Assert.False(ProfilePackage.Read(folder.FullName).TryGetValue(out _, out var issues));
            Assert.NotEmpty(issues);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static byte[] Pack()
    {
        using var output = new MemoryStream();
        ProfilePackage.Read(OwnProfiles.Folder).Require().Write(output);
        return output.ToArray();
    }

    private static FhirPackage Open() => FhirPackage.Read(new MemoryStream(Packed)).Require();

    private static byte[] Entry(string name)
    {
        using var plain = new System.IO.Compression.GZipStream(new MemoryStream(Packed), System.IO.Compression.CompressionMode.Decompress);
        using var tar = new System.Formats.Tar.TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name == name)
            {
                using var content = new MemoryStream();
                entry.DataStream!.CopyTo(content);
                return content.ToArray();
            }
        }

        return [];
    }
}
