using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Patch;

namespace FhirIomt.Fhir.Tests.Patch;

public sealed class PatchTests
{
    [Theory]
    [InlineData("""[{"op":"replace","path":"/a/1","value":9.10}]""", """{"a":[1.00,9.10],"b":{"c":1e3},"/~":0}""")]
    [InlineData("""[{"op":"copy","from":"/b","path":"/a/-"},{"op":"replace","path":"/b/c","value":1}]""", """{"a":[1.00,2,{"c":1e3}],"b":{"c":1},"/~":0}""")]
    [InlineData("""[{"op":"move","from":"/b/c","path":"/a/0"}]""", """{"a":[1e3,1.00,2],"b":{},"/~":0}""")]
    [InlineData("""[{"op":"remove","path":"/~1~0"},{"op":"test","path":"/b","value":{"c":1000.0}}]""", """{"a":[1.00,2],"b":{"c":1e3}}""")]
    [InlineData("""[{"op":"add","path":"","value":[1]}]""", "[1]")]
    [InlineData("""[{"op":"add","path":"/a/2","value":"é\u0041"}]""", """{"a":[1.00,2,"é\u0041"],"b":{"c":1e3},"/~":0}""")]
    [InlineData("[]", """{"a":[1.00,2],"b":{"c":1e3},"/~":0}""")]
    public void A_json_patch_changes_what_it_names_only(string patch, string expected) => Assert.Equal(expected, Apply(patch).Require().Root.ToString());

    [Theory]
    [InlineData("{}", "IOMT-0320")]
    [InlineData("""[{"op":"add","path":"/x"}]""", "IOMT-0320")]
    [InlineData("""[{"op":"add","value":1}]""", "IOMT-0320")]
    [InlineData("""[{"op":"copy","path":"/x"}]""", "IOMT-0320")]
    [InlineData("""[{"op":"move","from":"/b","path":"/b/c"}]""", "IOMT-0320")]
    [InlineData("""[{"op":"spam","path":"/x"}]""", "IOMT-0321")]
    [InlineData("""[{"op":"add","path":"x","value":1}]""", "IOMT-0322")]
    [InlineData("""[{"op":"add","path":"/~2","value":1}]""", "IOMT-0322")]
    [InlineData("""[{"op":"add","path":"/a/3","value":1}]""", "IOMT-0323")]
    [InlineData("""[{"op":"add","path":"/a/01","value":1}]""", "IOMT-0323")]
    [InlineData("""[{"op":"replace","path":"/a/-","value":1}]""", "IOMT-0323")]
    [InlineData("""[{"op":"replace","path":"/x","value":1}]""", "IOMT-0323")]
    [InlineData("""[{"op":"remove","path":""}]""", "IOMT-0323")]
    [InlineData("""[{"op":"test","path":"/a","value":[1]}]""", "IOMT-0324")]
    [InlineData("""[{"op":"test","path":"/a/0","value":"1"}]""", "IOMT-0324")]
    public void A_json_patch_that_does_not_fit_is_refused_with_its_operation(string patch, string code)
    {
        var issue = Assert.Single(Apply(patch).Issues);
        Assert.Equal(code, issue.Code);
        Assert.NotNull(issue.Expression);
        Assert.NotNull(issue.Fix);
    }

    [Fact]
    public void Copies_of_copies_meet_the_limits()
    {
        var doubling = "[" + string.Join(',', Enumerable.Range(0, 100).Select(number => $$"""{"op":"copy","from":"","path":"/c{{number}}"}""")) + "]";
        var issue = Assert.Single(JsonPatch.Apply(JsonTree.Parse("{\"a\":1}"u8.ToArray()).Require(), JsonTree.Parse(Encoding.UTF8.GetBytes(doubling)).Require().Root, new JsonLimits(100_000, 64)).Issues);
        Assert.Contains(issue.Code, new[] { "IOMT-0101", "IOMT-0103", "IOMT-0327" });
    }

    [Theory]
    [InlineData("add", "Patient", "deceased", "\"valueBoolean\":true", """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}],"birthDate":"2000","deceasedBoolean":true}""")]
    [InlineData("add", "Patient.birthDate", "extension", "\"part\":[{\"name\":\"url\",\"valueUri\":\"u\"},{\"name\":\"value\",\"valueInteger\":1}]", """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}],"birthDate":"2000","_birthDate":{"extension":[{"url":"u","valueInteger":1}]}}""")]
    [InlineData("add", "Patient.name", "given", "\"valueString\":\"C\"", """{"resourceType":"Patient","name":[{"given":["A","B","C"],"_given":[null,{"id":"b"},null]}],"birthDate":"2000"}""")]
    [InlineData("add", "Patient", "active", "\"valueString\":\"true\"", """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}],"birthDate":"2000","active":true}""")]
    [InlineData("delete", "Patient.name.given[1]", null, null, """{"resourceType":"Patient","name":[{"given":["A"]}],"birthDate":"2000"}""")]
    [InlineData("delete", "Patient.name.given[0]", null, null, """{"resourceType":"Patient","name":[{"given":["B"],"_given":[{"id":"b"}]}],"birthDate":"2000"}""")]
    [InlineData("delete", "Patient.name", null, null, """{"resourceType":"Patient","birthDate":"2000"}""")]
    [InlineData("delete", "Patient.photo", null, null, """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}],"birthDate":"2000"}""")]
    [InlineData("replace", "Patient.name.given.where($this = 'B')", null, "\"valueString\":\"C\"", """{"resourceType":"Patient","name":[{"given":["A","C"]}],"birthDate":"2000"}""")]
    public void A_fhirpath_patch_changes_elements(string type, string path, string? name, string? value, string expected) =>
        Assert.Equal(expected, Patch(type, path, name, value).Require().Root.ToString());

    [Theory]
    [InlineData("add", "Patient", "colour", "\"valueString\":\"x\"", "IOMT-0326")]
    [InlineData("add", "Patient", "birthDate", "\"valueDate\":\"2001\"", "IOMT-0326")]
    [InlineData("add", "Patient", "active", "\"valueString\":\"maybe\"", "IOMT-0326")]
    [InlineData("add", "Patient", "maritalStatus", "\"valueString\":\"x\"", "IOMT-0326")]
    [InlineData("add", "Patient", null, "\"valueString\":\"x\"", "IOMT-0320")]
    [InlineData("add", "Patient", "active", null, "IOMT-0320")]
    [InlineData("add", "Patient.photo", "title", "\"valueString\":\"x\"", "IOMT-0323")]
    [InlineData("replace", "Patient.name.given", null, "\"valueString\":\"x\"", "IOMT-0325")]
    [InlineData("replace", "1 + 1", null, "\"valueString\":\"x\"", "IOMT-0326")]
    [InlineData("replace", "Patient", null, "\"valueString\":\"x\"", "IOMT-0326")]
    [InlineData("insert", "Patient.name", null, "\"valueHumanName\":{\"text\":\"x\"}", "IOMT-0326")]
    [InlineData("spam", "Patient", null, null, "IOMT-0321")]
    [InlineData("delete", "Patient.", null, null, "IOMT-0300")]
    public void A_fhirpath_patch_that_does_not_fit_is_refused(string type, string path, string? name, string? value, string code) =>
        Assert.Equal(code, Assert.Single(Patch(type, path, name, value).Issues).Code);

    private static Core.Outcome<JsonTree> Patch(string type, string path, string? name, string? value)
    {
        var parts = new List<string> { $$"""{"name":"type","valueCode":"{{type}}"}""", $$"""{"name":"path","valueString":{{JsonSerializer.Serialize(path)}}}""" };
        if (name is not null)
        {
            parts.Add($$"""{"name":"name","valueString":"{{name}}"}""");
        }

        if (value is not null)
        {
            parts.Add($$"""{"name":"value",{{value}}}""");
        }

        var patch = $$"""{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{{string.Join(',', parts)}}]}]}""";
        var patient = """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}],"birthDate":"2000"}"""u8.ToArray();
        return FhirPathPatch.Apply(JsonTree.Parse(patient).Require(), JsonTree.Parse(Encoding.UTF8.GetBytes(patch)).Require().Root, FhirDefinitions.R4);
    }

    private static Core.Outcome<JsonTree> Apply(string patch) =>
        JsonPatch.Apply(JsonTree.Parse("""{"a":[1.00,2],"b":{"c":1e3},"/~":0}"""u8.ToArray()).Require(), JsonTree.Parse(Encoding.UTF8.GetBytes(patch)).Require().Root);
}
