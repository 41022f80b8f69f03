using System.Net.Http.Headers;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Abuse cases A: leaving the patient's compartment by reading, under their numbers.</summary>
public sealed class AbuseReadTests(TwoPatients world) : IClassFixture<TwoPatients>
{
    private FhirCaller Ta => world.Ta;

    [Fact]
    public async Task A01_A02_A03_A04_A26_A33_whatever_is_anothers_was_never_there()
    {
        foreach (var path in world.B.Paths)
        {
            var (type, id) = (path.Split('/')[0], path.Split('/')[1]);
            foreach (var way in (string[])["", "/_history/1", "/_history/9", "/_history", "/$meta"])
            {
                await TwoPatients.AssertUnknownAsync(one => Ta.GetAsync($"{type}/{one}{way}"), id);
            }

            await TwoPatients.AssertUnknownAsync(one => Ta.GetAsync($"{type}/{one}", ("If-None-Match", "W/\"1\"")), id);
            await TwoPatients.AssertUnknownAsync(one => Ta.GetAsync($"{type}/{one}", ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")), id);
            await TwoPatients.AssertUnknownAsync(one => Ta.SendAsync(HttpMethod.Head, $"{type}/{one}", body: null), id);
            await TwoPatients.AssertUnknownAsync(one => Ta.SendAsync(HttpMethod.Options, $"{type}/{one}", body: null), id);
        }

        foreach (var path in world.A.Paths)
        {
            Assert.Equal(200, (await Ta.GetAsync(path)).Status);
        }
    }

    [Fact]
    public async Task A05_A51_a_version_from_before_a_move_stays_anothers()
    {
        var id = await world.All.CreateAsync(Given.Observation(world.B.Patient));
        await world.All.PutAsync($"Observation/{id}", Given.Observation(world.A.Patient, id: id));
        Assert.Equal("200 200 404", await People.StatusesAsync(Ta, $"Observation/{id}", $"Observation/{id}/_history/2", $"Observation/{id}/_history/1"));
        Assert.Equal(1, (await Ta.GetAsync($"Observation/{id}/_history")).Total());
        await world.All.SendAsync(HttpMethod.Delete, $"Observation/{id}", body: null);
        Assert.Equal("410 404", await People.StatusesAsync(Ta, $"Observation/{id}", $"Observation/{id}/_history/1"));
        await world.All.SendAsync(HttpMethod.Delete, $"Observation/{await world.All.CreateAsync(Given.Observation(world.B.Patient))}", body: null);
    }

    [Fact]
    public async Task A06_A07_A08_A09_A12_A16_no_search_finds_or_counts_what_is_anothers()
    {
        var (a, b) = (world.A, world.B);
        foreach (var query in (string[])
        [
            $"Observation?patient={b.Patient}", $"Observation?subject=Patient/{b.Patient}", $"Observation?subject={world.Server.FhirBase}/Patient/{b.Patient}", $"Observation?subject=Patient/{b.Patient}/_history/1",
            "Observation?subject:identifier=urn:example:mrn|mrn-Bexley", $"Observation?_id={b.Vital}", "Observation?identifier=vital-Bexley", "Observation?_lastUpdated=ge2000", "Observation?patient:missing=true",
            $"Observation?patient:not=Patient/{a.Patient}", "Observation?subject:missing=true", $"Observation?patient={a.Patient},{b.Patient}", $"Observation?patient={a.Patient}&patient={b.Patient}",
            $"Observation?_filter=patient eq Patient/{b.Patient} or status eq final", "Observation?_sort=-date", "Observation?_elements=id", "Observation?_summary=text", "Observation?_content=Bexley", $"Observation?_list={world.List}",
            "?_type=Observation,Patient,Device,Condition", "?_type=Patient&_id=" + b.Patient, "Patient?family=Bexley", "Patient?identifier=mrn-Bexley", "Device?identifier=Bexley", "Device?patient:missing=true", $"Device?_id={b.Device}",
            "DeviceMetric?_count=100", $"DeviceMetric?source={b.Device}", $"Condition?encounter={b.Encounter}", "Encounter?_count=10", "DocumentReference?_count=10", "Binary?_count=10", "Group?_count=10", "Appointment?_count=10", "List?_count=10",
            "Patient?_has:Observation:patient:identifier=vital-Bexley", "Observation?patient.family=Bexley", "Observation?subject:Patient.identifier=mrn-Bexley", $"Patient?link=Patient/{b.Patient}",
        ])
        {
            var joint = query.Contains('?', StringComparison.Ordinal) ? "&" : "?";
            var answer = await Ta.GetAsync($"{query}{joint}_total=accurate");
            Assert.True(answer.Status < 500, query);
            AssertNothingOfB(answer, query);
            if (answer.Status == 200)
            {
                Assert.Equal(answer.Matches.Count, answer.Total());
                Assert.Equal(answer.Total(), (await Ta.GetAsync($"{query}{joint}_summary=count")).Total());
            }
        }
    }

    [Theory]
    [InlineData("_include=*")]
    [InlineData("_include=Observation:performer&_include=Observation:focus&_include=Observation:has-member&_include=Observation:device&_include=Observation:encounter")]
    [InlineData("_revinclude=*:*")]
    [InlineData("_revinclude=Observation:focus&_revinclude=List:item&_revinclude=Group:member&_revinclude=Provenance:target&_revinclude=AuditEvent:entity")]
    [InlineData("_include=Observation:focus&_revinclude:iterate=Observation:subject")]
    [InlineData("_include:iterate=*")]
    public async Task A10_A11_A12_A25_includes_stop_at_what_is_anothers(string includes)
    {
        foreach (var search in (string[])[$"Observation?_id={world.Mixed}", $"Patient?_id={world.A.Patient}", $"List?_id={world.List}", $"Observation?_id={world.A.Vital}"])
        {
            var answer = await Ta.GetAsync($"{search}&{includes}");
            if (answer.Status == 200)
            {
                Assert.Single(answer.Matches);
                AssertOnlyNamed(answer);
            }
        }
    }

    [Fact]
    public async Task A14_A15_chains_need_the_right_to_search_what_they_look_through()
    {
        var caller = world.Server.Caller("patient/Observation.rs", patient: world.A.Patient);
        foreach (var query in (string[])["Observation?patient.family=Ashton", "Observation?subject:Patient.birthdate=gt1900", "Observation?device.identifier=Ashton", $"Observation?_list={world.List}", "Observation?_has:List:item:status=current"])
        {
            (await caller.GetAsync(query)).AssertOutcome(403, "IOMT-0602");
        }

        (await world.Server.Caller("patient/Patient.rs", patient: world.A.Patient).GetAsync("Patient?_has:Observation:patient:code=8867-4")).AssertOutcome(403, "IOMT-0602");
    }

    [Fact]
    public async Task A17_A18_A19_compartments_and_operations_answer_for_another_as_for_nobody()
    {
        foreach (var path in (string[])[$"Patient/ID/Observation?_id={world.B.Vital}", $"Patient/ID/*?_id={world.B.Vital}", "Patient/ID/$everything", "Patient/ID/$everything?_type=Observation", "Patient/ID/$everything?_since=2000-01-01", "Observation/$lastn?patient=ID", "Patient/ID/$emergency-access"])
        {
            await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync(path.Replace("ID", id, StringComparison.Ordinal)), world.B.Patient);
        }

        await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Device/{id}/Observation?_id={world.B.Vital}"), world.B.Device);
        await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Encounter/{id}/Observation?_id={world.B.Vital}"), world.B.Encounter);
        await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Observation/{id}/$validate"), world.B.Vital);
        await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Observation/$stats?subject=Patient/{id}&code=http://loinc.org|8867-4&period=2026-01-01T00:00:00Z,2026-12-31T00:00:00Z"), world.B.Patient);
        AssertOnlyNamed(await Ta.GetAsync($"Patient/{world.A.Patient}/$everything"));
        foreach (var operation in (string[])["Patient/$match", "Patient/$member-match", "Observation/$graph", "Composition/x/$document", "Measure/x/$evaluate-measure", "$convert", "$graphql", "$export", "Patient/$export", $"Group/{world.Group}/$export", "$reindex"])
        {
            Assert.True((await Ta.PostAsync(operation, """{"resourceType":"Parameters"}""")).Status is 400 or 403 or 404 or 405, operation);
        }
    }

    [Fact]
    public async Task A21_histories_of_types_and_of_everything_show_only_ones_own()
    {
        foreach (var path in (string[])["Observation/_history?_count=1000", "_history?_count=1000", "Device/_history?_count=1000"])
        {
            AssertOnlyNamed(await Ta.GetAsync(path));
        }

        var without = world.Server.Caller("patient/*.r", patient: world.A.Patient);
        Assert.Equal("403 403", await People.StatusesAsync(without, "Observation/_history", "_history"));
    }

    [Fact]
    public async Task A22_A61_types_outside_the_compartment_need_more_than_a_patient_wildcard()
    {
        foreach (var type in (string[])["Group", "Practitioner", "Organization", "AuditEvent", "Subscription", "Task", "SearchParameter"])
        {
            Assert.Equal("403 403", await People.StatusesAsync(Ta, $"{type}?_count=1", $"{type}/{world.Group}"));
        }

        var doctor = await world.All.CreateAsync(People.Practitioner);
        Assert.Equal("200", await People.StatusesAsync(world.Server.Caller("patient/Practitioner.r", patient: world.A.Patient), $"Practitioner/{doctor}"));
        Assert.Equal("403 403", await People.StatusesAsync(world.Server.Caller("patient/Group.rs patient/AuditEvent.rs", patient: world.A.Patient), $"Group/{world.Group}", "AuditEvent?_count=1"));
    }

    [Fact]
    public async Task A23_a_binary_is_seen_by_whoever_sees_its_security_context()
    {
        Assert.Equal("200 404 404 404", await People.StatusesAsync(Ta, $"Binary/{world.A.Binary}", $"Binary/{world.A.BareBinary}", $"Binary/{world.B.Binary}", $"Binary/{world.B.BareBinary}"));
        foreach (var accept in (string[])["text/plain", "*/*", "application/octet-stream"])
        {
            await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Binary/{id}", ("Accept", accept), ("Range", "bytes=0-3")), world.B.Binary);
        }

        // In a transaction the context is looked at as it is there.
        var written = await Ta.PostAsync("Binary", $$"""{"resourceType":"Binary","contentType":"text/plain","data":"eA==","securityContext":{"reference":"DocumentReference/{{world.A.Document}}"} }""");
        Assert.Equal(201, written.Status);
        (await Ta.PostAsync("Binary", $$"""{"resourceType":"Binary","contentType":"text/plain","data":"eA==","securityContext":{"reference":"DocumentReference/{{world.B.Document}}"} }""")).AssertOutcome(403, "IOMT-0603");
        (await Ta.PostAsync("Binary", """{"resourceType":"Binary","contentType":"text/plain","data":"eA=="}""")).AssertOutcome(403, "IOMT-0603");
    }

    [Fact]
    public async Task A27_a_hidden_id_costs_the_same_steps_as_a_missing_one_but_the_check()
    {
        // Both are one read of the store and no write; what differs is the check of one document in memory.
        var (hidden, missing) = (await Ta.GetAsync($"Observation/{world.B.Vital}"), await Ta.GetAsync("Observation/never-existed"));
        Assert.Equal(missing.Body, hidden.Body);
        Assert.Equal(missing.Header("Content-Length"), hidden.Header("Content-Length"));
    }

    [Fact]
    public async Task A28_unassigned_devices_and_those_of_others_are_not_there()
    {
        var unassigned = await world.All.CreateAsync("""{"resourceType":"Device","identifier":[{"system":"urn:example:device","value":"stock"}]}""");
        await TwoPatients.AssertUnknownAsync(id => Ta.GetAsync($"Device/{id}"), unassigned);
        Assert.Equal([world.A.Device], (await Ta.GetAsync("Device?_count=100")).Matches);
        Assert.Empty((await Ta.GetAsync("Device?identifier=stock")).Matches);
        Assert.Equal([world.A.Metric], (await Ta.GetAsync("DeviceMetric?_count=100")).Matches);
    }

    [Theory]
    [InlineData("observation/ID")]
    [InlineData("%4fbservation/ID")]
    [InlineData("/Observation/ID")]
    [InlineData("Observation/ID/")]
    [InlineData("Observation/ID;x=1")]
    [InlineData("Observation/../Observation/ID")]
    [InlineData("Observation/ID?_format=xml")]
    [InlineData("Observation/ID%20")]
    [InlineData("Observation//ID")]
    public async Task A32_no_spelling_of_an_address_opens_it(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{world.Server.FhirBase}/{path.Replace("ID", world.B.Vital, StringComparison.Ordinal)}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Ta.Token);
        var answer = await Answer.OfAsync(await world.Server.Http.SendAsync(request));
        Assert.InRange(answer.Status, 400, 499);
        Assert.DoesNotContain("8867-4", answer.Body, StringComparison.Ordinal);
    }

    // Of the query itself, its own links may repeat what the caller sent.
    private void AssertNothingOfB(Answer answer, string query)
    {
        foreach (var id in world.B.Ids.Where(id => !query.Contains(id, StringComparison.Ordinal)))
        {
            if (answer.Body.Contains(id, StringComparison.Ordinal))
            {
                AssertOnlyNamed(answer);
            }
        }

        if (answer.Status == 200)
        {
            AssertOnlyNamed(answer);
        }
    }

    /// <summary>Entries are one's own, whatever they refer to.</summary>
    private void AssertOnlyNamed(Answer answer)
    {
        Assert.Equal(200, answer.Status);
        if (!answer.Json.TryGetProperty("entry", out var entries))
        {
            return;
        }

        foreach (var entry in entries.EnumerateArray())
        {
            var url = entry.GetProperty("fullUrl").GetString()!;
            Assert.DoesNotContain(world.B.Ids, id => url.EndsWith(id, StringComparison.Ordinal));
            if (entry.TryGetProperty("resource", out var resource) && resource.TryGetProperty("subject", out var subject))
            {
                Assert.Equal($"Patient/{world.A.Patient}", subject.Text("reference"));
            }
        }
    }
}
