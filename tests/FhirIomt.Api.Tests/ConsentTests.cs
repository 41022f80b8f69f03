using FhirIomt.Smart.Clients;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Tests;

/// <summary>What a patient refuses is withheld, from whom and of what the consent says; a change acts with the next request.</summary>
public sealed class ConsentTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Psy = "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY";
    private const string PsyCoding = """{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}""";

    private TestServer Server => fixture.Server;

    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_refused_app_sees_nothing_of_the_patient_by_any_way()
    {
        var (patient, reading) = await RecordAsync();
        var app = Given.Unique("app");
        var caller = Server.Caller("patient/*.rs", patient: patient, client: app);
        Assert.Equal("200 200", await People.StatusesAsync(caller, $"Patient/{patient}", $"Observation/{reading}"));
        var consent = await All.CreateAsync(People.Consent(patient, $"\"type\":\"deny\",\"actor\":[{People.App(app)}]"));
        Assert.Equal(
            "404 404 404 404 404",
            await People.StatusesAsync(caller, $"Patient/{patient}", $"Observation/{reading}", $"Observation/{reading}/_history/1", $"Observation/{reading}/_history", $"Patient/{patient}/$everything"));
        Assert.Equal(0, (await caller.GetAsync("Observation?_total=accurate")).Total());
        Assert.Equal(0, (await caller.GetAsync("Observation?_summary=count")).Total());
        Assert.Empty((await caller.GetAsync("Observation/_history")).Json.TryGetProperty("entry", out var entries) ? entries.EnumerateArray() : []);
        Assert.Equal("200", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient, client: Given.Unique("app")), $"Observation/{reading}"));
        Assert.Equal(204, (await All.SendAsync(HttpMethod.Delete, $"Consent/{consent}", body: null)).Status);
        Assert.Equal("200", await People.StatusesAsync(caller, $"Observation/{reading}"));
    }

    [Fact]
    public async Task A_consent_that_becomes_active_acts_at_once_and_one_that_is_withdrawn_too()
    {
        var (patient, reading) = await RecordAsync();
        var caller = Server.Caller("patient/*.rs", patient: patient);
        var id = await All.CreateAsync(People.Consent(patient, "\"type\":\"deny\"", status: "draft"));
        Assert.Equal("200", await People.StatusesAsync(caller, $"Observation/{reading}"));
        await All.PutAsync($"Consent/{id}", People.Consent(patient, "\"type\":\"deny\"", id: id));
        Assert.Equal("404", await People.StatusesAsync(caller, $"Observation/{reading}"));
        await All.PutAsync($"Consent/{id}", People.Consent(patient, "\"type\":\"deny\"", status: "inactive", id: id));
        Assert.Equal("200", await People.StatusesAsync(caller, $"Observation/{reading}"));
    }

    [Fact]
    public async Task A_backend_service_is_bound_by_consents_in_searches_includes_chains_and_counts()
    {
        var (patient, reading) = await RecordAsync();
        var (open, seen) = await RecordAsync();
        var app = Given.Unique("backend");
        await All.CreateAsync(People.Consent(patient, $"\"type\":\"deny\",\"actor\":[{People.App(app)}]"));
        var caller = Server.Caller("system/*.rs", client: app);
        Assert.Equal("404 200", await People.StatusesAsync(caller, $"Observation/{reading}", $"Observation/{seen}"));
        Assert.Equal([seen], (await caller.GetAsync($"Observation?patient={patient},{open}&_total=accurate")).Matches);
        Assert.Equal(1, (await caller.GetAsync($"Observation?_id={reading},{seen}&_summary=count")).Total());
        Assert.Empty((await caller.GetAsync($"Patient?_id={patient}&_revinclude=Observation:subject")).Included);
        Assert.Equal([open], (await caller.GetAsync($"Patient?_has:Observation:patient:_id={reading},{seen}")).Matches);
        Assert.Equal([seen], (await caller.GetAsync($"Observation?patient._id={patient},{open}")).Matches);
        Assert.Equal(404, (await caller.GetAsync($"Patient/{patient}/$everything")).Status);
        Assert.Equal(0, (await caller.GetAsync($"Observation/$lastn?patient={patient}")).Total());
    }

    [Fact]
    public async Task A_refusal_of_a_category_withholds_what_is_labelled_or_coded_so()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var plain = await All.CreateAsync(Given.Observation(patient));
        var mental = await All.CreateAsync(People.Labelled(Given.Observation(patient), Psy));
        var laboratory = await All.CreateAsync(Given.Observation(patient, category: "laboratory"));
        var caller = Server.Caller("patient/*.rs", patient: patient);
        await All.CreateAsync(People.Consent(patient, $"\"type\":\"deny\",\"securityLabel\":[{PsyCoding}]"));
        Assert.Equal("200 404 200", await People.StatusesAsync(caller, $"Observation/{plain}", $"Observation/{mental}", $"Observation/{laboratory}"));
        await All.CreateAsync(People.Consent(patient, """ "type":"deny","code":[{"coding":[{"code":"laboratory"}]}] """));
        Assert.Equal("200 404 404", await People.StatusesAsync(caller, $"Observation/{plain}", $"Observation/{mental}", $"Observation/{laboratory}"));
        Assert.Equal([plain], (await caller.GetAsync("Observation?_total=accurate")).Matches);
        await All.CreateAsync(People.Consent(patient, """ "type":"deny","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}] """));
        Assert.Equal("404 200", await People.StatusesAsync(caller, $"Observation/{plain}", $"Patient/{patient}"));
    }

    [Fact]
    public async Task An_exception_permits_what_the_refusal_around_it_denies()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var vital = await All.CreateAsync(Given.Observation(patient));
        var laboratory = await All.CreateAsync(Given.Observation(patient, category: "laboratory"));
        var (trusted, other) = (Given.Unique("app"), Given.Unique("app"));
        await All.CreateAsync(People.Consent(patient, $$""" "type":"deny","provision":[{"type":"permit","actor":[{{People.App(trusted)}}],"provision":[{"type":"deny","code":[{"coding":[{"code":"laboratory"}]}]}]}] """));
        string[] paths = [$"Observation/{vital}", $"Observation/{laboratory}", $"Patient/{patient}"];
        Assert.Equal("200 404 200", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient, client: trusted), paths));
        Assert.Equal("404 404 404", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient, client: other), paths));
        Assert.Equal([vital], (await Server.Caller("patient/*.rs", patient: patient, client: trusted).GetAsync("Observation?_total=accurate")).Matches);
    }

    [Fact]
    public async Task A_refused_organization_is_that_of_the_persons_role()
    {
        var doctor = await All.CreateAsync(People.Practitioner);
        var organization = await All.CreateAsync("""{"resourceType":"Organization","name":"Other hospital"}""");
        var patient = await All.CreateAsync(People.PatientOf(doctor));
        await All.CreateAsync(People.Consent(patient, $"\"type\":\"deny\",\"actor\":[{People.Member($"Organization/{organization}")}]"));
        var caller = Server.Caller("user/*.rs", People.Clinician(doctor));
        Assert.Equal("200", await People.StatusesAsync(caller, $"Patient/{patient}"));
        await All.CreateAsync($$$"""{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/{{{doctor}}}"},"organization":{"reference":"Organization/{{{organization}}}"}}""");
        Assert.Equal("404", await People.StatusesAsync(caller, $"Patient/{patient}"));

        // Nobody knows to which organization a client belongs that acts for itself: in doubt it is refused.
        Assert.Equal("404", await People.StatusesAsync(Server.Caller("system/*.rs"), $"Patient/{patient}"));
    }

    [Fact]
    public async Task A_refused_organization_is_also_that_of_a_client_which_acts_for_itself()
    {
        var clients = Server.Services.GetRequiredService<ClientDirectory>();
        var hospital = await All.CreateAsync("""{"resourceType":"Organization","name":"Hospital"}""");
        var ward = await All.CreateAsync($$$"""{"resourceType":"Organization","name":"Ward","partOf":{"reference":"Organization/{{{hospital}}}"}}""");
        var other = await All.CreateAsync("""{"resourceType":"Organization","name":"Other hospital"}""");
        var patient = await All.CreateAsync("""{"resourceType":"Patient"}""");
        await All.CreateAsync(People.Consent(patient, $"\"type\":\"deny\",\"actor\":[{People.Member($"Organization/{hospital}")}]"));
        var id = (await Server.RegisterAsync("system/*.rs")).Id;
        async Task<string> AsOf(string? organization)
        {
            Assert.Null(await clients.SetOrganizationAsync(id, organization, CancellationToken.None));
            return await People.StatusesAsync(Server.Caller("system/*.rs", client: id), $"Patient/{patient}");
        }

        Assert.Equal("404", await AsOf(organization: null));
        Assert.Equal("200", await AsOf($"Organization/{other}"));
        Assert.Equal("404", await AsOf($"Organization/{ward}"));
        Assert.Equal("IOMT-0815", (await clients.SetOrganizationAsync(id, "Organization/nobody", CancellationToken.None))!.Code);

        // A ward that is no longer the hospital's is not refused with it.
        await All.SendAsync(HttpMethod.Put, $"Organization/{ward}", $$"""{"resourceType":"Organization","id":"{{ward}}","name":"Ward"}""");
        Assert.Equal("200", await People.StatusesAsync(Server.Caller("system/*.rs", client: id), $"Patient/{patient}"));
    }

    [Fact]
    public async Task Periods_begin_and_end_by_themselves()
    {
        var (patient, reading) = await RecordAsync();
        var caller = Server.Caller("patient/*.rs", patient: patient);
        var start = Server.Time.GetUtcNow().AddHours(1);
        await All.CreateAsync(People.Consent(patient, $$""" "type":"deny","period":{"start":"{{start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{start.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}}"} """));
        Assert.Equal("200", await People.StatusesAsync(caller, $"Observation/{reading}"));
        Server.Time.Offset = TimeSpan.FromMinutes(90);
        Assert.Equal("404", await People.StatusesAsync(caller, $"Observation/{reading}"));
        Server.Time.Offset = TimeSpan.FromMinutes(150);
        Assert.Equal("200", await People.StatusesAsync(caller, $"Observation/{reading}"));
        Server.Time.Offset = TimeSpan.Zero;
    }

    [Fact]
    public async Task The_time_of_the_data_counts_and_what_has_none_is_refused()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var before = await All.CreateAsync(Given.Observation(patient, effective: "2025-12-31T10:00:00Z"));
        var within = await All.CreateAsync(Given.Observation(patient, effective: "2026-01-15T10:00:00Z"));
        var untimed = await All.CreateAsync(Given.Observation(patient).Replace("\"effectiveDateTime\":\"2026-02-01T10:00:00Z\",", "", StringComparison.Ordinal));
        await All.CreateAsync(People.Consent(patient, """ "type":"deny","dataPeriod":{"start":"2026-01-01","end":"2026-01-31"} """));
        var caller = Server.Caller("patient/*.rs", patient: patient);
        Assert.Equal("200 404 404", await People.StatusesAsync(caller, $"Observation/{before}", $"Observation/{within}", $"Observation/{untimed}"));
        Assert.Equal([before], (await caller.GetAsync("Observation?_total=accurate")).Matches);
    }

    [Fact]
    public async Task Who_refuses_everybody_still_sees_the_own_record()
    {
        var (patient, reading) = await RecordAsync();
        await All.CreateAsync(People.Consent(patient, "\"type\":\"deny\""));
        Assert.Equal("200", await People.StatusesAsync(Server.Caller("user/*.rs", People.Patient(patient)), $"Observation/{reading}"));
        Assert.Equal("404", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient), $"Observation/{reading}"));
    }

    [Fact]
    public async Task A_refusal_that_cannot_be_decided_holds()
    {
        foreach (var provision in (string[])
        [
            $"\"type\":\"deny\",\"actor\":[{People.Actor("""{"display":"the app on my phone"}""")}]",
            """ "type":"deny","class":[{"system":"urn:ietf:bcp:13","code":"application/hl7-cda+xml"}] """,
            """ "type":"deny","data":[{"meaning":"related","reference":{"reference":"Encounter/1"}}] """,
            """ "type":"deny","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HRESCH"}] """,
        ])
        {
            var (patient, reading) = await RecordAsync();
            await All.CreateAsync(People.Consent(patient, provision));
            Assert.Equal("404", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient), $"Observation/{reading}"));
        }
    }

    [Fact]
    public async Task Consents_about_other_things_than_privacy_withhold_nothing()
    {
        var (patient, reading) = await RecordAsync();
        await All.CreateAsync(People.Consent(patient, "\"type\":\"deny\"", scope: "research"));
        Assert.Equal("200", await People.StatusesAsync(Server.Caller("patient/*.rs", patient: patient), $"Observation/{reading}"));
    }

    [Fact]
    public async Task B50_no_app_writes_a_consent_about_its_own_rights()
    {
        var (patient, _) = await RecordAsync();
        var (app, other) = (Given.Unique("app"), Given.Unique("app"));
        var own = People.Consent(patient, $"\"type\":\"permit\",\"actor\":[{People.App(app)}]");
        (await Server.Caller("patient/*.cruds", patient: patient, client: app).PostAsync("Consent", own)).AssertOutcome(403, "IOMT-0871");
        (await Server.Caller("user/*.cruds", People.Patient(patient), client: app).PostAsync("Consent", own)).AssertOutcome(403, "IOMT-0871");
        var backend = Server.Caller("system/*.cruds", client: app);
        (await backend.PostAsync("Consent", own)).AssertOutcome(403, "IOMT-0871");
        Assert.Equal(201, (await backend.PostAsync("Consent", People.Consent(patient, $"\"type\":\"deny\",\"actor\":[{People.App(other)}]"))).Status);

        // One that somebody else wrote about it stays as it is.
        var about = await All.CreateAsync(People.Consent(patient, $"\"type\":\"permit\",\"provision\":[{{\"type\":\"deny\",\"actor\":[{People.App(app)}],\"code\":[{{\"coding\":[{{\"code\":\"laboratory\"}}]}}]}}]"));
        (await backend.PutAsync($"Consent/{about}", People.Consent(patient, "\"type\":\"permit\"", id: about))).AssertOutcome(403);
        Assert.Equal(204, (await backend.SendAsync(HttpMethod.Delete, $"Consent/{about}", body: null)).Status);
        Assert.Equal(200, (await All.GetAsync($"Consent/{about}")).Status);
    }

    private async Task<(string Patient, string Reading)> RecordAsync()
    {
        var patient = await All.CreateAsync(Given.Patient());
        return (patient, await All.CreateAsync(Given.Observation(patient)));
    }
}
