using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Definitions;
using FhirIomt.Server.Devices;
using FhirIomt.Storage.Sql;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Tests;

/// <summary>What devices send comes with where it came from, for those who may see it, and it stays as it was written.</summary>
public sealed class ReadingProvenanceTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly FhirCaller _all = fixture.All;

    [Fact]
    public async Task A_reading_is_found_with_the_device_the_sender_the_mapping_and_the_software_that_made_it()
    {
        var worn = await WearAsync();
        var message = await SendAsync(worn, Message(worn, "72", 1));

        var provenance = await OnlyAsync($"Provenance?target={message.Observation}");

        Assert.Equal([$"{message.Observation}/_history/1"], Targets(provenance));
        Assert.Equal($"Patient/{worn.Patient}", provenance.GetProperty("extension")[0].GetProperty("valueReference").Text("reference"));
        Assert.Equal($"Device/{worn.Device}", provenance.GetProperty("agent")[0].GetProperty("who").Text("reference"));
        Assert.Equal(["author", "transmitter", "assembler"], provenance.GetProperty("agent").EnumerateArray().Select(agent => agent.GetProperty("type").GetProperty("coding")[0].Text("code")));
        Assert.Equal($"device/{worn.Device}", provenance.GetProperty("agent")[1].GetProperty("who").GetProperty("identifier").Text("value"));
        Assert.StartsWith("FhirIomt ", provenance.GetProperty("agent")[2].GetProperty("who").Text("display"), StringComparison.Ordinal);
        var mapping = fixture.Server.Services.GetRequiredService<MappingCatalog>();
        var active = await mapping.FindAsync("vitals", CancellationToken.None);
        Assert.Equal([$"vitals/{active!.Version}/{active.Set.Version}", $"{message.Id[..message.Id.LastIndexOf('-')]}-0"], provenance.GetProperty("entity").EnumerateArray().Select(entity => entity.GetProperty("what").GetProperty("identifier").Text("value")));
        Assert.Equal("CREATE", provenance.GetProperty("activity").GetProperty("coding")[0].Text("code"));
        var issues = fixture.Server.Services.GetRequiredService<ServerDefinitions>().Validator.Validate(JsonTree.Parse(Encoding.UTF8.GetBytes(provenance.GetRawText())).Require());
        Assert.DoesNotContain(issues, issue => issue.Refuses);
    }

    [Fact]
    public async Task Another_value_has_a_provenance_of_its_own_and_a_resent_reading_has_none()
    {
        var worn = await WearAsync();
        var first = await SendAsync(worn, Message(worn, "72", 2));
        await SendAsync(worn, Message(worn, "72", 2));
        Assert.Equal(1, (await _all.GetAsync($"Provenance?target={first.Observation}&_total=accurate")).Total());

        await SendAsync(worn, Message(worn, "75", 2));

        var found = Resources(await _all.GetAsync($"Provenance?target={first.Observation}&_sort=_lastUpdated"));
        Assert.Equal([$"{first.Observation}/_history/1", $"{first.Observation}/_history/2"], found.SelectMany(Targets));
        Assert.Equal("UPDATE", found[1].GetProperty("activity").GetProperty("coding")[0].Text("code"));
    }

    [Fact]
    public async Task A_batch_of_two_patients_has_a_provenance_for_each_and_nobody_sees_the_others()
    {
        var vendor = Given.Unique("vendor");
        var registrar = fixture.Server.Services.GetRequiredService<Registrar>();
        var credential = (await registrar.AddVendorAsync(vendor, "vitals", CancellationToken.None)).Require();
        var (one, two) = (await WearAsync(vendor), await WearAsync(vendor));
        var answer = await PostAsync(credential, $"[{Message(one, "71", 1)},{Message(two, "81", 1)},{Message(one, "72", 2)}]");
        var observations = answer.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("observations")[0].GetString()!).ToList();

        var patient = fixture.Server.Caller("patient/*.rs", People.Patient(one.Patient), one.Patient);
        var seen = await OnlyAsync("Provenance", patient);

        Assert.Equal([$"{observations[0]}/_history/1", $"{observations[2]}/_history/1"], Targets(seen));
        Assert.Equal(200, (await patient.GetAsync($"Provenance/{seen.Text("id")}")).Status);
        var other = await OnlyAsync($"Provenance?target={observations[1]}");
        Assert.Equal([$"{observations[1]}/_history/1"], Targets(other));
        Assert.Equal(404, (await patient.GetAsync($"Provenance/{other.Text("id")}")).Status);
        Assert.Equal(404, (await patient.GetAsync($"Provenance/{other.Text("id")}/_history/1")).Status);
        Assert.Equal(0, (await patient.GetAsync($"Provenance?target={observations[1]}&_total=accurate")).Total());
        Assert.Equal(seen.Text("id"), Resources(await patient.GetAsync($"Observation?_id={observations[0].Split('/')[1]}&_revinclude=Provenance:target")).Single(resource => resource.Text("resourceType") == "Provenance").Text("id"));
        Assert.Equal(2, Resources(await patient.GetAsync($"Provenance?_include=Provenance:target")).Count(resource => resource.Text("resourceType") == "Observation"));
        Assert.Equal(200, (await patient.GetAsync($"Provenance/{seen.Text("id")}/_history")).Status);
    }

    [Fact]
    public async Task A_clinician_sees_those_of_the_own_patients_only()
    {
        var doctor = await _all.CreateAsync(People.Practitioner);
        var (own, stranger) = (await WearAsync(doctor: doctor), await WearAsync());
        var (mine, theirs) = (await SendAsync(own, Message(own, "72", 1)), await SendAsync(stranger, Message(stranger, "72", 1)));
        var clinician = fixture.Server.Caller("user/*.rs", People.Clinician(doctor));

        Assert.Equal(1, (await clinician.GetAsync($"Provenance?target={mine.Observation}&_summary=count")).Total());
        Assert.Equal(0, (await clinician.GetAsync($"Provenance?target={theirs.Observation}&_summary=count")).Total());
    }

    [Fact]
    public async Task The_whole_record_of_a_patient_has_it()
    {
        var worn = await WearAsync();
        var message = await SendAsync(worn, Message(worn, "72", 1));

        var everything = Resources(await _all.GetAsync($"Patient/{worn.Patient}/$everything"));

        Assert.Equal([$"{message.Observation}/_history/1"], Targets(everything.Single(resource => resource.Text("resourceType") == "Provenance")));
        Assert.Equal(1, (await _all.GetAsync($"Provenance?patient={worn.Patient}&_total=accurate")).Total());
        Assert.Equal(1, (await _all.GetAsync($"Patient/{worn.Patient}/Provenance?_total=accurate")).Total());
    }

    [Fact]
    public async Task Nobody_changes_or_deletes_it_by_whatever_way()
    {
        var worn = await WearAsync();
        var message = await SendAsync(worn, Message(worn, "72", 1));
        var before = await OnlyAsync($"Provenance?target={message.Observation}");
        var id = before.Text("id");
        var body = before.GetRawText();
        var search = $"target={message.Observation}";
        const string Patch = """[{"op":"replace","path":"/recorded","value":"2020-01-01T00:00:00Z"}]""";

        Answer[] answers =
        [
            await _all.SendAsync(HttpMethod.Put, $"Provenance/{id}", body),
            await _all.SendAsync(HttpMethod.Put, $"Provenance?{search}", body),
            await _all.SendAsync(HttpMethod.Delete, $"Provenance/{id}", body: null),
            await _all.SendAsync(HttpMethod.Patch, $"Provenance/{id}", Patch, ("Content-Type", "application/json-patch+json")),
            await _all.SendAsync(HttpMethod.Put, "Provenance/iomt-of-somebody-else", body.Replace(id, "iomt-of-somebody-else", StringComparison.Ordinal)),
        ];

        Assert.All(answers, answer => answer.AssertOutcome(403, "IOMT-0878"));

        // Conditions find what is stored, and this is not.
        Assert.Equal(204, (await _all.SendAsync(HttpMethod.Delete, $"Provenance?{search}", body: null)).Status);
        Assert.Equal(404, (await _all.SendAsync(HttpMethod.Patch, $"Provenance?{search}", Patch, ("Content-Type", "application/json-patch+json"))).Status);
        Assert.Equal(body, (await _all.GetAsync($"Provenance/{id}")).Json.GetRawText());
    }

    [Fact]
    public async Task Systems_say_themselves_where_their_records_came_from_and_whom_they_are_about()
    {
        var patient = await _all.CreateAsync(Given.Patient());
        var observation = await _all.CreateAsync(Given.Observation(patient));
        string Provenance(string extension) => $$"""
            {"resourceType":"Provenance",{{extension}}"target":[{"reference":"Observation/{{observation}}"}],"recorded":"2026-02-01T10:00:00Z","agent":[{"who":{"display":"Another system"} }]}
            """;
        await _all.CreateAsync(Provenance(""));
        var owned = await _all.CreateAsync(Provenance($$"""
            "extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient","valueReference":{"reference":"Patient/{{patient}}"} }],
            """));

        var seen = await fixture.Server.Caller("patient/*.rs", People.Patient(patient), patient).GetAsync("Provenance");

        Assert.Equal(owned, Assert.Single(Resources(seen)).Text("id"));
    }

    [Fact]
    public async Task Pages_go_from_what_systems_brought_on_to_what_devices_made_and_miss_nothing()
    {
        var worn = await WearAsync();
        var brought = await _all.CreateAsync($$"""
            {"resourceType":"Provenance","extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient","valueReference":{"reference":"Patient/{{worn.Patient}}"} }],
             "target":[{"reference":"Patient/{{worn.Patient}}"}],"recorded":"2026-02-01T10:00:00Z","agent":[{"who":{"display":"Another system"} }]}
            """);
        var made = new List<string>();
        for (var second = 1; second <= 5; second++)
        {
            made.Add((await SendAsync(worn, Message(worn, "72", second))).Observation + "/_history/1");
        }

        var (found, next) = (new List<JsonElement>(), $"{fixture.Server.FhirBase}/Provenance?patient={worn.Patient}&_count=2");
        for (; next is not null; next = (await PageAsync(next)).Next!)
        {
            found.AddRange((await PageAsync(next)).Found);
        }

        Assert.Equal(brought, found[0].Text("id"));
        Assert.Equal(made.AsEnumerable().Reverse(), found.Skip(1).SelectMany(Targets));
        Assert.Equal(made, Resources(await _all.GetAsync($"Provenance?patient={worn.Patient}&_sort=_lastUpdated&agent=Device/{worn.Device}&recorded=ge2026-02-02")).SelectMany(Targets));
        (await _all.GetAsync("Provenance?target:Observation.status=final")).AssertOutcome(400, "IOMT-0879");

        async Task<(List<JsonElement> Found, string? Next)> PageAsync(string url)
        {
            var answer = await _all.GetAsync(url);
            return (Resources(answer), answer.Link("next"));
        }
    }

    [Fact]
    public async Task The_store_is_as_its_check_expects_it()
    {
        var worn = await WearAsync();
        await SendAsync(worn, $"[{Message(worn, "72", 1)},{Message(worn, "73", 2)},{Message(worn, "73", 2)}]");

        var (found, _) = await ((SqlStore)fixture.Server.Store).CheckAsync(repair: false, progress: null, CancellationToken.None);

        Assert.Equal([], found.Named);
    }

    private static IEnumerable<string> Targets(JsonElement provenance) => provenance.GetProperty("target").EnumerateArray().Select(target => target.Text("reference"));

    private static List<JsonElement> Resources(Answer answer) => !answer.Json.TryGetProperty("entry", out var entries) ? [] : [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource"))];

    private static string Message(Worn worn, string rate, int second) => $$"""{"deviceId":"{{worn.Identifier}}","time":"2026-02-01T22:46:{{second:00}}Z","heartRate":{{rate}}}""";

    private async Task<JsonElement> OnlyAsync(string search, FhirCaller? caller = null) => Assert.Single(Resources(await (caller ?? _all).GetAsync(search)));

    private async Task<Worn> WearAsync(string? vendor = null, string? doctor = null)
    {
        var patient = await _all.CreateAsync(doctor is null ? Given.Patient() : People.PatientOf(doctor));
        var identifier = Given.Unique("device");
        var (device, credential) = (await fixture.Server.Services.GetRequiredService<Registrar>().AddDeviceAsync(new NewDevice("urn:test", identifier, vendor, patient, null, "vitals"), CancellationToken.None)).Require();
        return new Worn(patient, device, identifier, credential);
    }

    private async Task<(string Id, string Observation)> SendAsync(Worn worn, string message)
    {
        var first = (await PostAsync(worn.Credential, message)).GetProperty("messages")[0];
        return (first.Text("id"), first.GetProperty("observations")[0].GetString()!);
    }

    private async Task<JsonElement> PostAsync(string credential, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, fixture.Server.Root + "/devices/messages") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        using var response = await fixture.Server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private sealed record Worn(string Patient, string Device, string Identifier, string Credential);
}
