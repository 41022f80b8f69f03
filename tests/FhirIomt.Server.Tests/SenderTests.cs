using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Tests;

/// <summary>A credential reaches its own devices and nothing else, and answers tell nothing about anybody else's.</summary>
public sealed class SenderTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task A_device_credential_that_names_another_device_is_refused()
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();
        var (other, _, patient, _) = await server.AddWornDeviceAsync();

        var named = (await server.PostAsync(credential, ReceiptTests.HeartRate(other, "72"))).Only;
        var invented = (await server.PostAsync(credential, ReceiptTests.HeartRate("no-such-device", "72"))).Only;

        Assert.Equal("refused IOMT-0520", named.Summary);
        Assert.Equal(named.Json["issues"]!.ToJsonString(), invented.Json["issues"]!.ToJsonString());
        Assert.Equal(0, await CountAsync(patient));
    }

    [Fact]
    public async Task B47_a_device_reads_its_own_status_and_nothing_over_FHIR()
    {
        var (_, credential, patient, _) = await server.AddWornDeviceAsync();
        var self = await server.GetAsync("devices/self", credential);
        Assert.Equal(200, self.Status);
        Assert.Equal(["device", "status"], self.Json.AsObject().Select(member => member.Key));
        Assert.Equal(401, (await server.GetAsync($"fhir/Patient/{patient}", credential)).Status);
        Assert.Equal(401, (await server.GetAsync($"fhir/Device/{self.Json["device"]}", credential)).Status);
        Assert.Equal(401, (await server.GetAsync("devices/self", await server.TokenAsync())).Status);
    }

    [Fact]
    public async Task Another_vendors_device_looks_like_one_that_does_not_exist()
    {
        var vendor = server.Name("vendor");
        await server.AddVendorAsync(vendor);
        var (owned, _, patient, _) = await server.AddWornDeviceAsync(vendor);
        var (loose, _, loosePatient, _) = await server.AddWornDeviceAsync();
        var stranger = await server.AddVendorAsync();

        var receipts = (await server.PostAsync(stranger, $"[{ReceiptTests.HeartRate(owned, "72")},{ReceiptTests.HeartRate(loose, "72")},{ReceiptTests.HeartRate("no-such-device", "72")}]", "vitals")).Receipts;

        Assert.All(receipts, receipt => Assert.Equal("quarantined IOMT-0521", receipt.Summary));
        Assert.Single(receipts.Select(receipt => receipt.Json["issues"]!.ToJsonString()).Distinct(StringComparer.Ordinal));
        Assert.Equal((0, 0), (await CountAsync(patient), await CountAsync(loosePatient)));
    }

    [Fact]
    public async Task Two_vendors_with_the_same_device_value_keep_their_data_apart()
    {
        var (one, two) = (server.Name("vendor"), server.Name("vendor"));
        var (first, second) = (await server.AddVendorAsync(one), await server.AddVendorAsync(two));
        var (patientOne, patientTwo) = (await server.AddPatientAsync(), await server.AddPatientAsync());
        var name = server.Name("shared");
        await server.AddDeviceAsync(name, one, patientOne, system: "urn:one");
        await server.AddDeviceAsync(name, two, patientTwo, system: "urn:two");

        var answers = (await server.PostAsync(first, ReceiptTests.HeartRate(name, "71"), "vitals"), await server.PostAsync(second, ReceiptTests.HeartRate(name, "72"), "vitals"));

        Assert.Equal(("stored", "stored"), (answers.Item1.Only.Summary, answers.Item2.Only.Summary));
        Assert.Equal(patientOne, await SubjectAsync(answers.Item1.Only.Observations[0]));
        Assert.Equal(patientTwo, await SubjectAsync(answers.Item2.Only.Observations[0]));
    }

    [Fact]
    public async Task Two_devices_of_one_vendor_with_one_value_wait_in_quarantine()
    {
        var vendor = server.Name("vendor");
        var credential = await server.AddVendorAsync(vendor);
        var name = server.Name("twin");
        var (_, own) = await server.AddDeviceAsync(name, vendor, await server.AddPatientAsync(), system: "urn:a");
        await server.AddDeviceAsync(name, vendor, await server.AddPatientAsync(), system: "urn:b");

        Assert.Equal("quarantined IOMT-0522", (await server.PostAsync(credential, ReceiptTests.HeartRate(name, "72"), "vitals")).Only.Summary);
        Assert.Equal("stored", (await server.PostAsync(own, ReceiptTests.HeartRate(name, "72"))).Only.Summary);
    }

    [Fact]
    public async Task Create_makes_device_and_patient_once_even_under_parallel_requests()
    {
        var (vendor, credential, mapping) = await CreatingAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.PostAsync(credential, $"[{CreatingMapping.Message("d", "p", "72", $"2026-02-01T10:00:0{i}Z")},{CreatingMapping.Message("d2", "p", "72", $"2026-02-01T10:00:0{i}Z")}]", mapping)));

        Assert.All(answers.SelectMany(answer => answer.Receipts), receipt => Assert.Equal("stored", receipt.Summary));
        Assert.Equal(1, await TotalAsync($"Patient?identifier=https://fhiriomt.org/vendors/{vendor}/patients|"));
        Assert.Equal(2, await TotalAsync($"Device?identifier=https://fhiriomt.org/vendors/{vendor}/devices|"));
        Assert.Single((await Task.WhenAll(answers.SelectMany(answer => answer.Receipts).Select(receipt => SubjectAsync(receipt.Observations[0])))).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Create_keeps_two_vendors_same_ids_apart()
    {
        var (_, first, mapping) = await CreatingAsync();
        var second = await server.AddVendorAsync();

        var one = (await server.PostAsync(first, CreatingMapping.Message("d", "p"), mapping)).Only;
        var two = (await server.PostAsync(second, CreatingMapping.Message("d", "p"), mapping)).Only;

        Assert.Equal(("stored", "stored"), (one.Summary, two.Summary));
        Assert.NotEqual(await SubjectAsync(one.Observations[0]), await SubjectAsync(two.Observations[0]));
    }

    [Fact]
    public async Task In_create_mode_another_patient_for_a_known_device_waits_in_quarantine()
    {
        var (_, credential, mapping) = await CreatingAsync();

        var receipts = (await server.PostAsync(credential, $"[{CreatingMapping.Message("d", "p1")},{CreatingMapping.Message("d", "p2")},{CreatingMapping.Message("d", null, time: "2026-02-01T23:00:00Z")},{CreatingMapping.Message("new", null)}]", mapping)).Receipts;

        Assert.Equal(["stored", "quarantined IOMT-0525", "stored", "quarantined IOMT-0528"], receipts.Select(receipt => receipt.Summary));
    }

    [Fact]
    public async Task Lookup_creates_nothing()
    {
        var mapping = server.Name("lookup");
        await server.AddMappingAsync(mapping, CreatingMapping.Device, CreatingMapping.Fhir);
        var name = server.Name("vendor");
        var credential = await server.AddVendorAsync(name);

        Assert.Equal("quarantined IOMT-0521", (await server.PostAsync(credential, CreatingMapping.Message("d", "p"), mapping)).Only.Summary);
        Assert.Equal(0, await TotalAsync($"Device?identifier=https://fhiriomt.org/vendors/{name}/devices|"));
    }

    [Fact]
    public async Task A_device_credential_creates_nothing_even_with_a_creating_mapping()
    {
        var (_, _, mapping) = await CreatingAsync();
        var (_, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal("refused IOMT-0520", (await server.PostAsync(credential, CreatingMapping.Message(server.Name("d"), "p"), mapping)).Only.Summary);
    }

    [Theory]
    [InlineData("\u0001")]
    [InlineData("a\tb")]
    [InlineData("\u0000")]
    [InlineData(" leading")]
    [InlineData("a|b")]
    [InlineData("a,b\\c$d")]
    [InlineData("ünï 漢字 😀")]
    [InlineData("../../etc")]
    [InlineData("' or 1=1 --")]
    public async Task Odd_ids_cost_nobody_else(string id)
    {
        var (_, credential, mapping) = await CreatingAsync();

        foreach (var (device, patient) in new[] { (id, "p"), ("d-" + server.Name("x"), id), (id + "2", id) })
        {
            var receipts = (await server.PostAsync(credential, $"[{CreatingMapping.Message(server.Name("good"), "good")},{CreatingMapping.Message(device, patient)}]", mapping)).Receipts;
            Assert.Equal("stored", receipts[0].Summary);
            Assert.Contains(receipts[1].Status, new[] { "stored", "quarantined" });
            var again = (await server.PostAsync(credential, $"[{CreatingMapping.Message(device, patient)}]", mapping)).Only;
            Assert.Equal(receipts[1].Status == "stored" ? "duplicate" : "quarantined", again.Status);
        }
    }

    [Fact]
    public async Task An_id_of_a_megabyte_costs_nobody_else()
    {
        var (_, credential, mapping) = await CreatingAsync();
        var huge = new string('x', 1_100_000);

        var receipts = (await server.PostAsync(credential, $"[{CreatingMapping.Message("d", "p")},{CreatingMapping.Message(huge, "p")},{CreatingMapping.Message("d2", huge)},{CreatingMapping.Message("d", "p", time: "2026-02-01T23:00:00Z", more: ",\"note\":\"" + huge + "\"")}]", mapping)).Receipts;

        Assert.Equal("stored", receipts[0].Summary);
        Assert.All(receipts.Skip(1), receipt => Assert.Contains(receipt.Status, new[] { "stored", "quarantined" }));
    }

    [Theory]
    [InlineData("a\\u0000b")]
    [InlineData("\\u0007")]
    [InlineData("\\ud83d\\ude00")]
    [InlineData("line\\nline")]
    public async Task Odd_texts_cost_nobody_else(string note)
    {
        var (_, credential, mapping) = await CreatingAsync();

        var receipts = (await server.PostAsync(credential, $"[{CreatingMapping.Message("d", "p")},{CreatingMapping.Message("d", "p", time: "2026-02-01T23:00:00Z", more: ",\"note\":\"" + note + "\"")}]", mapping)).Receipts;

        Assert.Equal("stored", receipts[0].Summary);
        Assert.Contains(receipts[1].Status, new[] { "stored", "quarantined" });
    }

    [Fact]
    public async Task An_encounter_must_be_the_patients_own()
    {
        var mapping = server.Name("lookup");
        await server.AddMappingAsync(mapping, CreatingMapping.Device, CreatingMapping.Fhir);
        var (device, credential, patient, _) = await server.AddWornDeviceAsync(mapping: mapping);
        var other = await server.AddPatientAsync();
        var own = await server.CreateAsync("Encounter", Encounter(patient, "own"));
        await server.CreateAsync("Encounter", Encounter(other, "theirs"));

        var receipts = (await server.PostAsync(credential, $"[{CreatingMapping.Message(device, null, more: ",\"e\":\"own\"")},{CreatingMapping.Message(device, null, more: ",\"e\":\"theirs\"")}]")).Receipts;

        Assert.Equal(["stored", "quarantined IOMT-0527"], receipts.Select(receipt => receipt.Summary));
        Assert.Equal($"Encounter/{own}", (string)(await server.GetAsync($"fhir/{receipts[0].Observations[0]}", await server.TokenAsync())).Json["encounter"]!["reference"]!);
    }

    [Fact]
    public async Task A_device_credential_is_no_token_and_a_token_is_no_credential()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var token = await server.TokenAsync("system/*.cruds __operator");

        Assert.Equal(401, (await server.GetAsync("fhir/Patient", credential)).Status);
        Assert.Equal(401, (await server.PostAsync(token, ReceiptTests.HeartRate(device, "72"), "vitals")).Status);
        Assert.Equal(401, (await server.GetAsync("devices/messages/abc-0", token)).Status);
    }

    [Theory]
    [InlineData(null, "IOMT-0536")]
    [InlineData("nonsense", "IOMT-0537")]
    public async Task An_unknown_or_missing_credential_is_a_401_whatever_else_is_wrong(string? credential, string code)
    {
        var answer = await server.PostAsync(credential, "not json", "no mapping", "text/plain");

        Assert.Equal((401, code), (answer.Status, answer.Codes.Single()));
    }

    [Fact]
    public async Task A_vendor_is_added_once_however_many_add_it_at_once()
    {
        var name = server.Name("vendor");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => server.Registrar.AddVendorAsync(name, null, CancellationToken.None))));

        Assert.Single(outcomes, outcome => outcome.Succeeded);
    }

    [Fact]
    public async Task A_device_is_added_once_however_many_add_it_at_once()
    {
        var name = server.Name("device");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => server.Registrar.AddDeviceAsync(new NewDevice("urn:test", name, null, null, null, null), CancellationToken.None))));

        Assert.Single(outcomes, outcome => outcome.Succeeded);
    }

    private static string Encounter(string patient, string identifier) =>
        $$$"""{"resourceType":"Encounter","identifier":[{"value":"{{{identifier}}}"}],"status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"subject":{"reference":"Patient/{{{patient}}}"}}""";

    private async Task<(string Vendor, string Credential, string Mapping)> CreatingAsync()
    {
        var (vendor, mapping) = (server.Name("vendor"), server.Name("create"));
        await server.AddMappingAsync(mapping, CreatingMapping.Device, CreatingMapping.Fhir, IdentityMode.Create);
        return (vendor, await server.AddVendorAsync(vendor), mapping);
    }

    private async Task<string> SubjectAsync(string observation) =>
        ((string)(await server.GetAsync($"fhir/{observation}", await server.TokenAsync())).Json["subject"]!["reference"]!)["Patient/".Length..];

    private Task<int> CountAsync(string patient) => TotalAsync($"Observation?patient={patient}");

    private async Task<int> TotalAsync(string search) => (int)(await server.GetAsync($"fhir/{search}&_summary=count", await server.TokenAsync())).Json["total"]!;
}
