using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>A small world of code systems and value sets, all our own.</summary>
internal static class Given
{
    public const string Colours = "https://example.org/CodeSystem/colours";

    /// <summary>warm (abstract) above red (above crimson) and orange; cold above blue; grey is retired; crimson is also below "dark" by a property.</summary>
    public const string ColourSystem = """
        { "resourceType": "CodeSystem", "url": "https://example.org/CodeSystem/colours", "version": "2.0.0", "name": "Colours", "language": "en", "status": "active",
          "caseSensitive": true, "content": "complete",
          "property": [ { "code": "wavelength", "uri": "https://example.org/wavelength", "type": "string" }, { "code": "parent", "uri": "http://hl7.org/fhir/concept-properties#parent", "type": "code" } ],
          "concept": [
            { "code": "warm", "display": "Warm", "property": [ { "code": "notSelectable", "valueBoolean": true } ], "concept": [
              { "code": "red", "display": "Red", "definition": "Like blood.", "designation": [ { "language": "de", "value": "Rot" } ], "property": [ { "code": "wavelength", "valueString": "700" } ], "concept": [
                { "code": "crimson", "display": "Crimson", "property": [ { "code": "parent", "valueCode": "dark" } ] } ] },
              { "code": "orange", "display": "Orange", "property": [ { "code": "wavelength", "valueString": "620" } ] } ] },
            { "code": "cold", "display": "Cold", "concept": [ { "code": "blue", "display": "Blue" } ] },
            { "code": "dark", "display": "Dark" },
            { "code": "grey", "display": "Grey", "property": [ { "code": "status", "valueCode": "retired" } ] } ] }
        """;

    public static string ValueSet(string name, string compose) =>
        $$"""{ "resourceType": "ValueSet", "url": "https://example.org/ValueSet/{{name}}", "version": "1.0.0", "status": "active", "compose": {{compose}} }""";

    public static string Including(string name, string rest) => ValueSet(name, $$"""{ "include": [ { "system": "{{Colours}}"{{rest}} } ] }""");

    public static string Url(string name) => "https://example.org/ValueSet/" + name;

    public static JsonTree Tree(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();

    public static TerminologyService Service(params string[] resources) => Service(TerminologyLimits.Default, resources);

    public static TerminologyService Service(TerminologyLimits limits, params string[] resources) =>
        new(DefinitionLibrary.Empty.With(resources.Append(ColourSystem).Select(Tree)), limits, unit => unit is "mm" or "kg");

    /// <summary>Runs an operation; parameters as name, type, value.</summary>
    public static (TerminologyAnswer Answer, JsonObject Json) Run(TerminologyService service, TerminologyOperation operation, params (string Name, string Type, JsonNode Value)[] parameters)
    {
        var list = new JsonArray([.. parameters.Select(parameter => new JsonObject { ["name"] = parameter.Name, [parameter.Type] = parameter.Value })]);
        var request = Tree(new JsonObject { ["resourceType"] = "Parameters", ["parameter"] = list }.ToJsonString());
        var answer = new TerminologyOperations(service, TimeProvider.System, IdSource.Random).Run(operation, request);
        return (answer, JsonNode.Parse(answer.Json.Span)!.AsObject());
    }

    /// <summary>The codes of an expansion, nested ones included, in order.</summary>
    public static string Codes(JsonNode? parent) =>
        string.Join(' ', (parent?["contains"]?.AsArray() ?? []).SelectMany(concept => new[] { (string)concept!["code"]!, Codes(concept) }).Where(text => text.Length > 0));

    /// <summary>The codes that a value set over colours has, abstract and inactive ones included.</summary>
    public static string Expand(string valueSet)
    {
        var (answer, json) = Run(Service(), TerminologyOperation.Expand, ("valueSet", "resource", JsonNode.Parse(valueSet)!), ("excludeNested", "valueBoolean", true));
        return answer.Succeeded ? Codes(json["expansion"]) : string.Join(' ', answer.Refusals.Select(issue => issue.Code));
    }

    public static JsonNode? Parameter(JsonObject parameters, string name) =>
        parameters["parameter"]!.AsArray().FirstOrDefault(parameter => (string?)parameter!["name"] == name)?.AsObject().FirstOrDefault(member => member.Key != "name").Value;
}
