namespace FhirIomt.Server.Tests;

/// <summary>A mapping that extracts a patient too: type <c>pulse</c>, members <c>dev</c>, <c>p</c>, <c>t</c>, <c>hr</c>, and an encounter <c>e</c> if there is one.</summary>
internal static class CreatingMapping
{
    public const string Device = """
        {"templateType":"CollectionContent","template":[{"templateType":"JsonPathContent","template":{
          "typeName":"pulse","typeMatchExpression":"$..[?(@hr)]","deviceIdExpression":"$.dev","patientIdExpression":"$.p","encounterIdExpression":"$.e","timestampExpression":"$.t",
          "values":[{"valueName":"hr","valueExpression":"$.hr","required":true},{"valueName":"note","valueExpression":"$.note","required":false}]}}]}
        """;

    public const string Fhir = """
        {"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{
          "typeName":"pulse","periodInterval":0,"category":[{"codes":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"codes":[{"code":"8867-4","system":"http://loinc.org","display":"Heart rate"}],
          "value":{"valueType":"Quantity","valueName":"hr","unit":"/min","system":"http://unitsofmeasure.org","code":"/min"},
          "components":[{"codes":[{"code":"48767-8","system":"http://loinc.org"}],"value":{"valueType":"String","valueName":"note"}}]}}]}
        """;

    public static string Message(string device, string? patient, string hr = "72", string time = "2026-02-01T22:46:01Z", string? more = null) =>
        $$"""{"dev":{{Text(device)}},{{(patient is null ? "" : $"\"p\":{Text(patient)},")}}"t":"{{time}}","hr":{{hr}}{{more}}}""";

    private static string Text(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
