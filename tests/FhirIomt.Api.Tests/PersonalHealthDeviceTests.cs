using System.Text.Json.Nodes;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>What gateways of HL7's guide for personal health devices upload: transactions and batches with conditional creates, and every published example.</summary>
public sealed class PersonalHealthDeviceTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Identifiers = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation";
    private const string SystemIds = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680";

    private FhirCaller All => fixture.All;

    [Theory]
    [InlineData("transaction")]
    [InlineData("batch")]
    public async Task An_upload_that_is_sent_again_creates_nothing(string type)
    {
        var key = Given.Unique(type);
        var (patient, gateway, device) = (await IdAsync("Patient"), await IdAsync("Device"), await IdAsync("Device"));
        var first = await All.PostAsync("", Upload(type, key, patient, gateway, device));
        var again = await All.PostAsync("", Upload(type, key, patient, gateway, device));
        Assert.Equal(["200", "200", "200", "201", "201"], Statuses(first));
        Assert.Equal(["200", "200", "200", "200", "200"], Statuses(again));
        Assert.Equal(Locations(first), Locations(again));

        async Task<string> IdAsync(string what) => await All.CreateAsync(what == "Patient" ? Patient(key) : Device(Given.Unique(key)));
    }

    [Fact]
    public async Task A_whole_upload_with_temporary_ids_is_one_transaction()
    {
        var key = Given.Unique("phd");
        var first = await All.PostAsync("", Upload("transaction", key, null, null, null));
        var again = await All.PostAsync("", Upload("transaction", key, null, null, null));
        Assert.Equal(["201", "201", "201", "201", "201"], Statuses(first));
        Assert.Equal(["200", "200", "200", "200", "200"], Statuses(again));
        var places = Locations(first);
        var stored = JsonNode.Parse((await All.GetAsync(places[4])).Body)!;
        Assert.Equal(places[0], (string)stored["subject"]!["reference"]!);
        Assert.Equal(places[2], (string)stored["device"]!["reference"]!);
        Assert.Equal(places[1], (string)stored["extension"]![0]!["valueReference"]!["reference"]!);
        Assert.Equal("36.0", stored["valueQuantity"]!["value"]!.ToJsonString());
    }

    [Fact]
    public async Task Uploads_at_the_same_time_create_each_device_and_reading_once()
    {
        var key = Given.Unique("phd");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => All.PostAsync("", Upload("transaction", key, null, null, null))));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(5, answers.SelectMany(Locations).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(5, answers.SelectMany(Statuses).Count(status => status == "201"));
    }

    [Fact]
    public async Task The_published_examples_are_stored_as_they_are()
    {
        var folder = SharedData.Require("device-data/phd-fhir-examples");
        var examples = Directory.GetFiles(folder, "*.json").Select(file => (Name: Path.GetFileName(file), Text: File.ReadAllText(file))).Where(example => (string)JsonNode.Parse(example.Text)!["resourceType"]! != "Bundle").ToList();
        var refused = new List<string>();
        foreach (var (name, text) in examples.OrderBy(example => Order((string)JsonNode.Parse(example.Text)!["resourceType"]!)))
        {
            var example = JsonNode.Parse(text)!;
            var address = $"{example["resourceType"]}/{example["id"]}";
            var answer = await All.PutAsync(address, text);
            if (answer.Status is not (200 or 201))
            {
                refused.Add($"{name} {answer.Status} {answer.Body}");
                continue;
            }

            var stored = JsonNode.Parse((await All.GetAsync(address)).Body)!;
            stored.AsObject().Remove("meta");
            example.AsObject().Remove("meta");
            Assert.True(JsonNode.DeepEquals(example, stored), name);
        }

        Assert.Equal([], refused);
        Assert.Equal(27, examples.Count);

        static int Order(string type) => type switch { "Patient" => 0, "Device" => 1, "DeviceMetric" => 2, _ => 3 };
    }

    [Theory]
    [InlineData("bundle-example-1.json", 6)]
    [InlineData("bundle-continuousnonin.json", 47)]
    public async Task The_published_uploads_are_taken_whole_and_know_their_devices_again(string name, int entries)
    {
        var upload = File.ReadAllText(Path.Combine(SharedData.Require("device-data/phd-fhir-examples"), name));
        var first = await All.PostAsync("", upload);
        var again = await All.PostAsync("", upload);
        Assert.Equal(Enumerable.Repeat("201", entries), Statuses(first));
        Assert.Equal(entries, Statuses(again).Count);
        foreach (var (before, after) in Locations(first).Zip(Locations(again)).Where(pair => pair.First.StartsWith("Device/", StringComparison.Ordinal)))
        {
            Assert.Equal(before, after);
        }
    }

    [Fact]
    public async Task Examples_with_an_identifier_of_the_guide_are_created_once_by_it()
    {
        var folder = SharedData.Require("device-data/phd-fhir-examples");
        var entries = new List<string>();
        foreach (var file in Directory.GetFiles(folder, "*.json"))
        {
            var example = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
            if ((string)example["resourceType"]! == "Observation" && example["identifier"]?[0]?["value"] is { } value)
            {
                // Its own id would be taken by another test.
                example.AsObject().Remove("id");
                example["identifier"]![0]!["value"] = $"once-{value}";
                entries.Add(Entry(example.ToJsonString(), "Observation", null, $"identifier={Identifiers}|once-{value}"));
            }
        }

        Assert.NotEmpty(entries);
        foreach (var type in (string[])["transaction", "batch"])
        {
            var answer = await All.PostAsync("", Bundle(type, entries));
            Assert.Equal(Enumerable.Repeat(type == "transaction" ? "201" : "200", entries.Count), Statuses(answer));
        }
    }

    private static string Upload(string type, string key, string? patient, string? gateway, string? device)
    {
        var (patientAt, gatewayAt, deviceAt) = (patient is null ? "urn:uuid:11111111-0000-4000-8000-000000000001" : "Patient/" + patient, gateway is null ? "urn:uuid:11111111-0000-4000-8000-000000000002" : "Device/" + gateway, device is null ? "urn:uuid:11111111-0000-4000-8000-000000000003" : "Device/" + device);
        return Bundle(type,
        [
            Entry(Patient(key), "Patient", patient is null ? patientAt : null, patient is null ? $"identifier=urn:oid:2.999.1.2.3|{key}" : $"_id={patient}"),
            Entry(Device(key + "-G"), "Device", gateway is null ? gatewayAt : null, gateway is null ? $"identifier={SystemIds}|{key}-G" : $"_id={gateway}"),
            Entry(Device(key + "-D"), "Device", device is null ? deviceAt : null, device is null ? $"identifier={SystemIds}|{key}-D" : $"_id={device}"),
            .. new[] { ("8310-5", "150364", "36.6", "Cel"), ("8302-2", "188740", "36.0", "cm") }.Select(reading => Entry(Reading(reading, key, patientAt, gatewayAt, deviceAt), "Observation", null, $"identifier={Identifiers}|{key}-{reading.Item2}-20181119175902.00")),
        ]);
    }

    private static string Patient(string key) => $$"""{"resourceType":"Patient","identifier":[{"system":"urn:oid:2.999.1.2.3","value":"{{key}}"}],"name":[{"family":"Sisansarah"}]}""";

    private static string Device(string key) => $$"""
        {"resourceType":"Device","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers","code":"SYSID"}] },"system":"{{SystemIds}}","value":"{{key}}"}],"manufacturer":"Example"}
        """;

    private static string Reading((string Loinc, string Mdc, string Value, string Unit) reading, string key, string patient, string gateway, string device) => $$"""
        {"resourceType":"Observation","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice","valueReference":{"reference":"{{gateway}}"} }],
         "identifier":[{"system":"{{Identifiers}}","value":"{{key}}-{{reading.Mdc}}-20181119175902.00"}],"status":"final",
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]},{"coding":[{"system":"http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories","code":"phd"}]}],
         "code":{"coding":[{"system":"urn:iso:std:iso:11073:10101","code":"{{reading.Mdc}}"},{"system":"http://loinc.org","code":"{{reading.Loinc}}"}]},
         "subject":{"reference":"{{patient}}"},"effectiveDateTime":"2018-11-19T17:59:02-05:00","device":{"reference":"{{device}}"},
         "valueQuantity":{"value":{{reading.Value}},"unit":"{{reading.Unit}}","system":"http://unitsofmeasure.org","code":"{{reading.Unit}}"} }
        """;

    private static string Bundle(string type, IReadOnlyList<string> entries) => $$"""{"resourceType":"Bundle","type":"{{type}}","entry":[{{string.Join(',', entries)}}]}""";

    private static string Entry(string resource, string type, string? fullUrl, string condition) =>
        "{" + (fullUrl is null ? "" : $"\"fullUrl\":\"{fullUrl}\",") + $"\"resource\":{resource},\"request\":{{\"method\":\"POST\",\"url\":\"{type}\",\"ifNoneExist\":\"{condition}\"}}}}";

    private static List<string> Statuses(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").Text("status"))];
    }

    private static List<string> Locations(Answer answer) =>
        [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => string.Join('/', entry.GetProperty("response").Text("location").Split('/')[^4..^2]))];
}
