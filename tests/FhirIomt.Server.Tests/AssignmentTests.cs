using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>Whose reading it is: the patient to whom the device was assigned at the reading's time, never a guess.</summary>
public sealed class AssignmentTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Late_data_goes_to_the_patient_of_its_own_time()
    {
        var (first, second) = (await server.AddPatientAsync(), await server.AddPatientAsync());
        var name = server.Name("device");
        var (device, credential) = await server.AddDeviceAsync(name, patient: first, from: "2026-01-01T00:00:00Z");
        await server.AssignAsync(device, second, "2026-02-01T00:00:00Z", null);
        await CloseAsync(device, first, "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z");

        var late = await server.PostAsync(credential, $"[{At(name, "2026-02-10T10:00:00Z")},{At(name, "2026-01-10T10:00:00Z")},{At(name, "2025-12-31T23:59:59Z")},{At(name, "2026-02-01T00:00:00Z")},{At(name, "2026-01-01T00:00:00Z")}]");

        Assert.Equal(["stored", "stored", "quarantined IOMT-0523", "stored", "stored"], late.Receipts.Select(receipt => receipt.Summary));
        Assert.Equal([second, first, "", second, first], await SubjectsAsync(late));
    }

    [Fact]
    public async Task A_device_with_from_knows_nobody_before_it()
    {
        var patient = await server.AddPatientAsync();
        var name = server.Name("device");
        var (_, credential) = await server.AddDeviceAsync(name, patient: patient, from: "2026-01-01T12:00:00+02:00");

        var answer = await server.PostAsync(credential, $"[{At(name, "2026-01-01T09:59:59.9Z")},{At(name, "2026-01-01T10:00:00Z")}]");

        Assert.Equal(["quarantined IOMT-0523", "stored"], answer.Receipts.Select(receipt => receipt.Summary));
    }

    [Fact]
    public async Task Device_patient_without_any_statement_is_open_on_both_sides()
    {
        var (name, credential, patient, _) = await server.AddWornDeviceAsync();

        var answer = await server.PostAsync(credential, $"[{At(name, "1990-01-01T00:00:00Z")},{At(name, "2026-01-01T10:00:00Z")}]");

        Assert.Equal([patient, patient], await SubjectsAsync(answer));
    }

    [Fact]
    public async Task A_first_statement_takes_the_place_of_Device_patient_at_once()
    {
        var (name, credential, patient, device) = await server.AddWornDeviceAsync();
        var other = await server.AddPatientAsync();
        Assert.Equal([patient], await SubjectsAsync(await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"))));

        await server.AssignAsync(device, other, "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
        var answer = await server.PostAsync(credential, $"[{At(name, "2026-01-01T11:00:00Z")},{At(name, "2026-01-05T11:00:00Z")},{At(name, "2026-01-07T11:00:00Z")}]");

        Assert.Equal(["quarantined IOMT-0523", "stored", "quarantined IOMT-0523"], answer.Receipts.Select(receipt => receipt.Summary));
        Assert.Equal(["", other, ""], await SubjectsAsync(answer));
    }

    [Fact]
    public async Task Two_patients_at_once_wait_in_quarantine_and_one_patient_twice_does_not()
    {
        var (name, credential, patient, device) = await server.AddWornDeviceAsync();
        var other = await server.AddPatientAsync();
        await server.AssignAsync(device, patient, "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z");
        await server.AssignAsync(device, patient, "2026-01-10T00:00:00Z", null);
        await server.AssignAsync(device, other, "2026-01-20T00:00:00Z", "2026-01-25T00:00:00Z");

        var answer = await server.PostAsync(credential, $"[{At(name, "2026-01-15T00:00:00Z")},{At(name, "2026-01-22T00:00:00Z")},{At(name, "2026-01-26T00:00:00Z")}]");

        Assert.Equal(["stored", "quarantined IOMT-0524", "stored"], answer.Receipts.Select(receipt => receipt.Summary));
    }

    [Fact]
    public async Task A_device_of_nobody_waits_until_it_is_somebodys()
    {
        var name = server.Name("device");
        var (device, credential) = await server.AddDeviceAsync(name);
        var patient = await server.AddPatientAsync();
        Assert.Equal("quarantined IOMT-0523", (await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"))).Only.Summary);

        await server.AssignAsync(device, patient, null, null);

        Assert.Equal([patient], await SubjectsAsync(await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"))));
    }

    [Fact]
    public async Task A_planned_or_mistaken_statement_assigns_nobody()
    {
        var name = server.Name("device");
        var (device, credential) = await server.AddDeviceAsync(name);
        var patient = await server.AddPatientAsync();
        foreach (var status in new[] { "intended", "entered-in-error", "on-hold" })
        {
            await server.CreateAsync("DeviceUseStatement", $$$"""{"resourceType":"DeviceUseStatement","status":"{{{status}}}","subject":{"reference":"Patient/{{{patient}}}"},"device":{"reference":"Device/{{{device}}}"}}""");
        }

        Assert.Equal("quarantined IOMT-0523", (await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"))).Only.Summary);
    }

    [Fact]
    public async Task A_reading_that_was_stored_stays_with_its_patient_when_the_assignment_is_corrected()
    {
        var (name, credential, patient, device) = await server.AddWornDeviceAsync();
        var other = await server.AddPatientAsync();
        var before = (await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"))).Only;
        await server.AssignAsync(device, other, null, null);

        var after = await server.PostAsync(credential, At(name, "2026-01-01T10:00:00Z"));

        // Another patient is another source key: a second Observation, and the first is untouched.
        Assert.Equal([other], await SubjectsAsync(after));
        Assert.NotEqual(before.Observations, after.Only.Observations);
        Assert.Equal(patient, await SubjectAsync(before.Observations[0]));
    }

    private static string At(string device, string time) => ReceiptTests.HeartRate(device, "72", time);

    // The first statement was written by 'device add', open at its end; an EHR closes it.
    private async Task CloseAsync(string device, string patient, string start, string end)
    {
        var token = await server.TokenAsync();
        var found = (await server.GetAsync($"fhir/DeviceUseStatement?device=Device/{device}&patient={patient}", token)).Json;
        var statement = found["entry"]![0]!["resource"]!.AsObject();
        statement["timingPeriod"] = new JsonObject { ["start"] = start, ["end"] = end };
        var answer = await server.SendAsync(HttpMethod.Put, $"fhir/DeviceUseStatement/{statement["id"]}", token, new StringContent(statement.ToJsonString(), null, "application/fhir+json"));
        Assert.Equal(200, answer.Status);
    }

    private async Task<IReadOnlyList<string>> SubjectsAsync(Answer answer)
    {
        var subjects = new List<string>();
        foreach (var receipt in answer.Receipts)
        {
            subjects.Add(receipt.Observations.Count == 0 ? "" : await SubjectAsync(receipt.Observations.Single()));
        }

        return subjects;
    }

    private async Task<string> SubjectAsync(string observation) =>
        ((string)(await server.GetAsync($"fhir/{observation}", await server.TokenAsync())).Json["subject"]!["reference"]!)["Patient/".Length..];
}
