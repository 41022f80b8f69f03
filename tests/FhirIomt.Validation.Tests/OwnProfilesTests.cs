using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Tests;

/// <summary>The profiles of profiles/iomt: the examples beside them, and the definitions themselves.</summary>
public sealed class OwnProfilesTests
{
    private const string Root = "https://fhiriomt.org/profiles/iomt/StructureDefinition/";

    private static readonly string[] Names =
        ["iomt-blood-pressure", "iomt-body-temperature", "iomt-body-weight", "iomt-cgm-reading", "iomt-device", "iomt-heart-rate", "iomt-oxygen-saturation"];

    public static TheoryData<string> Valid => Files("examples/valid");

    public static TheoryData<string> Invalid => Files("examples/invalid");

    public static TheoryData<string> Definitions => Files(".");

    [Theory]
    [MemberData(nameof(Valid))]
    public void A_valid_example_has_neither_errors_nor_warnings(string file) => Assert.Empty(Validated.Validator.Validate(Read("examples/valid/" + file)));

    [Theory]
    [MemberData(nameof(Invalid))]
    public void An_invalid_example_is_refused_by_its_profile_only(string file)
    {
        var tree = Read("examples/invalid/" + file);
        Assert.Contains(Validated.Validator.Validate(tree), issue => issue.Refuses);
        Assert.DoesNotContain(new ResourceValidator(ProfileCatalog.Core(FhirDefinitions.R4)).Validate(tree), issue => issue.Refuses);
    }

    [Theory]
    [MemberData(nameof(Definitions))]
    public void A_definition_is_itself_valid(string file) => Assert.DoesNotContain(Validated.Validator.Validate(Read(file)), issue => issue.Refuses);

    [Fact]
    public void Every_profile_is_known_is_fully_checked_and_has_examples()
    {
        Assert.Equal(Names.Select(name => Root + name), ProfileCatalog.BuiltIn(FhirDefinitions.R4).ProfileUrls.Order(StringComparer.Ordinal));
        foreach (var name in Names)
        {
            Assert.Empty(Validated.Validator.Plan(Root + name)!.Gaps);
            Assert.True(Valid.Count(file => file.Data.StartsWith(name + ".", StringComparison.Ordinal)) >= 2, name);
            Assert.True(Invalid.Count(file => file.Data.StartsWith(name + ".", StringComparison.Ordinal)) >= 3, name);
        }
    }

    [Fact]
    public void The_heart_rate_profile_compiles_to_these_rules()
    {
        var printed = new System.Text.StringBuilder();
        Validated.Validator.Plan(Root + "iomt-heart-rate")!.Root.Print(printed, 0);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "heart-rate-rules.txt")), printed.ToString());
    }

    [Fact]
    public void A_broken_rule_of_a_profile_is_told_in_its_words()
    {
        var issue = Assert.Single(Validated.Validator.Validate(Read("examples/invalid/iomt-heart-rate.day-without-time.json")));
        Assert.Equal("iomt-obs-1 does not hold: A device knows the time of its reading, not only the day.", issue.Message);
    }

    private static TheoryData<string> Files(string folder) => new(
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "iomt", folder), "*.json").Select(path => Path.GetFileName(path)!)
            .Where(name => name != "package.json").Order(StringComparer.Ordinal));

    private static JsonTree Read(string file) => JsonTree.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "iomt", file))).Require();
}
