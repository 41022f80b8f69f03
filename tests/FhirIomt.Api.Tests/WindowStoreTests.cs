using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FhirIomt.Server.Devices;
using FhirIomt.Storage.Sql;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Tests;

/// <summary>Readings that share Observations, on either engine: concurrent batches lose nothing, what is deleted stays deleted, and the store is as it should be.</summary>
public sealed class WindowStoreTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Device = """
        {"templateType":"CollectionContent","template":[{"templateType":"JsonPathContent","template":{"typeName":"hr","typeMatchExpression":"$..[?(@hr)]","deviceIdExpression":"$.dev","timestampExpression":"$.t","values":[{"valueName":"hr","valueExpression":"$.hr","required":true}]}}]}
        """;

    private const string Fhir = """
        {"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{"typeName":"hr","codes":[{"code":"80404-7","system":"http://loinc.org"}],"periodInterval":60,"value":{"valueType":"SampledData","valueName":"hr","unit":"ms","defaultPeriod":60000}}}]}
        """;

    private readonly FhirCaller _all = fixture.All;

    [Fact]
    public async Task Batches_at_once_fill_one_hour_and_every_reading_is_told_where_it_is()
    {
        var worn = await WearAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(batch => PostAsync(worn, Enumerable.Range(0, 6).Select(index => Message(worn, (batch * 6) + index + 1, (batch * 6) + index, 0)))));

        var hour = Assert.Single(await ObservationsAsync(worn));
        Assert.Equal(Enumerable.Range(1, 60).Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)), hour.GetProperty("valueSampledData").Text("data").Split(' '));
        Assert.All(answers.SelectMany(answer => answer), message => Assert.Equal($"Observation/{hour.Text("id")}", message.GetProperty("observations")[0].GetString()));
        Assert.NotEqual(0, (await _all.GetAsync($"Provenance?target=Observation/{hour.Text("id")}&_total=accurate")).Total());
        var (found, _) = await ((SqlStore)fixture.Server.Store).CheckAsync(repair: false, progress: null, CancellationToken.None);
        Assert.Equal([], found.Named);
    }

    [Fact]
    public async Task An_hour_that_was_deleted_stays_deleted_when_it_is_sent_again_and_new_readings_stand_apart()
    {
        var worn = await WearAsync();
        await PostAsync(worn, [Message(worn, 1, 0, 0), Message(worn, 2, 1, 0)]);
        var hour = Assert.Single(await ObservationsAsync(worn));
        Assert.Equal(204, (await _all.SendAsync(HttpMethod.Delete, $"Observation/{hour.Text("id")}", null)).Status);

        var again = await PostAsync(worn, [Message(worn, 1, 0, 0), Message(worn, 2, 1, 0)]);
        Assert.All(again, message => Assert.Equal("duplicate", message.Text("status")));
        Assert.Empty(await ObservationsAsync(worn));
        await PostAsync(worn, [Message(worn, 3, 2, 0)]);
        Assert.Equal("3", Assert.Single(await ObservationsAsync(worn)).GetProperty("valueSampledData").Text("data"));
    }

    [Fact]
    public async Task Many_readings_a_second_are_each_found()
    {
        var worn = await WearAsync();
        await PostAsync(worn, Enumerable.Range(0, 40).Select(index => Message(worn, index + 1, 5, index * 25)));
        Assert.Equal(40, (await ObservationsAsync(worn)).SelectMany(observation => observation.GetProperty("valueSampledData").Text("data").Split(' ')).Count(token => token != "E"));
    }

    private static string Message(Worn worn, int value, int minute, int milliseconds) => $$"""{"hr":{{value}},"dev":"{{worn.Identifier}}","t":"2026-02-01T22:{{minute:00}}:00.{{milliseconds:000}}Z"}""";

    private async Task<List<JsonElement>> ObservationsAsync(Worn worn)
    {
        var answer = await _all.GetAsync($"Observation?patient={worn.Patient}&_count=100");
        return !answer.Json.TryGetProperty("entry", out var entries) ? [] : [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource"))];
    }

    private async Task<Worn> WearAsync()
    {
        var services = fixture.Server.Services;
        (await services.GetRequiredService<MappingCatalog>().AddAsync("window", Encoding.UTF8.GetBytes(Device), Encoding.UTF8.GetBytes(Fhir), IdentityMode.Lookup, CancellationToken.None)).Require();
        var (patient, identifier) = (await _all.CreateAsync(Given.Patient()), Given.Unique("device"));
        var (_, credential) = (await services.GetRequiredService<Registrar>().AddDeviceAsync(new NewDevice("urn:test", identifier, null, patient, null, "window"), CancellationToken.None)).Require();
        return new Worn(patient, identifier, credential);
    }

    private async Task<List<JsonElement>> PostAsync(Worn worn, IEnumerable<string> messages)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, fixture.Server.Root + "/devices/messages") { Content = new StringContent($"[{string.Join(',', messages)}]", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", worn.Credential);
        using var response = await fixture.Server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("messages").EnumerateArray()];
    }

    private sealed record Worn(string Patient, string Identifier, string Credential);
}
