using System.Text;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Definitions;
using FhirIomt.Storage.Sql;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Tests;

/// <summary>Who did what, as AuditEvents (IHE BALP), and who may know it.</summary>
public sealed class AuditTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Theory]
    [InlineData("create", "C", "110153", "110152")]
    [InlineData("read", "R", "110152", "110153")]
    [InlineData("vread", "R", "110152", "110153")]
    [InlineData("update", "U", "110153", "110152")]
    [InlineData("delete", "D", "110150", "custodian")]
    [InlineData("search-type", "E", "110153", "110152")]
    public async Task Every_interaction_is_recorded_as_its_pattern_says(string subtype, string action, string client, string server)
    {
        var patient = await RecordAsync();
        var events = await EventsAsync($"patient=Patient/{patient}&subtype={subtype}");
        var one = Assert.Single(events, one => Entities(one, "1") == $"Patient/{patient}" && (subtype != "create" || Entities(one, "4")!.StartsWith("Observation/", StringComparison.Ordinal)) && (subtype != "read" || Entities(one, "4")!.StartsWith("Observation/", StringComparison.Ordinal)));
        Assert.Equal(action, one.Text("action"));
        Assert.Equal("0", one.Text("outcome"));
        var agents = one.GetProperty("agent").EnumerateArray().Select(agent => agent.GetProperty("type").GetProperty("coding")[0].Text("code")).ToList();
        Assert.Equal([client, server], agents);
        Assert.All(one.GetProperty("agent").EnumerateArray(), agent => Assert.True(agent.GetProperty("network").TryGetProperty("address", out _)));
    }

    [Fact]
    public async Task A_search_is_recorded_with_its_request_as_it_was_sent_and_one_event_for_each_patient()
    {
        var (one, two) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        var tag = Given.Unique("tag");
        foreach (var patient in (string[])[one, two])
        {
            await All.CreateAsync(Given.Observation(patient).Replace("\"status\"", $"\"meta\":{{\"tag\":[{{\"code\":\"{tag}\"}}]}},\"status\"", StringComparison.Ordinal));
        }

        await All.GetAsync($"Observation?_tag={tag}&_count=7");
        foreach (var patient in (string[])[one, two])
        {
            var found = Assert.Single(await EventsAsync($"patient=Patient/{patient}&subtype=search-type"));
            Assert.Equal($"GET /fhir/Observation?_tag={tag}&_count=7", Query(found));
            Assert.Equal($"Patient/{patient}", Entities(found, "1"));
            Assert.Single(found.GetProperty("entity").EnumerateArray(), entity => entity.TryGetProperty("role", out var role) && role.Text("code") == "1");
        }
    }

    [Fact]
    public async Task A163_refusals_are_recorded_with_their_code_and_nothing_secret()
    {
        var id = Given.Unique("audit-request");
        using var anonymous = new HttpRequestMessage(HttpMethod.Get, "Patient/nobody-there");
        anonymous.Headers.Add("X-Request-Id", id);
        anonymous.Headers.Add("Authorization", "Bearer not-a-token-of-anybody");
        Assert.Equal(401, (int)(await fixture.Server.Http.SendAsync(anonymous)).StatusCode);
        await All.GetAsync("Patient/nobody-there", ("X-Request-Id", id));
        await fixture.Server.Caller("patient/Observation.rs", patient: "x").GetAsync("Patient/nobody-there", ("X-Request-Id", id));

        var events = (await EventsAsync("outcome=4")).Where(one => one.GetRawText().Contains(id, StringComparison.Ordinal)).ToList();
        Assert.Equal(["401 IOMT-0821", "403 IOMT-0602", "404 IOMT-0600"], events.Select(one => one.Text("outcomeDesc")).Order(StringComparer.Ordinal));
        Assert.All(events, one => Assert.DoesNotContain("not-a-token-of-anybody", one.GetRawText(), StringComparison.Ordinal));
        Assert.All(events, one => Assert.DoesNotContain(All.Token, one.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tokens_are_recorded_without_what_they_were_got_by()
    {
        var client = await fixture.Server.RegisterAsync("system/Patient.rs");
        var assertion = client.Assertion();
        using var answer = await client.RequestAsync(assertion);
        var issued = Assert.Single(await EventsAsync("subtype=ITI-71"), one => one.GetRawText().Contains(client.Id, StringComparison.Ordinal));
        Assert.Equal("110114", issued.GetProperty("type").Text("code"));
        Assert.Contains("grant_type=client_credentials", Query(issued), StringComparison.Ordinal);
        Assert.DoesNotContain(assertion, Query(issued), StringComparison.Ordinal);

        using var refused = await client.RequestAsync(assertion);
        Assert.Contains(await EventsAsync("subtype=ITI-71&outcome=4"), _ => true);
    }

    [Fact]
    public async Task A_batch_is_recorded_entry_by_entry()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var entries = $$"""[{"request":{"method":"GET","url":"Patient/{{patient}}"} },{"request":{"method":"GET","url":"Observation?patient={{patient}}"} },{"resource":{{Given.Observation(patient)}},"request":{"method":"POST","url":"Observation"} }]""";
        Assert.Equal(200, (await All.PostAsync("", $$"""{"resourceType":"Bundle","type":"batch","entry":{{entries}}}""")).Status);
        var kinds = (await EventsAsync($"patient=Patient/{patient}")).Select(one => one.GetProperty("subtype")[0].Text("code"));
        Assert.Equal(["create", "create", "read", "search-type"], kinds.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A31_a_patient_sees_who_looked_at_their_record_and_nothing_about_others()
    {
        var (own, other) = (await RecordAsync(), await RecordAsync());
        await All.GetAsync($"Observation?patient={own},{other}");
        foreach (var caller in (FhirCaller[])[fixture.Server.Caller("user/AuditEvent.rs", People.Patient(own)), fixture.Server.Caller("patient/AuditEvent.rs", People.Patient(own), own)])
        {
            var answer = await caller.GetAsync("AuditEvent?_count=1000");
            Assert.Equal(200, answer.Status);
            Assert.NotEmpty(answer.Matches);
            Assert.DoesNotContain(other, answer.Body, StringComparison.Ordinal);
            Assert.Contains($"Patient/{own}", answer.Body, StringComparison.Ordinal);
            var foreign = (await EventsAsync($"patient=Patient/{other}"))[0].Text("id");
            Assert.Equal("404 200", await People.StatusesAsync(caller, $"AuditEvent/{foreign}", $"AuditEvent/{answer.Matches[0]}"));
            Assert.Empty((await caller.GetAsync($"AuditEvent?patient=Patient/{other}")).Matches);
        }
    }

    [Fact]
    public async Task A31_a_clinician_sees_nothing_of_the_audit_and_an_operator_all_of_it()
    {
        var patient = await RecordAsync();
        var doctor = People.Clinician(await All.CreateAsync(People.Practitioner));
        Assert.Equal("403 403", await People.StatusesAsync(fixture.Server.Caller("user/*.rs", doctor), "AuditEvent", "AuditEvent/1"));
        Assert.Equal(403, (await fixture.Server.Caller("patient/*.rs", doctor, patient).GetAsync("AuditEvent")).Status);
        var operators = fixture.Server.Caller("user/AuditEvent.rs", new AccessUser("operator", UserRole.Operator, null));
        Assert.NotEmpty((await operators.GetAsync($"AuditEvent?patient=Patient/{patient}")).Matches);
    }

    [Fact]
    public async Task A48_nobody_writes_to_the_audit()
    {
        var id = (await EventsAsync("_count=1"))[0].Text("id");
        (await All.PostAsync("AuditEvent", """{"resourceType":"AuditEvent"}""")).AssertOutcome(403, "IOMT-0870");
        (await All.PutAsync($"AuditEvent/{id}", $$"""{"resourceType":"AuditEvent","id":"{{id}}"}""")).AssertOutcome(403, "IOMT-0870");
        (await All.SendAsync(HttpMethod.Delete, $"AuditEvent/{id}", body: null)).AssertOutcome(403, "IOMT-0870");
        Assert.Equal(200, (await All.GetAsync($"AuditEvent/{id}")).Status);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_a_gap_and_every_event_is_valid()
    {
        var patient = await RecordAsync();
        var whole = (await All.GetAsync($"AuditEvent?patient=Patient/{patient}&_count=1000")).Matches;
        var paged = new List<string>();
        for (var next = $"AuditEvent?patient=Patient/{patient}&_count=2"; next is not null;)
        {
            var page = await All.GetAsync(next);
            paged.AddRange(page.Matches);
            next = page.Link("next");
        }

        Assert.Equal(whole, paged);
        var validator = fixture.Server.Services.GetRequiredService<ServerDefinitions>().Validator;
        foreach (var one in await EventsAsync("_count=1000"))
        {
            Assert.Equal([], validator.Validate(JsonTree.Parse(Encoding.UTF8.GetBytes(one.GetRawText())).Require()).Where(issue => issue.Refuses).Select(issue => $"{issue.Code} {issue.Message} {issue.Expression}"));
        }
    }

    [Fact]
    public async Task The_audit_is_searched_by_time_agent_and_entity()
    {
        var patient = await RecordAsync();
        var all = await EventsAsync($"patient=Patient/{patient}");
        Assert.Equal(all.Count, (await EventsAsync($"entity=Patient/{patient}")).Count);
        Assert.Equal(all.Count, (await EventsAsync($"patient=Patient/{patient}&date=ge2020")).Count);
        Assert.Empty(await EventsAsync($"patient=Patient/{patient}&date=lt2020"));
        Assert.Empty(await EventsAsync($"patient=Patient/{patient}&date=gt2200"));
        Assert.Equal(["C"], (await EventsAsync($"patient=Patient/{patient}&action=C")).Select(one => one.Text("action")).Distinct());
        (await All.GetAsync("AuditEvent?_include=AuditEvent:patient")).AssertOutcome(400, "IOMT-0890");
    }

    [Fact]
    public async Task The_chain_holds_over_everything_that_was_done()
    {
        await RecordAsync();
        await EventsAsync("_count=1");
        var report = ((SqlStore)fixture.Server.Store).CheckAudit(expected: null, progress: null);
        Assert.Null(report.Problem);
        Assert.True(report.Rows > 0);
    }

    private async Task<string> RecordAsync()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var id = await All.CreateAsync(Given.Observation(patient));
        await All.GetAsync($"Observation/{id}");
        await All.GetAsync($"Observation/{id}/_history/1");
        await All.PutAsync($"Observation/{id}", Given.Observation(patient, id: id, value: "99"));
        await All.GetAsync($"Observation?patient={patient}");
        await All.SendAsync(HttpMethod.Delete, $"Observation/{id}", body: null);
        return patient;
    }

    private async Task<List<JsonElement>> EventsAsync(string query)
    {
        var answer = await All.GetAsync("AuditEvent?" + (query.Contains("_count", StringComparison.Ordinal) ? query : query + "&_count=1000"));
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json.TryGetProperty("entry", out var entries) ? [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource"))] : [];
    }

    private static string? Entities(JsonElement one, string role) =>
        one.GetProperty("entity").EnumerateArray().Where(entity => entity.TryGetProperty("role", out var code) && code.Text("code") == role)
            .Select(entity => entity.GetProperty("what").TryGetProperty("reference", out var reference) ? reference.GetString() : null).FirstOrDefault();

    private static string Query(JsonElement one) =>
        Encoding.UTF8.GetString(one.GetProperty("entity").EnumerateArray().First(entity => entity.TryGetProperty("query", out _)).GetProperty("query").GetBytesFromBase64());
}
