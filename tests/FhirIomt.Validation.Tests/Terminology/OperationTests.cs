using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Validation.Tests.Terminology;

public sealed class OperationTests
{
    private const string Map = """
        { "resourceType": "ConceptMap", "url": "https://example.org/ConceptMap/mood", "version": "1", "status": "active", "group": [ {
          "source": "https://example.org/CodeSystem/colours", "target": "https://example.org/CodeSystem/moods", "element": [
            { "code": "red", "target": [ { "code": "angry", "equivalence": "relatedto" }, { "code": "in-love", "relationship": "source-is-broader-than-target" } ] },
            { "code": "blue", "target": [ { "code": "merry", "equivalence": "unmatched" } ] } ] } ] }
        """;

    [Theory]
    [InlineData("warm", "crimson", "subsumes")]
    [InlineData("crimson", "warm", "subsumed-by")]
    [InlineData("crimson", "dark", "subsumed-by")]
    [InlineData("red", "red", "equivalent")]
    [InlineData("red", "blue", "not-subsumed")]
    public void Subsumption_follows_every_parent(string left, string right, string outcome)
    {
        var (_, json) = Given.Run(Given.Service(), TerminologyOperation.Subsumes, ("system", "valueUri", Given.Colours), ("codeA", "valueCode", left), ("codeB", "valueCode", right));
        Assert.Equal(outcome, (string?)Given.Parameter(json, "outcome"));
    }

    [Fact]
    public void A_translation_gives_all_targets_with_R4_equivalences()
    {
        var (_, json) = Given.Run(Given.Service(Map), TerminologyOperation.Translate, ("system", "valueUri", Given.Colours), ("code", "valueCode", "red"));
        Assert.True((bool)Given.Parameter(json, "result")!);
        var matches = json["parameter"]!.AsArray().Where(parameter => (string?)parameter!["name"] == "match").Select(match => (string)match!["part"]![0]!["valueCode"]!);
        Assert.Equal(["relatedto", "narrower"], matches);
    }

    [Theory]
    [InlineData("blue")]
    [InlineData("grey")]
    public void Without_a_related_target_there_is_no_translation(string code)
    {
        var (answer, json) = Given.Run(Given.Service(Map), TerminologyOperation.Translate, ("system", "valueUri", Given.Colours), ("code", "valueCode", code));
        Assert.True(answer.Succeeded);
        Assert.False((bool)Given.Parameter(json, "result")!);
    }

    [Fact]
    public void A_lookup_tells_display_designations_and_the_properties_asked_for()
    {
        var (_, json) = Given.Run(Given.Service(), TerminologyOperation.Lookup, ("system", "valueUri", Given.Colours), ("code", "valueCode", "red"), ("property", "valueCode", "*"));
        Assert.Equal("Red", (string?)Given.Parameter(json, "display"));
        Assert.Equal("Like blood.", (string?)Given.Parameter(json, "definition"));
        var text = json.ToJsonString();
        Assert.Contains("\"valueString\":\"Rot\"", text, StringComparison.Ordinal);
        Assert.Contains("\"valueCode\":\"crimson\"", text, StringComparison.Ordinal);
        Assert.Contains("\"valueString\":\"700\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lookup_of_an_unknown_code_is_refused_as_not_found()
    {
        var (answer, _) = Given.Run(Given.Service(), TerminologyOperation.Lookup, ("system", "valueUri", Given.Colours), ("code", "valueCode", "violet"));
        Assert.Equal(IssueKind.NotFound, Assert.Single(answer.Refusals).Kind);
    }

    [Fact]
    public void A_concept_is_valid_when_one_coding_is_in_the_set_and_none_is_wrong()
    {
        var service = Given.Service(Given.Including("all", ""));
        JsonNode Concept(string second) => JsonNode.Parse($$"""{ "coding": [ { "system": "https://example.org/unknown", "code": "x" }, { "system": "{{Given.Colours}}", "code": "{{second}}" } ] }""")!;
        var (_, valid) = Given.Run(service, TerminologyOperation.ValidateCode, ("url", "valueUri", Given.Url("all")), ("codeableConcept", "valueCodeableConcept", Concept("red")));
        Assert.Equal("red", (string?)Given.Parameter(valid, "code"));
        Assert.Equal("https://example.org/unknown", (string?)Given.Parameter(valid, "x-unknown-system"));

        var (_, invalid) = Given.Run(service, TerminologyOperation.ValidateCode, ("url", "valueUri", Given.Url("all")), ("codeableConcept", "valueCodeableConcept", Concept("violet")));
        Assert.False((bool)Given.Parameter(invalid, "result")!);
        Assert.Contains("CodeableConcept.coding[1].code", invalid.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Resources_of_a_request_serve_that_request_only()
    {
        var service = Given.Service();
        var own = JsonNode.Parse(Given.Including("mine", """, "concept": [ { "code": "red" } ]"""))!;
        (string, string, JsonNode) Url() => ("url", "valueUri", Given.Url("mine"));
        var (first, _) = Given.Run(service, TerminologyOperation.Expand, Url(), ("tx-resource", "resource", own));
        var (second, _) = Given.Run(service, TerminologyOperation.Expand, Url());
        Assert.True(first.Succeeded);
        Assert.Equal("IOMT-0256", Assert.Single(second.Refusals).Code);
    }

    [Fact]
    public void Each_request_of_a_batch_is_answered_in_its_place()
    {
        JsonNode Validation(string code) => JsonNode.Parse($$"""{ "resourceType": "Parameters", "parameter": [ { "name": "coding", "valueCoding": { "system": "{{Given.Colours}}", "code": "{{code}}" } } ] }""")!;
        var (_, json) = Given.Run(Given.Service(Given.Including("all", "")), TerminologyOperation.BatchValidateCode,
            ("url", "valueUri", Given.Url("all")), ("validation", "resource", Validation("red")), ("validation", "resource", Validation("violet")));
        Assert.Equal([true, false], json["parameter"]!.AsArray().Select(answer => (bool)Given.Parameter(answer!["resource"]!.AsObject(), "result")!));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData("""{"parameter":[{"name":"url","valueUri":5},{"name":"coding","valueCoding":"x"},{"name":"valueSet","resource":{"compose":[1,2]}}]}""")]
    [InlineData("""{"parameter":[{"name":"valueSet","resource":{"resourceType":"ValueSet","compose":{"include":[{"system":7,"concept":{"code":null},"filter":"x","valueSet":{}}]}}},{"name":"code","valueCode":"a"},{"name":"system","valueUri":""}]}""")]
    [InlineData("""{"parameter":{"name":"validation","resource":{"parameter":{"name":"codeableConcept","valueCodeableConcept":{"coding":[null,{}]}}}}}""")]
    public void Strange_requests_are_answered_not_thrown_at(string request)
    {
        var operations = new TerminologyOperations(Given.Service(), TimeProvider.System, IdSource.Random);
        foreach (var operation in Enum.GetValues<TerminologyOperation>())
        {
            Assert.NotNull(JsonNode.Parse(operations.Run(operation, Given.Tree(request)).Json.Span));
        }
    }
}
