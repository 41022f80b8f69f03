using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Snapshots;

namespace FhirIomt.Validation.Tests;

/// <summary>Input that would grow without bound: without the limits these tests do not end.</summary>
public sealed class BoundsTests
{
    private const int Many = 24;

    [Fact]
    public void Observations_that_all_refer_to_each_other_are_asked_about_once_each()
    {
        var members = string.Join(',', Enumerable.Range(0, Many).Select(index => $"{{\"reference\":\"urn:uuid:{Id(index)}\"}}"));
        var entries = string.Join(',', Enumerable.Range(0, Many).Select(index => $$"""
            {"fullUrl":"urn:uuid:{{Id(index)}}","resource":{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},"status":"final",
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"text":"panel"},
            "subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-01-02","hasMember":[{{members}}]} }
            """));
        Assert.Empty(Validated.Errors($$"""{"resourceType":"Bundle","type":"collection","entry":[{{entries}}]}"""));
    }

    [Fact]
    public void A_form_with_more_conditions_than_can_be_looked_at_is_left_undecided()
    {
        const int Items = 6_000;
        var form = string.Join(',', Enumerable.Range(0, Items).Select(index => $$"""{"linkId":"{{index}}","type":"string"{{(index == 0 ? "" : ",\"enableWhen\":[{\"question\":\"0\",\"operator\":\"exists\",\"answerBoolean\":false}]")}} }"""));
        var answers = string.Join(',', Enumerable.Range(0, Items).Select(index => $$"""{"linkId":"{{index}}","answer":[{"valueString":"x"}]}"""));
        var issues = Validated.Json($$"""
            {"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#f","contained":[{"resourceType":"Questionnaire","id":"f","status":"active","item":[{{form}}]}],"item":[{{answers}}]}
            """);
        Assert.Contains(issues, issue => issue.Code == "IOMT-0294");
    }

    [Fact]
    public void A_differential_that_multiplies_without_end_is_refused()
    {
        var slices = string.Join(',', Enumerable.Range(0, 4_000).Select(index => $$"""{"path":"PlanDefinition.action","sliceName":"s{{index}}"}"""));
        var definition = $$"""
            {"resourceType":"StructureDefinition","url":"http://e.org/p","type":"PlanDefinition","baseDefinition":"http://hl7.org/fhir/StructureDefinition/PlanDefinition","derivation":"constraint",
            "differential":{"element":[{"path":"PlanDefinition.action","slicing":{"discriminator":[{"type":"value","path":"title"}],"rules":"open"} },{{slices}}]} }
            """;
        var outcome = SnapshotGenerator.Generate(JsonTree.Parse(Encoding.UTF8.GetBytes(definition)).Require(), DefinitionLibrary.R4);
        Assert.Equal("IOMT-0209", Assert.Single(outcome.Issues).Code);
    }

    private static string Id(int index) => $"0d4f3c2e-8a55-4c0e-9c6d-6f1f0f7a2b{index:00}";
}
