using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Linting;

namespace FhirIomt.Mapping.Tests;

public sealed class MappingLinterTests
{
    private const string Device = """
        {"templateType":"CollectionContent","template":[
          {"templateType":"JsonPathContent","template":{"typeName":"bp","typeMatchExpression":"$..[?(@dia)]","deviceIdExpression":"$.dev","timestampExpression":"$.t","values":[{"valueName":"dia","valueExpression":"$.dia","required":true},{"valueName":"pulse","valueExpression":"$.pulse"}]}},
          {"templateType":"JsonPathContent","template":{"typeName":"bp","typeMatchExpression":"$..[?(@dia)]","deviceIdExpression":"$.dev","timestampExpression":"$.t","values":[]}}]}
        """;

    [Fact]
    public void The_published_sample_that_codes_diastolic_pressure_as_heart_rate_is_caught()
    {
        var folder = FhirIomt.Tests.SharedData.Require("conformance/mapping-golden/sample/templates/basic");
        var findings = MappingLinter.Check(File.ReadAllBytes(Path.Combine(folder, "devicecontent.json")), File.ReadAllBytes(Path.Combine(folder, "fhirmapping.json")), []);
        var wrong = Assert.Single(findings, finding => finding.Issue.Code == "IOMT-0460");
        Assert.Equal((MappingText.Fhir, 80), (wrong.Text, wrong.Issue.Position!.Value.Line));
        Assert.Contains("8462-4", wrong.Issue.Fix!, StringComparison.Ordinal);
        Assert.Contains(findings, finding => finding.Issue.Code == "IOMT-0462" && finding.Issue.Message.Contains("count/min", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"code":"8867-4","system":"http://loinc.org","display":"Diastolic blood pressure"}""", "mm[Hg]", "IOMT-0460 IOMT-0461")]
    [InlineData("""{"code":"8462-4","system":"http://loinc.org","display":"Diastolic blood pressure"}""", "mm[Hg]", "")]
    [InlineData("""{"code":"8462-4","system":"http://loinc.org","display":"Diastolic blood pressure"}""", "kPa", "")]
    [InlineData("""{"code":"8462-4","system":"http://loinc.org","display":"Diastolic blood pressure"}""", "mmHg", "IOMT-0462")]
    [InlineData("""{"code":"8462-4","system":"http://loinc.org","display":"Diastolic blood pressure"}""", "/min", "IOMT-0461")]
    [InlineData("""{"code":"80404-7","system":"http://loinc.org","display":"Heart rate variability"}""", "ms", "")]
    public void Codes_are_held_against_displays_and_units(string code, string unit, string expected) =>
        Assert.Equal(expected, Codes(Fhir(code, unit, "\"category\":[{\"text\":\"x\"}],"), [], "IOMT-046"));

    [Fact]
    public void A_vital_sign_without_category_and_a_template_that_nothing_reaches_are_found() =>
        Assert.Equal("IOMT-0463 IOMT-0464", Codes(Fhir("""{"code":"8462-4","system":"http://loinc.org"}""", "mm[Hg]", "", type: "other"), [], "IOMT-046"));

    [Theory]
    [InlineData("""{"dia":80,"dev":"d","t":"2026-01-01T00:00:00Z","pulse":60}""", "IOMT-0463")]
    [InlineData("""{"dia":80,"dev":"d","t":"2026-01-01T00:00:00Z"}""", "IOMT-0463 IOMT-0467")]
    [InlineData("""{"dia":80,"t":"2026-01-01T00:00:00Z","pulse":60}""", "IOMT-0463 IOMT-0467 IOMT-0467")]
    [InlineData("""{"dia":80,"dev":"d","t":"yesterday","pulse":60}""", "IOMT-0463 IOMT-0468 IOMT-0468")]
    [InlineData("""{"Dia":80}""", "IOMT-0463 IOMT-0465 IOMT-0465")]
    public void A_sample_tells_what_cannot_match(string sample, string expected) =>
        Assert.Equal(expected, Codes(Fhir("""{"code":"8462-4","system":"http://loinc.org"}""", "mm[Hg]", ""), [MappingLinter.Envelope(Encoding.UTF8.GetBytes(sample))], "IOMT-046"));

    [Fact]
    public void What_the_sample_writes_in_another_case_is_said()
    {
        var findings = MappingLinter.Check(Encoding.UTF8.GetBytes(Device), null, [MappingLinter.Envelope("""{"Dia":80}"""u8.ToArray())]);
        Assert.Contains(findings, finding => finding.Issue.Message.Contains("the sample writes 'Dia'", StringComparison.Ordinal));
    }

    // All but the twin of the mapping above, which is found each time.
    private static string Codes(string fhir, JsonTree[] samples, string start)
    {
        var findings = MappingLinter.Check(Encoding.UTF8.GetBytes(Device), Encoding.UTF8.GetBytes(fhir), samples);
        Assert.Single(findings, finding => finding.Issue.Code == "IOMT-0466");
        return string.Join(' ', findings.Select(finding => finding.Issue.Code).Where(code => code != "IOMT-0466" && code.StartsWith(start, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static string Fhir(string code, string unit, string category, string type = "bp") => $$"""
        {"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{"typeName":"{{type}}","codes":[{{code}}],{{category}}
          "value":{"valueType":"Quantity","valueName":"dia","unit":"{{unit}}","system":"http://unitsofmeasure.org","code":"{{unit}}"} } }]}
        """;
}
