using System.Text.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Readings;
using FhirIomt.Server.Devices.Life;
using FhirIomt.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests;

/// <summary>Whose a device is when, and what it may still do.</summary>
public sealed class DeviceLifeTests(TestServer server) : IClassFixture<TestServer>
{
    private static readonly DateTimeOffset Handover = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    private DeviceLife Life => server.Services.GetRequiredService<DeviceLife>();

    [Fact]
    public async Task Data_from_before_a_hand_over_go_to_the_one_before_also_when_they_come_late()
    {
        var (identifier, credential, first, id) = await server.AddWornDeviceAsync();
        var second = await server.AddPatientAsync();
        (await Life.ReturnAsync(id, Handover, CancellationToken.None)).Require();
        (await Life.AssignAsync(id, second, Handover.AddHours(1), null, CancellationToken.None)).Require();

        Assert.Equal(first, await SubjectAsync(await SendAsync(credential, identifier, Handover.AddDays(-2))));
        Assert.Equal(second, await SubjectAsync(await SendAsync(credential, identifier, Handover.AddDays(1))));
        Assert.Equal("quarantined IOMT-0523", (await server.PostAsync(credential, Message(identifier, Handover.AddMinutes(30)))).Only.Summary);
    }

    [Fact]
    public async Task Devices_looked_up_together_are_those_that_are_found_one_by_one()
    {
        var (first, second) = (await server.AddPatientAsync(), await server.AddPatientAsync());
        string[] identifiers = [.. new[] { "plain", "with,comma", "with|bar", "with$dollar", @"with\\slash", "with#2", "Größe", "CASE", "case" }.Select(server.Name)];
        var ids = new List<string>();
        foreach (var identifier in identifiers)
        {
            ids.Add(await server.CreateAsync("Device", JsonSerializer.Serialize(new { resourceType = "Device", identifier = new[] { new { system = "urn:a", value = identifier }, new { system = "urn:b", value = identifier + "-too" } }, patient = new { reference = $"Patient/{first}" } })));
        }

        // The same identifier again; a ledger; one by another form of reference.
        await server.CreateAsync("Device", $$"""{"resourceType":"Device","identifier":[{"value":"{{identifiers[0]}}"}]}""");
        await server.CreateAsync("DeviceUseStatement", Statement($"Device/{ids[1]}", second, "2026-01-01", "2026-02-01"));
        await server.CreateAsync("DeviceUseStatement", Statement($"Device/{ids[1]}", first, "2026-02-01", null));
        await AssertSameAsync();
        await server.CreateAsync("DeviceUseStatement", Statement(new Uri(server.Http.BaseAddress!, $"fhir/Device/{ids[2]}").AbsoluteUri, second, "2026-01-01", null));
        await AssertSameAsync();

        async Task AssertSameAsync()
        {
            string[] asked = [.. identifiers, .. identifiers.Select(identifier => identifier + "-too"), .. identifiers.Select(identifier => identifier.ToUpperInvariant()), " " + identifiers[0], "nobody's"];
            var (alone, together) = (NewDirectory(), NewDirectory());
            await together.RememberAsync(asked, CancellationToken.None);
            foreach (var identifier in asked)
            {
                Assert.Equal(Text(await alone.FindByIdentifierAsync(identifier, CancellationToken.None)), Text(await together.FindByIdentifierAsync(identifier, CancellationToken.None)));
            }
        }

        DeviceDirectory NewDirectory() => new(server.Services.GetRequiredService<IStore>(), server.Services.GetRequiredService<SearchQueryParser>());

        static string Statement(string device, string patient, string start, string? end) => JsonSerializer.Serialize(new { resourceType = "DeviceUseStatement", status = "active", subject = new { reference = $"Patient/{patient}" }, device = new { reference = device }, timingPeriod = new { start, end = end ?? "2099-01-01" } });

        static string Text(IReadOnlyList<KnownDevice> devices) => string.Join('\n', devices.OrderBy(device => device.Id, StringComparer.Ordinal).Select(device => $"{device.Id} {device.Vendor} {string.Join(';', device.Assignments.Order(Comparer<DeviceAssignment>.Create((one, other) => one.From.CompareTo(other.From))))}"));
    }

    [Fact]
    public async Task A_device_is_not_two_patients_at_once()
    {
        var (_, _, _, id) = await server.AddWornDeviceAsync();
        var (second, third) = (await server.AddPatientAsync(), await server.AddPatientAsync());
        (await Life.ReturnAsync(id, Handover, CancellationToken.None)).Require();
        (await Life.AssignAsync(id, second, Handover, Handover.AddDays(2), CancellationToken.None)).Require();
        Assert.Equal("IOMT-0592", Code(await Life.AssignAsync(id, third, Handover.AddDays(1), null, CancellationToken.None)));
        Assert.Equal("IOMT-0594", Code(await Life.AssignAsync(id, third, Handover.AddDays(5), Handover.AddDays(4), CancellationToken.None)));
        (await Life.AssignAsync(id, third, Handover.AddDays(2), null, CancellationToken.None)).Require();
        var raced = await server.AddWornDeviceAsync();
        (await Life.ReturnAsync(raced.Id, Handover, CancellationToken.None)).Require();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Life.AssignAsync(raced.Id, second, Handover.AddDays(1), null, CancellationToken.None))));
        Assert.Equal(1, outcomes.Count(outcome => outcome.Succeeded));
    }

    [Fact]
    public async Task A_retired_device_sends_nothing_more_and_what_it_sent_stays()
    {
        var (identifier, credential, _, id) = await server.AddWornDeviceAsync();
        var reading = await SendAsync(credential, identifier, Handover);
        (await Life.RetireAsync(id, Handover.AddDays(1), CancellationToken.None)).Require();

        Assert.Equal(401, (await server.PostAsync(credential, Message(identifier, Handover.AddHours(1)))).Status);
        var token = await server.TokenAsync();
        Assert.Equal("inactive", (string)(await server.GetAsync($"fhir/Device/{id}", token)).Json["status"]!);
        Assert.Equal(200, (await server.GetAsync($"fhir/{reading}", token)).Status);
        Assert.Equal("IOMT-0595", Code(await Life.NewCredentialAsync(id, null, voidOthers: true, CancellationToken.None)));
    }

    [Fact]
    public async Task A_new_credential_voids_the_old_one_unless_both_are_wanted()
    {
        var (identifier, first, _, id) = await server.AddWornDeviceAsync();
        var second = (await Life.NewCredentialAsync(id, null, voidOthers: false, CancellationToken.None)).Require();
        Assert.Equal("stored", (await server.PostAsync(first, Message(identifier, Handover))).Only.Summary);
        Assert.Equal("stored", (await server.PostAsync(second, Message(identifier, Handover.AddMinutes(1)))).Only.Summary);
        var third = (await Life.NewCredentialAsync(id, null, voidOthers: true, CancellationToken.None)).Require();
        Assert.Equal(401, (await server.PostAsync(first, Message(identifier, Handover.AddMinutes(2)))).Status);
        Assert.Equal(401, (await server.PostAsync(second, Message(identifier, Handover.AddMinutes(2)))).Status);
        Assert.Equal("stored", (await server.PostAsync(third, Message(identifier, Handover.AddMinutes(2)))).Only.Summary);
    }

    [Fact]
    public async Task A_device_that_is_silent_for_three_intervals_is_told_once_and_until_it_speaks()
    {
        var (identifier, credential, patient, id) = await server.AddWornDeviceAsync();
        (await Life.ExpectAsync(id, TimeSpan.FromSeconds(1), CancellationToken.None)).Require();
        var silent = server.Services.GetRequiredService<SilentDevices>();
        var token = await server.TokenAsync();
        async Task<string> StatusAsync()
        {
            var found = (await server.GetAsync($"fhir/DetectedIssue?implicated=Device/{id}", token)).Json;
            return found["entry"] is null ? "none" : Assert.Single(found["entry"]!.AsArray())!["resource"]!["status"]!.GetValue<string>() + " " + (string)found["entry"]![0]!["resource"]!["patient"]!["reference"]!;
        }

        while (await StatusAsync() == "none")
        {
            await silent.LookAsync(CancellationToken.None);
            Assert.DoesNotContain("could not be told", server.LogText, StringComparison.Ordinal);
        }

        await silent.LookAsync(CancellationToken.None);
        Assert.Equal($"preliminary Patient/{patient}", await StatusAsync());
        await SendAsync(credential, identifier, Handover);
        await silent.LookAsync(CancellationToken.None);
        Assert.Equal($"final Patient/{patient}", await StatusAsync());
    }

    [Fact]
    public async Task When_a_device_was_last_heard_of_outlives_the_process()
    {
        var (identifier, credential, _, id) = await server.AddWornDeviceAsync();
        await SendAsync(credential, identifier, Handover);
        var lastSeen = server.Services.GetRequiredService<LastSeen>();
        await lastSeen.SaveAsync();
        Assert.NotNull(await server.Services.GetRequiredService<IStore>().FindRecordAsync(RecordKind.DeviceSeen, id, CancellationToken.None));
        Assert.NotNull(await lastSeen.FindAsync(id, CancellationToken.None));
    }

    [Fact]
    public async Task What_a_device_says_of_its_battery_is_its_own_state_whatever_the_format()
    {
        var (identifier, credential, patient, id) = await server.AddWornDeviceAsync();
        string Monitor(string at, int charge) => $"MSH|^~\\&|GATE|WARD|||{at}||ORU^R01^ORU_R01|M{at}|P|2.6|||NE|AL\rPID|||\rOBR|1|A|B|182777000^monitoring^SCT|||{at}\r"
            + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R|||||||{identifier}\r"
            + $"OBX|2|NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|{charge}|262688^MDC_DIM_PERCENT^MDC|||||R\rOBX|3|CWE|67925^MDC_ATTR_POWER_STAT^MDC|1.0.0.9|1^onBattery(1)||||||R\r";
        var sent = (await server.PostAsync(credential, Monitor("20260310120000+0000", 80), "hl7v2", "application/hl7-v2")).Only;
        Assert.Equal(("stored", 3), (sent.Summary, sent.Observations.Count));
        Assert.Equal("stored", (await server.PostAsync(credential, Monitor("20260310110000+0000", 90), "hl7v2", "application/hl7-v2")).Only.Summary);

        Assert.Equal("""battery 80 % 2026-03-10T12:00:00Z, power "onBattery(1)" 2026-03-10T12:00:00Z""", await ShownAsync(id));
        var token = await server.TokenAsync();
        Assert.Equal(2, (await server.GetAsync($"fhir/Observation?subject=Device/{id}&code=67996&_summary=count", token)).Json["total"]!.GetValue<int>());
        Assert.Equal(2, (await server.GetAsync($"fhir/Observation?subject=Patient/{patient}&_summary=count", token)).Json["total"]!.GetValue<int>());

        Assert.Equal("stored", (await server.PostAsync(credential, $$"""{"deviceId":"{{identifier}}","time":"2026-03-10T13:00:00Z","battery":{"percent":79,"minutesLeft":95} }""", "device-health")).Only.Summary);
        Assert.Equal("""battery 79 % 2026-03-10T13:00:00Z, batteryTimeLeft 95 min 2026-03-10T13:00:00Z, power "onBattery(1)" 2026-03-10T12:00:00Z""", await ShownAsync(id));
    }

    private async Task<string> ShownAsync(string id)
    {
        var shown = (await ChildProcess.RunAsync(["device", "show", id, .. server.StoreArguments])).LastLine().AsObject();
        return string.Join(", ", shown.Where(member => member.Value is System.Text.Json.Nodes.JsonObject said && said.ContainsKey("at")).Select(member => $"{member.Key} {member.Value!["value"]!.ToJsonString()} {(string?)member.Value["unit"]}".TrimEnd() + " " + Seconds((string)member.Value["at"]!)));
    }

    // Mappings differ in how many zeros they write behind the seconds.
    private static string Seconds(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Message(string identifier, DateTimeOffset at) => $$"""{"deviceId":"{{identifier}}","time":"{{at:yyyy-MM-dd'T'HH:mm:ss'Z'}}","heartRate":72}""";

    private static string? Code<T>(Core.Outcome<T> outcome) => outcome.Issues.Count == 0 ? null : outcome.Issues[0].Code;

    private async Task<string> SendAsync(string credential, string identifier, DateTimeOffset at) => (await server.PostAsync(credential, Message(identifier, at))).Only.Observations[0];

    private async Task<string> SubjectAsync(string observation) => ((string)(await server.GetAsync($"fhir/{observation}", await server.TokenAsync())).Json["subject"]!["reference"]!)["Patient/".Length..];
}
