using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>What people see by the policy of their role: <c>user/</c> scopes, and <c>patient/</c> scopes of a clinician.</summary>
public sealed class UserAccessTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private TestServer Server => fixture.Server;

    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_clinician_sees_the_patients_of_the_care_teams_and_those_that_name_a_general_practitioner()
    {
        var doctor = await DoctorAsync();
        var (own, team, other) = (await All.CreateAsync(People.PatientOf(doctor)), await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        await All.CreateAsync(People.Team(team, doctor));
        var readings = new List<string>();
        foreach (var patient in (string[])[own, team, other])
        {
            readings.Add(await All.CreateAsync(Given.Observation(patient)));
        }

        var caller = Clinician(doctor, "user/*.rs");
        Assert.Equal("200 200 404", await People.StatusesAsync(caller, $"Patient/{own}", $"Patient/{team}", $"Patient/{other}"));
        Assert.Equal("200 200 404", await People.StatusesAsync(caller, [.. readings.Select(id => $"Observation/{id}")]));
        Assert.Equal(Sorted(own, team), Sorted([.. (await caller.GetAsync("Patient?_count=100")).Matches]));
        Assert.Equal(Sorted(readings[0], readings[1]), Sorted([.. (await caller.GetAsync("Observation?code=8867-4&_total=accurate")).Matches]));
        Assert.Equal(2, (await caller.GetAsync("Observation?_summary=count")).Json.GetProperty("total").GetInt32());
        Assert.Empty((await caller.GetAsync($"Observation?patient={other}")).Matches);
        Assert.Equal([readings[1]], (await caller.GetAsync($"Observation?patient={team},{other}")).Matches);
    }

    [Fact]
    public async Task A_change_of_the_care_team_acts_with_the_next_request()
    {
        var doctor = await DoctorAsync();
        var patient = await All.CreateAsync(Given.Patient());
        var caller = Clinician(doctor, "user/*.rs");
        Assert.Equal(404, (await caller.GetAsync($"Patient/{patient}")).Status);
        var team = await All.CreateAsync(People.Team(patient, doctor));
        Assert.Equal(200, (await caller.GetAsync($"Patient/{patient}")).Status);
        var inactive = People.Team(patient, doctor).Replace("\"active\"", "\"inactive\"", StringComparison.Ordinal).Replace("\"CareTeam\"", $"\"CareTeam\",\"id\":\"{team}\"", StringComparison.Ordinal);
        Assert.Equal(200, (await All.PutAsync($"CareTeam/{team}", inactive)).Status);
        Assert.Equal(404, (await caller.GetAsync($"Patient/{patient}")).Status);
    }

    [Fact]
    public async Task A_change_of_the_general_practitioner_acts_with_the_next_request()
    {
        var doctor = await DoctorAsync();
        var patient = await All.CreateAsync(Given.Patient());
        var caller = Clinician(doctor, "user/*.rs");
        Assert.Equal(404, (await caller.GetAsync($"Patient/{patient}")).Status);
        Assert.Equal(200, (await All.PutAsync($"Patient/{patient}", People.PatientOf(doctor, patient))).Status);
        Assert.Equal(200, (await caller.GetAsync($"Patient/{patient}")).Status);
        Assert.Equal(204, (await All.SendAsync(HttpMethod.Delete, $"Patient/{patient}", body: null)).Status);
        Assert.Equal(0, (await caller.GetAsync("Patient?_summary=count")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_patient_in_context_narrows_a_clinician_and_never_widens()
    {
        var doctor = await DoctorAsync();
        var (own, second, other) = (await All.CreateAsync(People.PatientOf(doctor)), await All.CreateAsync(People.PatientOf(doctor)), await All.CreateAsync(Given.Patient()));
        var narrowed = Clinician(doctor, "patient/*.rs", own);
        Assert.Equal("200 404 404", await People.StatusesAsync(narrowed, $"Patient/{own}", $"Patient/{second}", $"Patient/{other}"));
        var widened = Clinician(doctor, "patient/*.rs", other);
        Assert.Equal("404 404 404", await People.StatusesAsync(widened, $"Patient/{own}", $"Patient/{second}", $"Patient/{other}"));
    }

    [Fact]
    public async Task A_patient_sees_its_own_record_by_user_scopes_and_nothing_else()
    {
        var (own, other) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        var (mine, theirs) = (await All.CreateAsync(Given.Observation(own)), await All.CreateAsync(Given.Observation(other)));
        var caller = Server.Caller("user/*.rs", new AccessUser(Given.Unique("user"), UserRole.Patient, $"Patient/{own}"));
        Assert.Equal("200 404 200 404", await People.StatusesAsync(caller, $"Patient/{own}", $"Patient/{other}", $"Observation/{mine}", $"Observation/{theirs}"));
        Assert.Equal([mine], (await caller.GetAsync("Observation?_count=100")).Matches);
    }

    [Fact]
    public async Task A60_scopes_of_a_person_never_exceed_the_role()
    {
        var patient = await All.CreateAsync(Given.Patient());
        foreach (var role in (UserRole[])[UserRole.Operator, UserRole.Vendor])
        {
            var caller = Server.Caller("user/*.cruds system/*.cruds", new AccessUser(Given.Unique("user"), role, FhirUser: null), patient);
            Assert.Equal("403 403 403", await People.StatusesAsync(caller, $"Patient/{patient}", "Observation?_count=1", "Observation/_history"));
        }

        var configuring = Server.Caller("user/ValueSet.rs", new AccessUser(Given.Unique("user"), UserRole.Operator, FhirUser: null));
        Assert.Equal("200 403", await People.StatusesAsync(configuring, "ValueSet?_count=1", "CodeSystem?_count=1"));
    }

    [Fact]
    public async Task O7_the_person_is_readable_with_no_other_scope()
    {
        var doctor = await DoctorAsync();
        var another = await DoctorAsync();
        var caller = Server.Caller("", new AccessUser(Given.Unique("user"), UserRole.Clinician, $"Practitioner/{doctor}"), self: $"Practitioner/{doctor}");
        Assert.Equal("200 404 403 403", await People.StatusesAsync(caller, $"Practitioner/{doctor}", $"Practitioner/{another}", "Practitioner?_count=1", "Patient?_count=1"));
    }

    [Fact]
    public async Task Writes_stay_within_the_patients_of_the_person()
    {
        var doctor = await DoctorAsync();
        var (own, other) = (await All.CreateAsync(People.PatientOf(doctor)), await All.CreateAsync(Given.Patient()));
        var caller = Clinician(doctor, "user/*.cruds");
        var written = await caller.CreateAsync(Given.Observation(own));
        (await caller.PostAsync("Observation", Given.Observation(other))).AssertOutcome(403, "IOMT-0603");
        (await caller.PutAsync($"Observation/{written}", Given.Observation(other, id: written))).AssertOutcome(403, "IOMT-0603");
        var theirs = await All.CreateAsync(Given.Observation(other));
        (await caller.PutAsync($"Observation/{theirs}", Given.Observation(own, id: theirs))).AssertOutcome(404, "IOMT-0600");
    }

    [Fact]
    public async Task A28_a_metric_is_seen_by_whoever_sees_its_device()
    {
        var (own, other) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        var (mine, theirs, nobodys) = (await MetricAsync(own), await MetricAsync(other), await MetricAsync(patient: null));
        var caller = Server.Caller("patient/*.rs", patient: own);
        Assert.Equal("200 404 404", await People.StatusesAsync(caller, $"DeviceMetric/{mine}", $"DeviceMetric/{theirs}", $"DeviceMetric/{nobodys}"));
        Assert.Equal([mine], (await caller.GetAsync("DeviceMetric?_total=accurate")).Matches);
    }

    private Task<string> DoctorAsync() => All.CreateAsync(People.Practitioner);

    private FhirCaller Clinician(string doctor, string scopes, string? patient = null) => Server.Caller(scopes, People.Clinician(doctor), patient);

    private async Task<string> MetricAsync(string? patient)
    {
        var assigned = patient is null ? "" : $",\"patient\":{{\"reference\":\"Patient/{patient}\"}}";
        var device = await All.CreateAsync("{\"resourceType\":\"Device\",\"status\":\"active\"" + assigned + "}");
        return await All.CreateAsync($$"""{"resourceType":"DeviceMetric","type":{"text":"pulse"},"source":{"reference":"Device/{{device}}"},"category":"measurement"}""");
    }

    private static string[] Sorted(params string[] ids) => [.. ids.Order(StringComparer.Ordinal)];
}
