using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.Operations;
using FhirIomt.Validation.Tests.Terminology;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>Value sets, concept maps and search parameters of profiles/iomt.</summary>
public sealed class CodeTests
{
    private const string Mdc = "urn:iso:std:iso:11073:10101";
    private const string Loinc = "http://loinc.org";

    // Chest leads V2 to V5 stand between V1 and V6; the status bits of a device have no name in our table.
    private static readonly string[] NotInTheTable = ["131332", "131333", "131334", "131335", "8408608"];

    public static TheoryData<string> ValueSets => [.. OwnProfiles.Definitions.Where(file => file.StartsWith("ValueSet-", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(ValueSets))]
    public void Every_code_of_a_value_set_is_in_it_and_others_are_not(string file)
    {
        using var document = Json(file);
        var url = document.RootElement.GetProperty("url").GetString()!;
        var terminology = Validated.Validator.Terminology;
        foreach (var include in document.RootElement.GetProperty("compose").GetProperty("include").EnumerateArray())
        {
            var system = include.GetProperty("system").GetString()!;
            Assert.All(Concepts(include), code => Assert.True(terminology.IsMember(url, system, code), code));
            Assert.False(terminology.IsMember(url, system, "no-such-code"));
        }
    }

    [Fact]
    public void Every_value_set_is_used_by_a_profile()
    {
        var profiles = string.Concat(OwnProfiles.Definitions.Where(file => file.StartsWith("StructureDefinition-", StringComparison.Ordinal)).Select(file => File.ReadAllText(Path.Combine(OwnProfiles.Folder, file))));
        Assert.All(OwnProfiles.Definitions.Where(file => file.StartsWith("ValueSet-", StringComparison.Ordinal)), file => Assert.Contains($"/ValueSet/{file["ValueSet-".Length..^5]}\"", profiles, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_device_code_is_one_of_our_table()
    {
        var codes = OwnProfiles.Definitions.Where(file => file.StartsWith("ValueSet-", StringComparison.Ordinal)).SelectMany(DeviceCodesOf).Concat(Pairs("iomt-mdc-to-loinc").Select(pair => pair.Source)).Distinct();
        Assert.Equal(NotInTheTable, codes.Where(code => MdcCodes.ReferenceId(code) is null).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_two_maps_say_the_same_in_both_directions()
    {
        var there = Pairs("iomt-mdc-to-loinc").Select(pair => (pair.Source, pair.Target, pair.Equivalence));
        var back = Pairs("iomt-loinc-to-mdc").Select(pair => (pair.Target, pair.Source, Turned(pair.Equivalence)));
        Assert.Equal(there.Order(), back.Order());

        static string Turned(string equivalence) => equivalence switch
        {
            "wider" => "narrower",
            "narrower" => "wider",
            _ => equivalence,
        };
    }

    [Theory]
    [InlineData(Mdc, "150456", Loinc, "2708-6 59408-5")]
    [InlineData(Mdc, "160212", Loinc, "105272-9 99504-3")]
    [InlineData(Loinc, "8867-4", Mdc, "147842 149530 149546 8454258")]
    [InlineData(Loinc, "29463-7", Mdc, "188736")]
    public void A_code_is_translated(string system, string code, string target, string expected)
    {
        var (_, answer) = Given.Run(Validated.Validator.Terminology, TerminologyOperation.Translate, ("system", "valueUri", system), ("code", "valueCode", code), ("targetsystem", "valueUri", target));
        var found = answer["parameter"]!.AsArray().Where(parameter => (string)parameter!["name"]! == "match")
            .SelectMany(match => match!["part"]!.AsArray()).Where(part => (string)part!["name"]! == "concept").Select(part => (string)part!["valueCoding"]!["code"]!);
        Assert.Equal(expected, string.Join(' ', found.Distinct().Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("iomt-device-use-period", "iomt-device-use.given-back.json", 1)]
    [InlineData("iomt-device-use-status", "iomt-device-use.given-back.json", 1)]
    [InlineData("iomt-flag-status", "iomt-alert-flag.open.json", 1)]
    [InlineData("iomt-flag-category", "iomt-alert-flag.open.json", 1)]
    [InlineData("iomt-detected-issue-status", "iomt-alert-issue.hypoglycaemia.json", 1)]
    [InlineData("iomt-communication-about", "iomt-alert-communication.page.json", 1)]
    [InlineData("iomt-observation-gateway", "iomt-heart-rate.from-a-gateway-with-a-wrong-clock.json", 1)]
    [InlineData("iomt-observation-gateway", "iomt-heart-rate.typical.json", 0)]
    public void A_search_parameter_finds_its_values(string parameter, string example, int count)
    {
        var definition = OwnProfiles.Read($"SearchParameter-{parameter}.json").Root;
        var resource = OwnProfiles.Example(example).Root;
        var type = FhirDefinitions.R4.Type(resource["resourceType"u8].AsString()!)!;
        Assert.Equal(type.Name, definition["base"u8].First().AsString());
        var expression = FhirPathExpression.Compile(definition["expression"u8].AsString()!, FhirDefinitions.R4).Require();
        Assert.Empty(expression.Check(type));
        var values = expression.Evaluate(FhirPathItem.Element(resource, default, type), new ResourceScope(FhirDefinitions.R4, resource, container: null).Environment);
        Assert.Equal(count, values.Count);
    }

    [Fact]
    public void No_search_parameter_takes_the_name_of_one_of_r4()
    {
        foreach (var root in OwnProfiles.Definitions.Where(file => file.StartsWith("SearchParameter-", StringComparison.Ordinal)).Select(file => OwnProfiles.Read(file).Root))
        {
            var code = root["code"u8].AsString();
            Assert.DoesNotContain(FhirDefinitions.R4.SearchParameters(root["base"u8].First().AsString()!), known => known.Code == code);
        }
    }

    private static JsonDocument Json(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(OwnProfiles.Folder, file)));

    private static IEnumerable<string> Concepts(JsonElement include) =>
        include.TryGetProperty("concept", out var concepts) ? concepts.EnumerateArray().Select(concept => concept.GetProperty("code").GetString()!) : [];

    private static string[] DeviceCodesOf(string file)
    {
        using var document = Json(file);
        return [.. document.RootElement.GetProperty("compose").GetProperty("include").EnumerateArray().Where(include => include.GetProperty("system").GetString() == Mdc).SelectMany(Concepts)];
    }

    private static (string Source, string Target, string Equivalence)[] Pairs(string map)
    {
        using var document = Json($"ConceptMap-{map}.json");
        return [.. document.RootElement.GetProperty("group").EnumerateArray().SelectMany(group => group.GetProperty("element").EnumerateArray())
            .SelectMany(element => element.GetProperty("target").EnumerateArray().Select(target => (element.GetProperty("code").GetString()!, target.GetProperty("code").GetString()!, target.GetProperty("equivalence").GetString()!)))];
    }
}
