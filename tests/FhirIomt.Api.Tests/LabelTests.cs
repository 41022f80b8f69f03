using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Security labels withhold, stay, and mark the Bundles they are in; an emergency lifts them for one patient.</summary>
public sealed class LabelTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Restricted = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R";
    private const string VeryRestricted = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|V";

    private TestServer Server => fixture.Server;

    private FhirCaller All => fixture.All;

    [Fact]
    public async Task Restricted_data_need_a_right_in_the_policy()
    {
        var (doctor, patient, open, restricted) = await RecordAsync();
        var clinician = Server.Caller("user/*.rs", People.Clinician(doctor));
        Assert.Equal("200 404", await People.StatusesAsync(clinician, $"Observation/{open}", $"Observation/{restricted}"));
        Assert.Equal([open], (await clinician.GetAsync($"Observation?patient={patient}&_total=accurate")).Matches);
        Assert.Equal(1, (await clinician.GetAsync($"Observation?patient={patient}&_summary=count")).Total());
        Assert.DoesNotContain(restricted, (await clinician.GetAsync($"Patient/{patient}/$everything")).Body, StringComparison.Ordinal);
        Assert.DoesNotContain(restricted, (await clinician.GetAsync($"Patient?_id={patient}&_revinclude=Observation:subject")).Body, StringComparison.Ordinal);
        Assert.Equal("200 200", await People.StatusesAsync(Server.Caller("user/*.rs", People.Patient(patient)), $"Observation/{open}", $"Observation/{restricted}"));
    }

    [Fact]
    public async Task A_label_that_is_added_acts_at_once()
    {
        var (doctor, _, open, _) = await RecordAsync();
        var clinician = Server.Caller("user/*.rs", People.Clinician(doctor));
        Assert.Equal("200", await People.StatusesAsync(clinician, $"Observation/{open}"));
        await All.PostAsync($"Observation/{open}/$meta-add", """{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}}]}""");
        Assert.Equal("404 404", await People.StatusesAsync(clinician, $"Observation/{open}", $"Observation/{open}/_history/2"));
    }

    [Fact]
    public async Task A_bundle_is_marked_by_the_most_restricted_of_what_is_in_it()
    {
        var (_, patient, open, restricted) = await RecordAsync();
        await All.CreateAsync(People.Labelled(Given.Observation(patient), VeryRestricted));
        foreach (var path in (string[])[$"Observation?patient={patient}", $"Patient?_id={patient}&_revinclude=Observation:subject", $"Patient/{patient}/$everything"])
        {
            Assert.Equal("V", Mark(await All.GetAsync(path)));
        }

        Assert.Equal("R", Mark(await All.GetAsync($"Observation?_id={open},{restricted}")));
        Assert.Equal("R", Mark(await All.GetAsync($"Observation/{restricted}/_history")));
        Assert.False((await All.GetAsync($"Observation?_id={open}")).Json.TryGetProperty("meta", out _));
    }

    [Fact]
    public async Task B46_labels_stay_through_updates_and_patches()
    {
        var (_, patient, _, restricted) = await RecordAsync();
        var put = await All.PutAsync($"Observation/{restricted}", Given.Observation(patient, value: "80", id: restricted));
        Assert.Equal(200, put.Status);
        Assert.Equal("R", Label(await All.GetAsync($"Observation/{restricted}")));
        Assert.Contains("\"value\":80", put.Body, StringComparison.Ordinal);
        var patch = await All.SendAsync(HttpMethod.Patch, $"Observation/{restricted}", """[{"op":"remove","path":"/meta/security"}]""", ("Content-Type", "application/json-patch+json"));
        Assert.Equal(200, patch.Status);
        Assert.Equal("R", Label(await All.GetAsync($"Observation/{restricted}")));
        var removal = """{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}}]}""";
        (await All.PostAsync($"Observation/{restricted}/$meta-delete", removal)).AssertOutcome(403, "IOMT-0872");
        Assert.Equal([restricted], (await All.GetAsync($"Observation?patient={patient}&_security={Restricted}")).Matches);
    }

    [Fact]
    public async Task J164_an_emergency_opens_one_record_to_one_person_for_a_while()
    {
        var (_, patient, open, restricted) = await RecordAsync();
        var other = await All.CreateAsync(Given.Patient());
        await All.CreateAsync(People.Consent(patient, "\"type\":\"deny\""));
        var stranger = await LoggedInAsync();
        var caller = Server.Caller("user/*.rs", stranger);
        Assert.Equal("404 404", await People.StatusesAsync(caller, $"Patient/{patient}", $"Observation/{open}"));

        var opened = await caller.PostAsync($"Patient/{patient}/$break-glass", Reason("unconscious in the emergency room", 30));
        Assert.True(opened.Status == 201, opened.Body);
        Assert.Equal("200 200 200 404", await People.StatusesAsync(caller, $"Patient/{patient}", $"Observation/{open}", $"Observation/{restricted}", $"Patient/{other}"));
        Assert.Equal("404", await People.StatusesAsync(Server.Caller("user/*.rs", await LoggedInAsync()), $"Patient/{patient}"));

        var list = await Server.Caller("user/*.rs", People.Patient(patient)).GetAsync($"Patient/{patient}/$emergency-access");
        Assert.Contains("unconscious in the emergency room", list.Body, StringComparison.Ordinal);
        Assert.Contains(stranger.FhirUser!, list.Body, StringComparison.Ordinal);

        Server.Time.Offset = TimeSpan.FromMinutes(31);
        Assert.Equal("404 404", await People.StatusesAsync(caller, $"Patient/{patient}", $"Observation/{open}"));
        Server.Time.Offset = TimeSpan.Zero;
    }

    [Fact]
    public async Task J164_an_emergency_needs_a_reason_a_person_and_a_login_of_just_now()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var user = await LoggedInAsync();
        var caller = Server.Caller("user/*.rs", user);
        var path = $"Patient/{patient}/$break-glass";
        (await caller.PostAsync(path, """{"resourceType":"Parameters"}""")).AssertOutcome(400, "IOMT-0875");
        (await caller.PostAsync(path, Reason("because", 30))).AssertOutcome(400, "IOMT-0875");
        (await caller.PostAsync(path, Reason("unconscious in the emergency room", 61))).AssertOutcome(400, "IOMT-0876");
        (await caller.PostAsync("Patient/nobody/$break-glass", Reason("unconscious in the emergency room", 5))).AssertOutcome(404, "IOMT-0600");
        var good = Reason("unconscious in the emergency room", 60);
        (await Server.Caller("user/*.rs", user with { AuthenticatedAt = Server.Time.GetUtcNow().AddMinutes(-6) }).PostAsync(path, good)).AssertOutcome(403, "IOMT-0874");
        (await Server.Caller("user/*.rs", user with { AuthenticatedAt = null }).PostAsync(path, good)).AssertOutcome(403, "IOMT-0874");
        (await Server.Caller("user/*.rs", user with { Role = UserRole.Operator }).PostAsync(path, good)).AssertOutcome(403, "IOMT-0873");
        (await Server.Caller("patient/*.rs", user, patient).PostAsync(path, good)).AssertOutcome(403, "IOMT-0873");
        (await Server.Caller("system/*.cruds").PostAsync(path, good)).AssertOutcome(403, "IOMT-0873");
        Assert.Equal("404", await People.StatusesAsync(caller, $"Patient/{patient}"));
    }

    private async Task<AccessUser> LoggedInAsync() => People.Clinician(await All.CreateAsync(People.Practitioner)) with { AuthenticatedAt = Server.Time.GetUtcNow().AddMinutes(-1) };

    private async Task<(string Doctor, string Patient, string Open, string Restricted)> RecordAsync()
    {
        var doctor = await All.CreateAsync(People.Practitioner);
        var patient = await All.CreateAsync(People.PatientOf(doctor));
        return (doctor, patient, await All.CreateAsync(Given.Observation(patient)), await All.CreateAsync(People.Labelled(Given.Observation(patient), Restricted)));
    }

    private static string Reason(string reason, int minutes) =>
        $$"""{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"{{reason}}"},{"name":"minutes","valueInteger":{{minutes}}}]}""";

    private static string Mark(Answer bundle) => Label(bundle);

    private static string Label(Answer answer) => Assert.Single(answer.Json.GetProperty("meta").GetProperty("security").EnumerateArray().Select(label => label.Text("code")));
}
