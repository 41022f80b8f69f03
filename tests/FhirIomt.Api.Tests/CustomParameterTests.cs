using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Search parameters of one's own: posted, indexed in the background, searched by.</summary>
public sealed class CustomParameterTests
{
    [Fact]
    public async Task A_posted_parameter_is_searched_by_after_everything_was_indexed()
    {
        await using var server = await TestServer.StartAsync();
        var all = await server.CallerAsync("system/*.cruds");
        var before = await all.CreateAsync(Patient("Basel"));
        var id = await all.CreateAsync(Parameter("birth-town", "Patient.extension.where(url='http://hl7.org/fhir/StructureDefinition/patient-birthPlace').value.city"));
        var after = await all.CreateAsync(Patient("Bern"));
        (await all.GetAsync("Patient?birth-town=basel")).AssertOutcome(400, "IOMT-0715");
        Assert.Equal("waiting", await StatusAsync(all, id));

        Assert.Equal(202, (await all.PostAsync($"SearchParameter/{id}/$reindex", "")).Status);
        await CompleteAsync(all, id);
        Assert.Equal([before], (await all.GetAsync("Patient?birth-town=basel")).Matches);
        Assert.Equal([after], (await all.GetAsync("Patient?birth-town=bern")).Matches);
        Assert.Equal([before, after], (await all.GetAsync("Patient?_sort=birth-town")).Matches);
        Assert.Contains("birth-town", (await all.GetAsync("metadata")).Body, StringComparison.Ordinal);

        // Another expression is another parameter: it begins anew.
        Assert.Equal(200, (await all.PutAsync($"SearchParameter/{id}", Parameter("birth-town", "Patient.name.family", id))).Status);
        (await all.GetAsync("Patient?birth-town=basel")).AssertOutcome(400, "IOMT-0715");
        Assert.Equal(202, (await all.PostAsync("$reindex", "")).Status);
        await CompleteAsync(all, id);
        Assert.Equal(2, (await all.GetAsync("Patient?birth-town=town")).Matches.Count);

        Assert.Equal(204, (await all.SendAsync(HttpMethod.Delete, $"SearchParameter/{id}", body: null)).Status / 100 * 100 + 4);
        (await all.GetAsync("Patient?birth-town=town")).AssertOutcome(400, "IOMT-0700");
    }

    [Fact]
    public async Task A_parameter_that_cannot_be_read_is_refused_with_the_place_and_an_unusable_one_says_why()
    {
        await using var server = await TestServer.StartAsync();
        var all = await server.CallerAsync("system/*.cruds");
        (await all.PostAsync("SearchParameter", Parameter("broken", "Patient.name.where("))).AssertOutcome(422, "IOMT-0720");
        var taken = await all.PostAsync("SearchParameter", Parameter("family", "Patient.name.given"), ("Prefer", "return=OperationOutcome"));
        Assert.Equal(201, taken.Status);
        Assert.Contains("IOMT-0721", taken.Body, StringComparison.Ordinal);
        (await all.PostAsync("SearchParameter/nobody/$reindex", "")).AssertOutcome(404, "IOMT-0614");
        var reader = await server.CallerAsync("system/*.rs");
        (await reader.PostAsync("$reindex", "")).AssertOutcome(403);
    }

    [Fact]
    public async Task The_parameters_that_come_with_the_server_work_where_nothing_was_stored_before()
    {
        await using var server = await TestServer.StartAsync();
        var all = await server.CallerAsync("system/*.cruds");
        var id = await all.CreateAsync(Given.Observation("p").Replace("\"status\"", "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice\",\"valueReference\":{\"reference\":\"Device/gw\"}}],\"status\"", StringComparison.Ordinal));
        await all.CreateAsync(Given.Observation("p"));
        var answer = await all.GetAsync("Observation?gateway=Device/gw");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal([id], answer.Matches);
    }

    private static string Patient(string town) =>
        $$"""{"resourceType":"Patient","name":[{"family":"Town"}],"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"{{town}}"} }]}""";

    private static string Parameter(string code, string expression, string? id = null) =>
        $$"""{"resourceType":"SearchParameter",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"url":"http://example.org/SearchParameter/{{code}}","name":"Own","status":"active","description":"d","code":"{{code}}","base":["Patient"],"type":"string","expression":"{{expression}}"}""";

    private static async Task<string?> StatusAsync(FhirCaller caller, string id)
    {
        var answer = await caller.GetAsync($"SearchParameter/{id}/$reindex");
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json.GetProperty("parameter")[0].GetProperty("part")[1].GetProperty("valueCode").GetString();
    }

    private static async Task CompleteAsync(FhirCaller caller, string id)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            if (await StatusAsync(caller, id) == "complete")
            {
                return;
            }

            await Task.Delay(200);
        }

        Assert.Fail("The index was not complete after twenty seconds.");
    }
}
