using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>The profiles of profiles/iomt: the examples beside them, and the definitions themselves.</summary>
public sealed class OwnProfilesTests
{
    public static TheoryData<string> Valid => [.. OwnProfiles.Valid];

    public static TheoryData<string, string> Invalid
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var example in OwnProfiles.Invalid)
            {
                data.Add(example.Profile, example.Name);
            }

            return data;
        }
    }

    public static TheoryData<string> Definitions => [.. OwnProfiles.Definitions];

    public static TheoryData<string> Names => [.. OwnProfiles.Names];

    [Theory]
    [MemberData(nameof(Valid))]
    public void A_valid_example_has_neither_errors_nor_warnings(string file)
    {
        var example = OwnProfiles.Example(file);
        Assert.Equal(OwnProfiles.Root + OwnProfiles.ProfileOf(file), example.Root["meta"u8]["profile"u8].First().AsString());
        Assert.Empty(Validated.Validator.Validate(example));
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public void An_invalid_example_is_refused_for_what_is_wrong_in_it_and_by_the_profile_only(string profile, string name)
    {
        var example = Assert.Single(OwnProfiles.Invalid, known => known.Profile == profile && known.Name == name);
        var tree = example.Make();
        var errors = Validated.Validator.Validate(tree).Where(issue => issue.Refuses).ToArray();
        Assert.NotEmpty(example.Expect);
        Assert.All(example.Expect, expected => Assert.Contains(errors, issue => InvalidExample.IsSame(expected, issue)));
        Assert.All(errors, issue => Assert.Contains(example.Expect, expected => InvalidExample.IsSame(expected, issue)));
        Assert.DoesNotContain(new ResourceValidator(ProfileCatalog.Core(FhirDefinitions.R4)).Validate(tree), issue => issue.Refuses);
    }

    [Theory]
    [MemberData(nameof(Definitions))]
    public void A_definition_is_itself_valid(string file) => Assert.DoesNotContain(Validated.Validator.Validate(OwnProfiles.Read(file)), issue => issue.Refuses);

    [Theory]
    [MemberData(nameof(Definitions))]
    public void A_definition_is_found_by_the_name_of_its_file(string file)
    {
        var root = OwnProfiles.Read(file).Root;
        var (type, id) = (root["resourceType"u8].AsString()!, root["id"u8].AsString()!);
        Assert.Equal($"{type}-{id}.json", file);
        Assert.Equal($"{OwnProfiles.Canonical}{type}/{id}", root["url"u8].AsString());
        Assert.Equal(EmbeddedProfiles.Version, root["version"u8].AsString());
        Assert.Equal(EmbeddedProfiles.Version, OwnProfiles.Read("package.json").Root["version"u8].AsString());
        Assert.NotNull(ProfileCatalog.BuiltIn(FhirDefinitions.R4).Library.Find(type, new Canonical(root["url"u8].AsString()!, EmbeddedProfiles.Version)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_profile_is_fully_checked_and_says_why_it_is(string name)
    {
        Assert.Empty(Validated.Validator.Plan(OwnProfiles.Root + name)!.Gaps);
        var constraints = ProfileCatalog.BuiltIn(FhirDefinitions.R4).Profile(OwnProfiles.Root + name)!.Elements.SelectMany(element => element.Constraints);
        Assert.All(constraints, constraint => Assert.True(Invariant.Compile(constraint, FhirDefinitions.R4).IsCompiled, constraint.Key));
        Assert.NotNull(OwnProfiles.Read($"StructureDefinition-{name}.json").Root["purpose"u8].AsString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_profile_has_at_least_two_valid_and_three_invalid_examples(string name)
    {
        Assert.InRange(OwnProfiles.Valid.Count(file => OwnProfiles.ProfileOf(file) == name), 2, int.MaxValue);
        Assert.InRange(OwnProfiles.Invalid.Count(example => example.Profile == name), 3, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_own_rule_of_a_profile_is_broken_by_an_example(string name)
    {
        var keys = OwnProfiles.Rules(name).Where(rule => rule.Severity == "error").Select(rule => rule.Key);
        var broken = OwnProfiles.Invalid.Where(example => example.Profile == name).SelectMany(example => example.Expect).ToArray();
        Assert.All(keys, key => Assert.Contains(broken, expected => expected.EndsWith(" " + key, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_rule_has_the_same_words_and_expression_wherever_it_stands() =>
        Assert.All(OwnProfiles.Names.SelectMany(OwnProfiles.Rules).GroupBy(rule => rule.Key), same => Assert.Single(same.Distinct()));

    [Fact]
    public void The_heart_rate_profile_compiles_to_these_rules()
    {
        var printed = new StringBuilder();
        Validated.Validator.Plan(OwnProfiles.Root + "iomt-heart-rate")!.Root.Print(printed, 0);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "heart-rate-rules.txt")), printed.ToString());
    }

    [Fact]
    public void A_broken_rule_of_a_profile_is_told_in_its_words()
    {
        var example = Assert.Single(OwnProfiles.Invalid, known => known is { Profile: "iomt-heart-rate", Name: "a day without time" });
        var issue = Assert.Single(Validated.Validator.Validate(example.Make()));
        Assert.Equal("iomt-obs-1 does not hold: A device knows the time of its reading, not only the day.", issue.Message);
    }
}
