using System.Text.Json.Nodes;
using FhirIomt.Server.Devices;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests;

/// <summary>Readings that share Observations, through the whole server: nothing is lost, nothing is double, nothing grows without end.</summary>
public sealed class WindowTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Two_readings_of_one_slot_are_both_kept_and_a_resend_changes_nothing()
    {
        var sender = await SenderAsync(60, """{"valueType":"SampledData","valueName":"hr","unit":"/min","defaultPeriod":600000}""");
        string[] messages = [Message(1, "22:06:01"), Message(2, "22:46:01"), Message(3, "22:46:30")];
        await PostAsync(sender, messages);
        var first = await ReadAsync(sender);
        Assert.Equal(["1 E E E 2 E", "3"], first.Select(Data));
        await PostAsync(sender, messages);
        Assert.Equal(first.Select(node => node.ToJsonString()), (await ReadAsync(sender)).Select(node => node.ToJsonString()));
    }

    [Fact]
    public async Task A_late_batch_fills_the_hour_and_a_corrected_value_replaces_its_own_moment_only()
    {
        var sender = await SenderAsync(60, """{"valueType":"SampledData","valueName":"hr","unit":"/min","defaultPeriod":600000}""");
        await PostAsync(sender, Message(1, "22:06:01"), Message(2, "22:46:01"));
        await PostAsync(sender, Message(5, "22:26:01"), Message(9, "22:46:01"));
        var hour = Assert.Single(await ReadAsync(sender));
        Assert.Equal("1 E 5 E 9 E", Data(hour));
        Assert.Equal("amended", (string)hour["status"]!);
    }

    [Fact]
    public async Task A_day_of_seconds_is_cut_into_chunks_of_at_most_a_thousand_slots()
    {
        var sender = await SenderAsync(1440, """{"valueType":"SampledData","valueName":"hr","unit":"/min","defaultPeriod":1000}""");
        await PostAsync(sender, Message(1, "00:00:00"), Message(2, "00:00:01"), Message(3, "23:59:59"));
        var chunks = await ReadAsync(sender);
        Assert.Equal([900, 900], chunks.Select(chunk => Data(chunk).Split(' ').Length));
        Assert.Equal(["2019-02-01T00:00:00.0000000Z", "2019-02-01T23:45:00.0000000Z"], chunks.Select(chunk => (string)chunk["effectivePeriod"]!["start"]!));
    }

    [Fact]
    public async Task A_correlation_keeps_its_grid_and_every_reading()
    {
        var sender = await SenderAsync(-1, """{"valueType":"SampledData","valueName":"hr","unit":"/min","defaultPeriod":1000}""");
        await PostAsync(sender, Message(2, "22:00:01"), Message(3, "22:00:02"));
        await PostAsync(sender, Message(1, "21:59:59.5"), Message(4, "22:00:03"), Message(5, "22:30:00"));
        var found = await ReadAsync(sender);
        Assert.Equal("1 E 2 3 4", Data(found[0]));
        Assert.EndsWith(" E 5", Data(found[1]), StringComparison.Ordinal);
        Assert.True(Data(found[1]).Split(' ').Length <= 1000);
    }

    [Fact]
    public async Task Quantities_of_one_hour_do_not_overwrite_each_other()
    {
        var sender = await SenderAsync(60, """{"valueType":"Quantity","valueName":"hr","unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}""");
        await PostAsync(sender, Message(1, "22:06:01"));
        await PostAsync(sender, Message(2, "22:46:01"), Message(1, "22:06:01"));
        await PostAsync(sender, Message(2, "22:46:01"));
        Assert.Equal([1, 2], (await ReadAsync(sender)).Select(node => (int)node["valueQuantity"]!["value"]!));
    }

    [Fact]
    public async Task With_lookup_with_encounter_a_message_without_encounter_waits()
    {
        var (mapping, vendor) = (server.Name("window"), server.Name("window-vendor"));
        await server.AddMappingAsync(mapping, Device, Fhir(0, """{"valueType":"String","valueName":"hr"}"""), IdentityMode.LookupWithEncounter);
        var credential = await server.AddVendorAsync(vendor, mapping);
        await server.AddDeviceAsync("d", vendor, await server.AddPatientAsync(), mapping: mapping);
        Assert.Equal("quarantined IOMT-0438", (await server.PostAsync(credential, "[" + Message(1, "22:06:01") + "]")).Only.Summary);
    }

    private sealed record Vendor(string Name, string Credential);

    private async Task<Vendor> SenderAsync(int period, string value)
    {
        var (mapping, vendor) = (server.Name("window"), server.Name("window-vendor"));
        await server.AddMappingAsync(mapping, Device, Fhir(period, value), IdentityMode.Create);
        return new Vendor(vendor, await server.AddVendorAsync(vendor, mapping));
    }

    private async Task PostAsync(Vendor sender, params string[] messages)
    {
        var answer = await server.PostAsync(sender.Credential, "[" + string.Join(',', messages) + "]");
        Assert.All(answer.Receipts, receipt => Assert.True(receipt.Status is "stored" or "updated" or "duplicate" && receipt.Observations.Count == 1, answer.Text));
    }

    private async Task<List<JsonObject>> ReadAsync(Vendor sender)
    {
        var (token, root) = (await server.TokenAsync(), server.Http.BaseAddress!.ToString());
        var found = new List<JsonObject>();
        await foreach (var device in FhirSearch.AllAsync(server.Http, root, $"Device?identifier=https://fhiriomt.org/vendors/{sender.Name}/devices|", token))
        {
            await foreach (var observation in FhirSearch.AllAsync(server.Http, root, $"Observation?device=Device/{device["id"]}", token))
            {
                found.Add(observation);
            }
        }

        return [.. found.OrderBy(observation => (string)observation["effectivePeriod"]!["start"]!, StringComparer.Ordinal)];
    }

    private const string Device = """
        {"templateType":"CollectionContent","template":[{"templateType":"JsonPathContent","template":{"typeName":"hr","typeMatchExpression":"$..[?(@hr)]","deviceIdExpression":"$.dev",
          "patientIdExpression":"$.dev","timestampExpression":"$.t","correlationIdExpression":"$.c","values":[{"valueName":"hr","valueExpression":"$.hr","required":true}]} }]}
        """;

    private static string Fhir(int period, string value) => $$"""
        {"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{"typeName":"hr","codes":[{"code":"8867-4","system":"http://loinc.org"}],"periodInterval":{{period}},"value":{{value}}} }]}
        """;

    private static string Message(int value, string time) => $$"""{"hr":{{value}},"dev":"d","c":"s1","t":"2019-02-01T{{time}}Z"}""";

    private static string Data(JsonNode observation) => (string)observation["valueSampledData"]!["data"]!;
}
