using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>One server for all tests of a class, with somebody who may do everything.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    internal FhirCaller All { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync();
        All = await Server.CallerAsync("system/*.cruds");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>Valid R4 resources.</summary>
internal static class Given
{
    private static int _numbers;

    /// <summary>A text that no other test uses.</summary>
    public static string Unique(string prefix) => $"{prefix}-{Interlocked.Increment(ref _numbers)}";

    public static string Patient(string family = "Chalmers", string? id = null, string? mrn = null) =>
        $$"""{"resourceType":"Patient"{{Id(id)}},{{Mrn(mrn)}}"name":[{"family":"{{family}}","given":["Peter"]}],"gender":"male"}""";

    public static string Observation(string patient, string category = "vital-signs", string value = "72", string effective = "2026-02-01T10:00:00Z", string? id = null, string status = "final", string? mrn = null) =>
        $$"""
        {"resourceType":"Observation"{{Id(id)}},"status":"{{status}}",
         "identifier":[{"system":"urn:example:obs","value":"{{mrn ?? Unique("obs")}}"}],
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{{category}}"}]}],
         "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},
         "subject":{"reference":"Patient/{{patient}}"},"effectiveDateTime":"{{effective}}",
         "valueQuantity":{"value":{{value}},"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"} }
        """;

    public static void AssertOutcome(this Answer answer, int status, string? code = null)
    {
        Assert.True(answer.Status == status, $"expected {status}, got {answer.Status}: {answer.Body}");
        Assert.StartsWith("application/fhir+json", answer.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal("OperationOutcome", answer.Json.GetProperty("resourceType").GetString());
        Assert.NotEqual(0, answer.Json.GetProperty("issue").GetArrayLength());
        if (code is not null)
        {
            Assert.Equal(code, answer.IssueCode);
        }
    }

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string Mrn(string? mrn) => mrn is null ? "" : $"\"identifier\":[{{\"system\":\"urn:example:mrn\",\"value\":\"{mrn}\"}}],";

    private static string Id(string? id) => id is null ? "" : $",\"id\":\"{id}\"";
}
