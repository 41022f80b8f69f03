using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Packages;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Packages;

public sealed class PackageTests
{
    private const string Url = "http://example.org/ValueSet/colours";

    [Fact]
    public void A_package_gives_its_name_its_dependencies_and_its_definitions()
    {
        var package = FhirPackage.Read(Tgz("a", "1.0.0", """ "b": "2.x" """, ("ValueSet-colours.json", ValueSet("1")))).Require();

        Assert.Equal(new PackageId("a", "1.0.0"), package.Id);
        Assert.Equal([new PackageId("b", "2.x")], package.Dependencies);
        var definition = Assert.Single(package.Definitions);
        Assert.Equal(("ValueSet", Url, "1", package.Id), (definition.ResourceType, definition.Url, definition.Version!, definition.Package!.Value));
        Assert.Equal("1", definition.Tree.Root["version"u8].AsString());
    }

    [Fact]
    public void A_reference_without_version_means_the_one_of_the_referrers_package()
    {
        var old = FhirPackage.Read(Tgz("a", "1.0.0", "", ("ValueSet-colours.json", ValueSet("1")))).Require();
        var next = FhirPackage.Read(Tgz("a", "2.0.0", "", ("ValueSet-colours.json", ValueSet("2")))).Require();
        var user = FhirPackage.Read(Tgz("u", "1.0.0", """ "a": "1.0.0" """, ("ValueSet-other.json", ValueSet("1").Replace("colours", "other", StringComparison.Ordinal)))).Require();
        var library = DefinitionLibrary.Empty.With(next).With(old).With(user);

        Assert.Equal("2", library.Find("ValueSet", Canonical.Parse(Url))!.Version);
        Assert.Equal("1", library.Find("ValueSet", Canonical.Parse(Url + "|1"))!.Version);
        Assert.Null(library.Find("ValueSet", Canonical.Parse(Url + "|3")));
        Assert.Equal("1", library.Find("ValueSet", Canonical.Parse(Url), user.Definitions[0])!.Version);
        Assert.Equal("1", library.Find("ValueSet", Canonical.Parse(Url), old.Definitions[0])!.Version);
    }

    [Theory]
    [InlineData("not a package")]
    [InlineData("")]
    public void Other_bytes_are_refused(string text)
    {
        Assert.False(FhirPackage.Read(new MemoryStream(Encoding.UTF8.GetBytes(text))).TryGetValue(out _, out var issues));
        Assert.Equal("IOMT-0203", Assert.Single(issues).Code);
    }

    [Fact]
    public void A_package_beyond_its_limits_is_refused()
    {
        var limits = PackageLimits.Default with { MaxBytes = 100 };
        Assert.False(FhirPackage.Read(Tgz("a", "1.0.0", "", ("ValueSet-colours.json", ValueSet("1"))), limits).TryGetValue(out _, out var issues));
        Assert.Equal("IOMT-0204", Assert.Single(issues).Code);
    }

    [Theory]
    [InlineData("1.0.0", "1.0.1", -1)]
    [InlineData("1.9.0", "1.10.0", -1)]
    [InlineData("1.0.0-ballot", "1.0.0", -1)]
    [InlineData("2.0", "2.0.0", 0)]
    [InlineData("20190731", "20210101", -1)]
    [InlineData("2019-07-31", "2019-08-01", -1)]
    [InlineData(null, "0.1", -1)]
    public void Versions_are_ordered_by_their_numbers(string? one, string? other, int expected)
    {
        Assert.Equal(expected, Math.Sign(DefinitionVersion.Order.Compare(one, other)));
        Assert.Equal(-expected, Math.Sign(DefinitionVersion.Order.Compare(other, one)));
    }

    [Fact]
    public void All_of_R4_can_be_read_and_holds_no_prose()
    {
        var count = 0;
        foreach (var type in (string[])["StructureDefinition", "SearchParameter", "CompartmentDefinition", "CodeSystem", "ValueSet", "ConceptMap", "OperationDefinition", "CapabilityStatement", "NamingSystem", "StructureMap"])
        {
            foreach (var definition in DefinitionLibrary.R4.All(type))
            {
                count++;
                Assert.Equal(type, definition.Tree.Root["resourceType"u8].AsString());
                Assert.False(definition.Tree.Root["description"u8].Exists || definition.Tree.Root["text"u8].Exists, definition.ToString());
            }
        }

        Assert.Equal(4581, count);
    }

    [Theory]
    [InlineData("us_core_311.tgz", "3.1.1")]
    [InlineData("us_core_400.tgz", "4.0.0")]
    [InlineData("us_core_501.tgz", "5.0.1")]
    [InlineData("us_core_610.tgz", "6.1.0")]
    [InlineData("us_core_700.tgz", "7.0.0")]
    [InlineData("us_core_800.tgz", "8.0.0")]
    public void US_Core_is_read(string file, string version)
    {
        using var stream = File.OpenRead(SharedData.Require("conformance/us-core/" + file));
        var library = DefinitionLibrary.R4.With(FhirPackage.Read(stream).Require());
        var patient = library.Find("StructureDefinition", Canonical.Parse("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"))!;

        Assert.Equal(version, patient.Version);
        Assert.NotNull(library.Find("StructureDefinition", Canonical.Parse(patient.Tree.Root["baseDefinition"u8].AsString()!), patient));
    }

    private static string ValueSet(string version) => $$"""{"resourceType":"ValueSet","url":"{{Url}}","version":"{{version}}","status":"active"}""";

    private static MemoryStream Tgz(string name, string version, string dependencies, params (string Name, string Text)[] files)
    {
        var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionMode.Compress, leaveOpen: true))
        using (var tar = new TarWriter(zip))
        {
            foreach (var (file, text) in files.Append(("package.json", $$"""{"name":"{{name}}","version":"{{version}}","dependencies":{ {{dependencies}} } }""")))
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "package/" + file) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
            }
        }

        bytes.Position = 0;
        return bytes;
    }
}
