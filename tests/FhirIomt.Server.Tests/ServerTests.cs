namespace FhirIomt.Server.Tests;

/// <summary>The server as a whole: cold starts, and what it writes to its log.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task The_first_requests_of_a_cold_server_may_come_all_at_once()
    {
        for (var round = 0; round < 3; round++)
        {
            await using var server = new TestServer();
            await server.InitializeAsync();
            var devices = new List<(string Identifier, string Credential)>();
            for (var i = 0; i < 8; i++)
            {
                var (identifier, credential, _, _) = await server.AddWornDeviceAsync();
                devices.Add((identifier, credential));
            }

            var token = await server.TokenAsync();
            var posts = devices.Select(device => server.PostAsync(device.Credential, $$"""{"deviceId":"{{device.Identifier}}","time":"2026-02-01T22:46:01Z","heartRate":72,"spo2":97,"weightKg":70.5,"systolic":120,"diastolic":80,"temperatureC":36.6}"""));
            var reads = Enumerable.Range(0, 8).Select(_ => server.GetAsync("fhir/Patient", token));
            var others = new[] { "fhir/metadata", "fhir/.well-known/smart-configuration", "health/ready", "" }.Select(path => server.GetAsync(path, null));

            var answers = await Task.WhenAll(posts.Concat(reads).Concat(others));

            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            Assert.All(answers.Take(8), answer => Assert.Equal(("stored", 5), (answer.Only.Status, answer.Only.Observations.Count)));
        }
    }

    [Fact]
    public async Task The_log_of_a_busy_server_names_nobody()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var vendor = await server.AddVendorAsync("Secretvendor");
        var patient = await server.AddPatientAsync("Geheimrat");
        var (device, credential) = await server.AddDeviceAsync("Secretdevice", "Secretvendor", patient);
        var token = await server.TokenAsync();
        await server.AddMappingAsync("create", CreatingMapping.Device, CreatingMapping.Fhir, Devices.IdentityMode.Create);
        var stored = (await server.PostAsync(credential, ReceiptTests.HeartRate("Secretdevice", "72"))).Only.Observations[0];
        string[] bodies = [ReceiptTests.HeartRate("Secretdevice", "\"78,5\""), ReceiptTests.HeartRate("Otherdevice", "72"), "{\"broken\":\"Geheimrat", CreatingMapping.Message("Secretdev\u0001", "Secretpatient"), CreatingMapping.Message("Newdevice", "Newpatient")];
        foreach (var body in bodies)
        {
            await server.PostAsync(credential, body);
            await server.PostAsync(vendor, body, "create");
            await server.PostAsync("Secretcredential", body);
        }

        foreach (var path in new[] { $"fhir/Patient/{patient}", $"fhir/Patient?name=Geheimrat&_id={patient}", $"fhir/{stored}", "fhir/Patient?nonsense=Geheimrat", $"fhir/Nothing/{patient}", $"fhir/Patient/{patient}/_history/99", "fhir/Observation?code=%00Geheimrat" })
        {
            await server.GetAsync(path, token);
            await server.GetAsync(path, "Secrettoken");
        }

        await server.SendAsync(HttpMethod.Post, "fhir/Patient", token, new StringContent("""{"resourceType":"Patient","name":"Geheimrat"}""", null, "application/fhir+json"));
        string[] secrets = ["Geheimrat", "Secret", "Newdevice", "Newpatient", "Otherdevice", patient, device, stored["Observation/".Length..], token, credential, vendor];
        Assert.DoesNotContain(secrets, secret => server.LogText.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart_on_the_same_folder()
    {
        var data = Directory.CreateTempSubdirectory("fhiriomt-restart-").FullName;
        string credential;
        Receipt first;
        await using (var server = new TestServer { Configure = options => options.Data = data })
        {
            await server.InitializeAsync();
            await server.AddMappingAsync("mine", CreatingMapping.Device, CreatingMapping.Fhir, Devices.IdentityMode.Create);
            credential = await server.AddVendorAsync("v", "mine");
            first = (await server.PostAsync(credential, CreatingMapping.Message("d", "p"))).Only;
        }

        await using (var server = new TestServer { Configure = options => options.Data = data })
        {
            await server.InitializeAsync();
            var again = (await server.PostAsync(credential, CreatingMapping.Message("d", "p"))).Only;
            Assert.Equal(("stored", "duplicate"), (first.Status, again.Status));
            Assert.Equal(first.Observations, again.Observations);
            Assert.Equal(first.Json.ToJsonString(), (await server.GetAsync($"devices/messages/{first.Id}", credential)).Json.ToJsonString());
        }

        Directory.Delete(data, recursive: true);
    }
}
