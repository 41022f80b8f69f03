using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Tests;

/// <summary>Profiles added the way anyone adds one: a StructureDefinition with a differential.</summary>
public sealed class ProfileTests
{
    private const string Url = "http://e.org/p";

    [Fact]
    public void A_core_vital_sign_is_checked_by_its_profile()
    {
        const string Valid = """
            {"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/heartrate"]},"status":"final",
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
            "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-01-02",
            "valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}
            """;
        Assert.Empty(Validated.Errors(Valid));
        Assert.Equal(["IOMT-0242 Observation.value.ofType(Quantity).code"], Validated.Errors(Valid.Replace("\"code\":\"/min\"", "\"code\":\"1/min\"", StringComparison.Ordinal)));
        Assert.Equal(["IOMT-0240 Observation"], Validated.Errors(Valid.Replace("vital-signs", "laboratory", StringComparison.Ordinal)));
        Assert.Equal(["IOMT-0225 Observation.subject"], Validated.Errors(Valid.Replace("Patient/p", "Group/p", StringComparison.Ordinal)));
        Assert.Equal(["IOMT-0240 Observation"], Validated.Errors(Valid.Replace("\"effectiveDateTime\":\"2026-01-02\",", "", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"id\":\"Patient.birthDate\",\"min\":1", """{"resourceType":"Patient"}""", "IOMT-0240 Patient")]
    [InlineData("\"id\":\"Patient.photo\",\"max\":\"0\"", """{"resourceType":"Patient","photo":[{"url":"http://e.org"}]}""", "IOMT-0241 Patient")]
    [InlineData("\"id\":\"Patient.gender\",\"fixedCode\":\"male\"", """{"resourceType":"Patient","gender":"female"}""", "IOMT-0242 Patient.gender")]
    [InlineData("\"id\":\"Patient.maritalStatus\",\"patternCodeableConcept\":{\"coding\":[{\"code\":\"M\"}]}", """{"resourceType":"Patient","maritalStatus":{"coding":[{"code":"S","system":"s"}]}}""", "IOMT-0243 Patient.maritalStatus")]
    [InlineData("\"id\":\"Patient.deceased[x]\",\"type\":[{\"code\":\"boolean\"}]", """{"resourceType":"Patient","deceasedDateTime":"2020"}""", "IOMT-0244 Patient.deceased.ofType(dateTime)")]
    [InlineData("\"id\":\"Patient.generalPractitioner\",\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://hl7.org/fhir/StructureDefinition/Practitioner\"]}]", """{"resourceType":"Patient","generalPractitioner":[{"reference":"Organization/1"}]}""", "IOMT-0225 Patient.generalPractitioner[0]")]
    [InlineData("\"id\":\"Patient.name.family\",\"maxLength\":3", """{"resourceType":"Patient","name":[{"family":"Anna"}]}""", "IOMT-0249 Patient.name[0].family")]
    [InlineData("\"id\":\"Patient.multipleBirthInteger\",\"maxValueInteger\":5", """{"resourceType":"Patient","multipleBirthInteger":6}""", "IOMT-0248 Patient.multipleBirth.ofType(integer)")]
    [InlineData("\"id\":\"Patient.name\",\"constraint\":[{\"key\":\"x-1\",\"severity\":\"error\",\"expression\":\"family.exists()\"}]", """{"resourceType":"Patient","name":[{"text":"A"}]}""", "IOMT-0228 Patient.name[0]")]
    [InlineData("\"id\":\"Patient.telecom.system\",\"binding\":{\"strength\":\"required\",\"valueSet\":\"http://e.org/vs\"}", """{"resourceType":"Patient","telecom":[{"system":"fax"}]}""", "IOMT-0223 Patient.telecom[0].system")]
    public void Each_kind_of_rule_finds_its_breach(string element, string resource, string expected) => Assert.Equal([expected], Errors(resource, element));

    [Fact]
    public void A_pattern_is_met_by_more_than_it_asks_for() => Assert.Empty(Errors(
        """{"resourceType":"Patient","maritalStatus":{"text":"x","coding":[{"code":"S","system":"s"},{"system":"t","code":"M"}]}}""",
        "\"id\":\"Patient.maritalStatus\",\"patternCodeableConcept\":{\"coding\":[{\"code\":\"M\"}]}"));

    [Theory]
    [InlineData("open", false, "old,official,x", "")]
    [InlineData("closed", false, "old,x", "IOMT-0245 Patient.name[1]")]
    [InlineData("openAtEnd", false, "x,old", "IOMT-0246 Patient.name[1]")]
    [InlineData("open", true, "official,old", "IOMT-0246 Patient.name[1]")]
    [InlineData("open", false, "official", "IOMT-0240 Patient")]
    [InlineData("open", false, "old,old", "IOMT-0241 Patient")]
    public void Slices_by_value_are_open_closed_or_ordered(string rules, bool ordered, string uses, string expected)
    {
        var names = string.Join(',', uses.Split(',').Select(use => use == "x" ? "{\"text\":\"x\"}" : $"{{\"use\":\"{use}\"}}"));
        var errors = Errors(
            $"{{\"resourceType\":\"Patient\",\"name\":[{names}]}}",
            $"\"id\":\"Patient.name\",\"slicing\":{{\"discriminator\":[{{\"type\":\"value\",\"path\":\"use\"}}],\"ordered\":{(ordered ? "true" : "false")},\"rules\":\"{rules}\"}}",
            "\"id\":\"Patient.name:old\",\"sliceName\":\"old\",\"min\":1,\"max\":\"1\"",
            "\"id\":\"Patient.name:old.use\",\"fixedCode\":\"old\"",
            "\"id\":\"Patient.name:official\",\"sliceName\":\"official\"",
            "\"id\":\"Patient.name:official.use\",\"patternCode\":\"official\"");
        Assert.Equal(expected.Length == 0 ? [] : [expected], errors);
    }

    [Fact]
    public void Slices_by_exists_and_by_type_are_told_apart()
    {
        string[] byExists =
        [
            "\"id\":\"Patient.name\",\"slicing\":{\"discriminator\":[{\"type\":\"exists\",\"path\":\"family\"}],\"rules\":\"open\"}",
            "\"id\":\"Patient.name:with\",\"sliceName\":\"with\",\"max\":\"1\"",
            "\"id\":\"Patient.name:with.family\",\"min\":1",
            "\"id\":\"Patient.name:without\",\"sliceName\":\"without\",\"max\":\"1\"",
            "\"id\":\"Patient.name:without.family\",\"max\":\"0\"",
        ];
        Assert.Empty(Errors("""{"resourceType":"Patient","name":[{"family":"A"},{"text":"B"}]}""", byExists));
        Assert.Equal(["IOMT-0241 Patient"], Errors("""{"resourceType":"Patient","name":[{"text":"A"},{"text":"B"}]}""", byExists));
        string[] byType =
        [
            "\"id\":\"Patient.deceased[x]\",\"slicing\":{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"rules\":\"closed\"}",
            "\"id\":\"Patient.deceased[x]:deceasedBoolean\",\"sliceName\":\"deceasedBoolean\",\"type\":[{\"code\":\"boolean\"}],\"fixedBoolean\":false",
        ];
        Assert.Empty(Errors("""{"resourceType":"Patient","deceasedBoolean":false}""", byType));
        Assert.Equal(["IOMT-0242 Patient.deceased.ofType(boolean)"], Errors("""{"resourceType":"Patient","deceasedBoolean":true}""", byType));
        Assert.Equal(["IOMT-0245 Patient.deceased.ofType(dateTime)"], Errors("""{"resourceType":"Patient","deceasedDateTime":"2020"}""", byType));
    }

    [Fact]
    public void An_extension_slice_is_known_by_its_profile_and_held_to_it()
    {
        string[] elements =
        [
            "\"id\":\"Patient.extension:place\",\"sliceName\":\"place\",\"min\":1,\"type\":[{\"code\":\"Extension\",\"profile\":[\"http://hl7.org/fhir/StructureDefinition/patient-birthPlace\"]}]",
        ];
        Assert.Equal(["IOMT-0240 Patient"], Errors("""{"resourceType":"Patient"}""", elements));
        Assert.Empty(Errors("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"X"}}]}""", elements));
        Assert.Equal(
            ["IOMT-0244 Patient.extension[0].value.ofType(string)"],
            Errors("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueString":"X"}]}""", elements));
    }

    [Fact]
    public void A_profile_of_another_type_and_an_unknown_one_are_reported()
    {
        Assert.Equal(["IOMT-0234 Patient.meta.profile[0]"], Validated.Errors("""{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/bp"]}}"""));
        var unknown = Assert.Single(Validated.Json("""{"resourceType":"Patient"}""", "http://e.org/unknown"));
        Assert.Equal((IssueSeverity.Warning, "IOMT-0233"), (unknown.Severity, unknown.Code));
    }

    [Fact]
    public void A_profile_without_its_base_is_refused() =>
        Assert.Equal("IOMT-0202", Assert.Single(ProfileCatalog.Core(FhirDefinitions.R4).With([Definition("http://e.org/missing")]).Issues).Code);

    [Fact]
    public void Slicings_of_cores_profiles_that_cannot_be_told_are_few()
    {
        var gaps = FhirDefinitions.R4.ProfileUrls.SelectMany(url => Validated.Validator.Plan(url)?.Gaps ?? []).ToArray();
        Assert.True(gaps.Length <= 6, string.Join('\n', gaps));
    }

    private static string[] Errors(string resource, params string[] elements)
    {
        var codes = Tree("""{"resourceType":"ValueSet","url":"http://e.org/vs","compose":{"include":[{"system":"http://hl7.org/fhir/contact-point-system","concept":[{"code":"phone"}]}]}}""");
        var catalog = ProfileCatalog.Core(FhirDefinitions.R4).With([codes, Definition("http://hl7.org/fhir/StructureDefinition/Patient", elements)]).Require();
        return [.. new ResourceValidator(catalog).Validate(Tree(resource), [Url]).Where(issue => issue.Refuses).Select(issue => $"{issue.Code} {issue.Expression}")];
    }

    private static JsonTree Definition(string baseUrl, params string[] elements) => Tree(
        $"{{\"resourceType\":\"StructureDefinition\",\"url\":\"{Url}\",\"type\":\"Patient\",\"baseDefinition\":\"{baseUrl}\",\"differential\":{{\"element\":[{string.Join(',', elements.Select(element => $"{{{element}}}"))}]}}}}");

    private static JsonTree Tree(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();
}
