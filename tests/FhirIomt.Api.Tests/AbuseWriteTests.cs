using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Abuse cases B: leaving the patient's compartment by writing, under their numbers. Nothing of the other patient changes.</summary>
public sealed class AbuseWriteTests(TwoPatients world) : IClassFixture<TwoPatients>
{
    private FhirCaller Ta => world.Ta;

    [Fact]
    public async Task B34_B35_nothing_is_created_for_another_or_for_nobody()
    {
        var before = await CountAsync();
        var own = Given.Observation(world.A.Patient);
        foreach (var subject in (string[])[$"\"reference\":\"Patient/{world.B.Patient}\"", $"\"reference\":\"Group/{world.Group}\"", "\"display\":\"Ashton\"", "\"identifier\":{\"system\":\"urn:example:mrn\",\"value\":\"mrn-Ashton\"}", $"\"reference\":\"http://elsewhere.example/Patient/{world.A.Patient}\""])
        {
            (await Ta.PostAsync("Observation", own.Replace($"\"reference\":\"Patient/{world.A.Patient}\"", subject, StringComparison.Ordinal))).AssertOutcome(403, "IOMT-0603");
        }

        (await Ta.PostAsync("Observation", own.Replace($"\"subject\":{{\"reference\":\"Patient/{world.A.Patient}\"}},", "", StringComparison.Ordinal))).AssertOutcome(403, "IOMT-0603");
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task B36_B37_B38_no_update_and_no_patch_moves_a_resource_from_or_to_another()
    {
        var own = await Ta.CreateAsync(Given.Observation(world.A.Patient));
        (await Ta.PutAsync($"Observation/{own}", Given.Observation(world.B.Patient, id: own))).AssertOutcome(403, "IOMT-0603");
        var move = $$"""[{"op":"replace","path":"/subject/reference","value":"Patient/{{world.B.Patient}}"}]""";
        (await Ta.SendAsync(HttpMethod.Patch, $"Observation/{own}", move, ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0603");
        var fhirPath = $$"""{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.subject.reference"},{"name":"value","valueString":"Patient/{{world.B.Patient}}"}]}]}""";
        (await Ta.SendAsync(HttpMethod.Patch, $"Observation/{own}", fhirPath)).AssertOutcome(403, "IOMT-0603");
        Assert.Equal("W/\"1\"", (await Ta.GetAsync($"Observation/{own}")).Header("ETag"));

        var steal = move.Replace(world.B.Patient, world.A.Patient, StringComparison.Ordinal);
        await TwoPatients.AssertUnknownAsync(id => Ta.PutAsync($"Observation/{id}", Given.Observation(world.A.Patient, id: id, mrn: "same")), world.B.Vital);
        await TwoPatients.AssertUnknownAsync(id => Ta.SendAsync(HttpMethod.Patch, $"Observation/{id}", steal, ("Content-Type", "application/json-patch+json")), world.B.Vital);
        await TwoPatients.AssertUnknownAsync(id => Ta.SendAsync(HttpMethod.Patch, $"Observation/{id}", "[]", ("Content-Type", "application/json-patch+json")), world.B.Vital);
        await TwoPatients.AssertUnknownAsync(id => Ta.PostAsync($"Observation/{id}/$meta-add", """{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}"""), world.B.Vital);
        (await world.Server.Caller("patient/Observation.rs", patient: world.A.Patient).SendAsync(HttpMethod.Patch, $"Observation/{own}", "[]", ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0602");
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task B39_B45_chosen_ids_and_versions_tell_nothing()
    {
        foreach (var header in (string?[])[null, "W/\"1\"", "W/\"7\""])
        {
            (string, string)[] headers = header is null ? [] : [("If-Match", header)];
            await TwoPatients.AssertUnknownAsync(id => Ta.PutAsync($"Observation/{id}", Given.Observation(world.A.Patient, id: id, mrn: "same"), headers), world.B.Vital);
            await TwoPatients.AssertUnknownAsync(id => Ta.SendAsync(HttpMethod.Delete, $"Observation/{id}", body: null, headers), world.B.Vital);
        }

        await TwoPatients.AssertUnknownAsync(id => Ta.PutAsync($"Observation/{id}", Given.Observation(world.A.Patient, id: id, mrn: "same"), ("If-None-Match", "*")), world.B.Vital);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task B40_B41_B42_conditions_find_only_ones_own()
    {
        var created = await Ta.PostAsync("Observation", Given.Observation(world.A.Patient, mrn: "vital-Bexley"), ("If-None-Exist", "identifier=vital-Bexley"));
        Assert.Equal(201, created.Status);
        Assert.DoesNotContain(world.B.Vital, created.Body + created.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(201, (await Ta.PutAsync("Observation?identifier=laboratory-Bexley", Given.Observation(world.A.Patient, mrn: "mine"))).Status);
        Assert.Equal(404, (await Ta.SendAsync(HttpMethod.Patch, "Patient?identifier=mrn-Bexley", """[{"op":"remove","path":"/name"}]""", ("Content-Type", "application/json-patch+json"))).Status);
        Assert.Equal(204, (await Ta.SendAsync(HttpMethod.Delete, $"Observation?patient={world.B.Patient}", body: null)).Status);
        Assert.Equal(204, (await Ta.SendAsync(HttpMethod.Delete, "Condition?code:text=Bexley", body: null)).Status);
        (await Ta.PostAsync("", Bundle("transaction", $$"""{"resource":{{Given.Observation("x").Replace("Patient/x", "Patient?identifier=urn:example:mrn|mrn-Bexley", StringComparison.Ordinal)}},"request":{"method":"POST","url":"Observation"} }"""))).AssertOutcome(412, "IOMT-0612");
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task B43_each_entry_of_a_bundle_is_authorised_by_itself()
    {
        var own = $$"""{"resource":{{Given.Observation(world.A.Patient)}},"request":{"method":"POST","url":"Observation"} }""";
        var theirs = $$"""{"resource":{{Given.Observation(world.B.Patient)}},"request":{"method":"POST","url":"Observation"} }""";
        string[] reads = [$"Observation/{world.B.Vital}", $"Patient/{world.B.Patient}/$everything", $"{world.Server.FhirBase}/Patient/{world.B.Patient}", $"Patient/{world.B.Patient}/_history/1"];
        var batch = await Ta.PostAsync("", Bundle("batch", [own, theirs, .. reads.Select(url => $$"""{"request":{"method":"GET","url":"{{url}}"} }""")]));
        Assert.Equal(["201", "403", "404", "404", "404", "404"], Statuses(batch));
        var before = await CountAsync();
        (await Ta.PostAsync("", Bundle("transaction", own, theirs))).AssertOutcome(403, "IOMT-0603");
        Assert.Equal(before, await CountAsync());
        var elsewhere = await Ta.PostAsync("", Bundle("batch", """{"request":{"method":"GET","url":"http://elsewhere.example/fhir/Patient/1"} }""", """{"request":{"method":"GET","url":"../Patient"} }"""));
        Assert.Equal(["404", "404"], Statuses(elsewhere));
    }

    [Fact]
    public async Task B44_a_reference_to_what_is_hidden_is_taken_as_one_to_what_is_not_there()
    {
        var statuses = new List<int>();
        foreach (var member in (string[])[world.B.Vital, "never-existed"])
        {
            statuses.Add((await Ta.PostAsync("Observation", Given.Observation(world.A.Patient).Replace("\"effectiveDateTime\"", $"\"hasMember\":[{{\"reference\":\"Observation/{member}\"}}],\"effectiveDateTime\"", StringComparison.Ordinal))).Status);
        }

        Assert.Equal(statuses[0], statuses[1]);
    }

    [Fact]
    public async Task B46_what_the_server_owns_of_a_resource_is_the_servers()
    {
        var id = await Ta.CreateAsync(Given.Observation(world.A.Patient).Replace("\"status\"", "\"meta\":{\"versionId\":\"77\",\"lastUpdated\":\"1999-01-01T00:00:00Z\"},\"status\"", StringComparison.Ordinal));
        var meta = (await Ta.GetAsync($"Observation/{id}")).Json.GetProperty("meta");
        Assert.Equal("1", meta.Text("versionId"));
        Assert.DoesNotContain("1999", meta.Text("lastUpdated"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task B48_nobody_forges_or_deletes_who_did_what()
    {
        var provenance = $$$"""{"resourceType":"Provenance","target":[{"reference":"Observation/{{{world.A.Vital}}}"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"reference":"Practitioner/1"}}]}""";
        foreach (var caller in (FhirCaller[])[Ta, world.All])
        {
            (await caller.PostAsync("AuditEvent", """{"resourceType":"AuditEvent"}""")).AssertOutcome(403, "IOMT-0870");
            (await caller.SendAsync(HttpMethod.Delete, "AuditEvent/1", body: null)).AssertOutcome(403, "IOMT-0870");
        }

        (await Ta.PostAsync("Provenance", provenance)).AssertOutcome(403, "IOMT-0870");
        (await Ta.SendAsync(HttpMethod.Delete, "Provenance?target=Observation/1", body: null)).AssertOutcome(403, "IOMT-0870");
        Assert.Equal(["403"], Statuses(await Ta.PostAsync("", Bundle("batch", $$"""{"resource":{{provenance}},"request":{"method":"POST","url":"Provenance"} }"""))));

        // A system that brings records says where they are from.
        Assert.Equal(201, (await world.All.PostAsync("Provenance", provenance)).Status);
    }

    [Fact]
    public async Task B49_a_patients_app_configures_nothing()
    {
        foreach (var type in (string[])["Subscription", "SearchParameter", "StructureDefinition", "CompartmentDefinition", "ValueSet", "Practitioner"])
        {
            (await Ta.PostAsync(type, $$"""{"resourceType":"{{type}}"}""")).AssertOutcome(403, "IOMT-0602");
            (await world.Server.Caller($"patient/{type}.cruds", patient: world.A.Patient).PostAsync(type, $$"""{"resourceType":"{{type}}"}""")).AssertOutcome(403, "IOMT-0602");
        }

        (await Ta.PostAsync("Consent", People.Consent(world.A.Patient, "\"type\":\"permit\""))).AssertOutcome(403, "IOMT-0871");
    }

    [Fact]
    public async Task B51_a_deletion_does_not_open_the_record_to_who_creates_it_again()
    {
        var id = await world.All.CreateAsync(Given.Observation(world.B.Patient));
        await world.All.SendAsync(HttpMethod.Delete, $"Observation/{id}", body: null);
        await TwoPatients.AssertUnknownAsync(one => Ta.PutAsync($"Observation/{one}", Given.Observation(world.A.Patient, id: one, mrn: "same")), id);
        await TwoPatients.AssertUnknownAsync(one => Ta.GetAsync($"Observation/{one}"), id);
        await TwoPatients.AssertUnknownAsync(one => Ta.GetAsync($"Observation/{one}/_history"), id);
    }

    private async Task<int> CountAsync() => (await world.All.GetAsync("Observation?_summary=count")).Total();

    private async Task AssertUntouchedAsync()
    {
        foreach (var path in world.B.Paths)
        {
            Assert.Equal("W/\"1\"", (await world.All.GetAsync(path)).Header("ETag"));
        }
    }

    private static string Bundle(string type, params string[] entries) => $$"""{"resourceType":"Bundle","type":"{{type}}","entry":[{{string.Join(',', entries)}}]}""";

    private static List<string> Statuses(Answer answer) => [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").Text("status")[..3])];
}
