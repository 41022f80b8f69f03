using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Server.Demo;

namespace FhirIomt.Server.Tests;

/// <summary>The command line as scripts use it: processes, exit codes, last lines.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-cli-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task What_is_added_without_a_server_works_when_one_starts()
    {
        var vendor = (await RunAsync("vendor", "add", "acme")).LastLine();
        var device = (await RunAsync("device", "add", "--identifier", "urn:a|b|SN-1", "--vendor", "acme", "--mapping", "vitals")).LastLine();
        var mapping = (await AddMappingAsync("mine", CreatingMapping.Fhir)).LastLine();
        var client = (await RunAsync("client", "add", "ehr", "--jwks", Jwks(), "--scopes", "system/*.rs system/Patient.c")).LastLine();

        Assert.Equal(["vendor", "credential"], vendor.AsObject().Select(member => member.Key));
        Assert.Equal("acme", (string)vendor["vendor"]!);
        Assert.Equal(["device", "credential"], device.AsObject().Select(member => member.Key));
        Assert.StartsWith("Device/", (string)device["device"]!, StringComparison.Ordinal);
        Assert.Equal(1, (int)mapping["version"]!);
        Assert.Equal(["client_id"], client.AsObject().Select(member => member.Key));
        await using var server = await ChildProcess.ServeAsync(_data);
        var receipts = await PostAsync(server, (string)device["credential"]!, ReceiptTests.HeartRate("SN-1", "72"));
        Assert.Equal("quarantined IOMT-0523", receipts.Only.Summary);
        Assert.Equal("quarantined IOMT-0523", (await PostAsync(server, (string)vendor["credential"]!, ReceiptTests.HeartRate("SN-1", "72"), "vitals")).Only.Summary);
    }

    [Fact]
    public async Task The_audit_is_written_as_AuditEvents_one_a_line_within_the_time_that_is_asked_for()
    {
        await RunAsync("vendor", "add", "acme");
        var (all, none) = (Path.Combine(_data, "all.ndjson"), Path.Combine(_data, "none.ndjson"));
        Assert.Equal(0, (await RunAsync("audit", "export", all)).ExitCode);
        Assert.Equal(0, (await RunAsync("audit", "export", none, "--until", "2020-01-01T00:00:00Z")).ExitCode);
        Assert.Equal(1, (await RunAsync("audit", "export", all)).ExitCode);

        var events = (await File.ReadAllLinesAsync(all)).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.All(events, one => Assert.Equal("AuditEvent", (string)one["resourceType"]!));
        Assert.Contains("vendor add", events[0].ToJsonString(), StringComparison.Ordinal);
        Assert.Empty(await File.ReadAllTextAsync(none));
        Assert.Equal(0, (await RunAsync("audit", "verify")).ExitCode);
    }

    [Fact]
    public async Task A_running_server_takes_changes_up_within_a_second()
    {
        await using var server = await ChildProcess.ServeAsync(_data);
        var token = await TokenAsync(server, "system/Patient.c system/Observation.r");
        var patient = await CreatePatientAsync(server, token);
        var vendor = (string)(await RunAsync("vendor", "add", "acme")).LastLine()["credential"]!;
        await AddMappingAsync("mine", CreatingMapping.Fhir, "lookup");
        await RunAsync("device", "add", "--identifier", "urn:x|SN-1", "--vendor", "acme", "--patient", "Patient/" + patient, "--from", "2026-01-01");

        await Task.Delay(TimeSpan.FromSeconds(1));

        Assert.Equal("stored", (await PostAsync(server, vendor, CreatingMapping.Message("SN-1", null), "mine")).Only.Summary);
        Assert.Equal("quarantined IOMT-0523", (await PostAsync(server, vendor, CreatingMapping.Message("SN-1", null, time: "2025-12-31T00:00:00Z"), "mine")).Only.Summary);
        Assert.Equal("quarantined IOMT-0521", (await PostAsync(server, vendor, CreatingMapping.Message("SN-2", null), "mine")).Only.Summary);
        await RunAsync("device", "add", "--identifier", "urn:x|SN-2", "--vendor", "acme", "--patient", "Patient/" + patient);
        Assert.Equal(2, (int)(await AddMappingAsync("mine", CreatingMapping.Fhir.Replace("8867-4", "80404-7", StringComparison.Ordinal))).LastLine()["version"]!);

        await Task.Delay(TimeSpan.FromSeconds(1));

        var receipt = (await PostAsync(server, vendor, CreatingMapping.Message("SN-2", null), "mine")).Only;
        Assert.Equal("stored", receipt.Summary);
        Assert.Contains("80404-7", (await SendAsync(server, HttpMethod.Get, "fhir/" + receipt.Observations[0], token, null)).Text);
    }

    [Fact]
    public async Task Commands_know_the_address_that_the_store_is_served_under()
    {
        await using (var server = await ChildProcess.ServeAsync(_data))
        {
            var token = await TokenAsync(server, "system/Patient.c system/Observation.c");
            var patient = await CreatePatientAsync(server, token);
            var stored = await SendAsync(server, HttpMethod.Post, "fhir/Observation", token, new StringContent(
                $$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"{{server.Base}}/fhir/Patient/{{patient}}"} }""", Encoding.UTF8, "application/fhir+json"));
            Assert.True((int)stored.Status == 201, stored.Text);
        }

        // Its subject is this server's patient, by whichever address a command would guess.
        var check = await RunAsync("check");
        Assert.True(check.ExitCode == 0, check.Output + check.Errors);
        Assert.Equal(0, (await RunAsync("check", "--repair")).ExitCode);
    }

    [Fact]
    public async Task Mistakes_are_told_and_change_nothing()
    {
        await RunAsync("vendor", "add", "acme");
        await RunAsync("device", "add", "--identifier", "urn:x|SN-1");
        var bad = Path.Combine(_data, "bad.json");
        await File.WriteAllTextAsync(bad, "{\"keys\":[{\"kty\":\"EC\"}]}");

        await RefusedAsync("IOMT-0551", "vendor", "add", "acme");
        await RefusedAsync("IOMT-0550", "vendor", "add", "no spaces");
        await RefusedAsync("IOMT-0552", "device", "add", "--identifier", "urn:x|SN-2", "--vendor", "nobody");
        await RefusedAsync("IOMT-0553", "device", "add", "--identifier", "urn:x|SN-2", "--patient", "Patient/nobody");
        await RefusedAsync("IOMT-0553", "device", "add", "--identifier", "urn:x|SN-2", "--patient", "Observation/1");
        await RefusedAsync("IOMT-0554", "device", "add", "--identifier", "urn:x|SN-2", "--from", "2026-01-01");
        await RefusedAsync("IOMT-0555", "device", "add", "--identifier", "urn:x|SN-1");
        await RefusedAsync("IOMT-0556", "device", "add", "--identifier", "SN-2");
        await RefusedAsync("IOMT-0556", "device", "add", "--identifier", "urn:x|");
        await RefusedAsync("IOMT-0556", "device", "add", "--identifier", "|SN-2");
        await RefusedAsync("IOMT-08", "client", "add", "ehr", "--jwks", bad, "--scopes", "system/*.rs");
        await RefusedAsync("IOMT-0557", "client", "add", "ehr", "--jwks", "no-such-file", "--scopes", "system/*.rs");
        await RefusedAsync("IOMT-0", "client", "add", "ehr", "--jwks", Jwks(), "--scopes", "system/Nothing.rs");
        await RefusedAsync("IOMT-0", "client", "add", "ehr", "--jwks", Jwks(), "--scopes", "user/*.rs");
        await RefusedAsync("IOMT-0", "client", "add", "ehr", "--jwks", Jwks(), "--scopes", "");
    }

    [Fact]
    public async Task A_wrong_command_line_names_what_is_wrong()
    {
        await RefusedAsync("--identifier", "device", "add");
        await RefusedAsync("--nonsense", "vendor", "add", "x", "--nonsense");
        await RefusedAsync("nonsense", "nonsense");
        await RefusedAsync("no-such-file", "mapping", "add", "m", "--device", "no-such-file", "--fhir", "no-such-file");
        await RefusedAsync("guess", "mapping", "add", "m", "--device", Jwks(), "--fhir", Jwks(), "--identity", "guess");
    }

    [Fact]
    public async Task A_bad_mapping_is_refused_with_line_and_column()
    {
        var refused = await AddMappingAsync("mine", CreatingMapping.Fhir.Replace("\"Quantity\"", "\"Boolean\"", StringComparison.Ordinal));

        Assert.Equal(1, refused.ExitCode);
        Assert.Matches(@"IOMT-04\d\d \(.*\d.*\d.*\)", refused.Errors);
        Assert.Equal(1, (int)(await AddMappingAsync("mine", CreatingMapping.Fhir)).LastLine()["version"]!);
    }

    [Fact]
    public async Task A_mapping_file_with_a_byte_order_mark_is_taken()
    {
        var (device, fhir) = (Path.Combine(_data, "d.json"), Path.Combine(_data, "f.json"));
        await File.WriteAllTextAsync(device, CreatingMapping.Device, new UTF8Encoding(true));
        await File.WriteAllTextAsync(fhir, CreatingMapping.Fhir, new UTF8Encoding(true));

        Assert.Equal(1, (int)(await RunAsync("mapping", "add", "bom", "--device", device, "--fhir", fhir)).LastLine()["version"]!);
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused()
    {
        await using var first = await ChildProcess.ServeAsync(_data);

        var second = await RunAsync("serve", "--urls", "http://127.0.0.1:0");

        Assert.Equal(1, second.ExitCode);
        Assert.DoesNotContain("   at ", second.Errors, StringComparison.Ordinal);
        Assert.NotEmpty(second.Errors);
        Assert.Equal(0, (await RunAsync("vendor", "add", "still-works")).ExitCode);
    }

    [Fact]
    public async Task A_port_in_use_is_told_without_a_stack_trace()
    {
        await using var first = await ChildProcess.ServeAsync(_data);

        var second = await ChildProcess.RunAsync("serve", "--urls", first.Base, "--data", Path.Combine(_data, "other"));

        Assert.Equal(1, second.ExitCode);
        Assert.Contains(new Uri(first.Base).Port.ToString(System.Globalization.CultureInfo.InvariantCulture), second.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at FhirIomt", second.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ingest__MaxBodyBytes", "5", "Ingest:MaxBodyBytes")]
    [InlineData("Ingest__MaxBodyBytes", "many", "Ingest:MaxBodyBytes")]
    [InlineData("Ingest__MaxMessages", "0", "Ingest:MaxMessages")]
    [InlineData("Ingest__MaxFuture", "2.00:00:00", "Ingest:MaxFuture")]
    [InlineData("Ingest__MaxFuture", "ten minutes", "Ingest:MaxFuture")]
    [InlineData("Ingest__ReceiptsKept", "00:00:01", "Ingest:ReceiptsKept")]
    [InlineData("Telemetry__OtlpEndpoint", "collector", "Telemetry:OtlpEndpoint")]
    [InlineData("PublicUrl", "fhir.example.org", "PublicUrl")]
    [InlineData("Urls", "localhost", "Urls")]
    [InlineData("Demo", "perhaps", "Demo")]
    public async Task A_wrong_option_is_refused_by_its_key(string name, string value, string key)
    {
        var result = await ChildProcess.RunAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_" + name] = value }, "serve", "--data", _data);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(key, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_work_on_the_folder_that_the_environment_names_as_serve_does()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_Data"] = _data };

        Assert.Equal(0, (await ChildProcess.RunAsync(environment, "vendor", "add", "acme")).ExitCode);

        await RefusedAsync("IOMT-0551", "vendor", "add", "acme");
    }

    private async Task RefusedAsync(string saying, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 1 && (result.Errors + result.Output).Contains(saying, StringComparison.Ordinal) && !result.Errors.Contains("   at ", StringComparison.Ordinal), $"{string.Join(' ', arguments)}: {result}");
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => ChildProcess.RunAsync([.. arguments, "--data", _data]);

    private async Task<CommandResult> AddMappingAsync(string name, string fhirText, string identity = "create")
    {
        var (device, fhir) = (Path.Combine(_data, "device.json"), Path.Combine(_data, "fhir.json"));
        await File.WriteAllTextAsync(device, CreatingMapping.Device);
        await File.WriteAllTextAsync(fhir, fhirText);
        return await RunAsync("mapping", "add", name, "--device", device, "--fhir", fhir, "--identity", identity);
    }

    private string Jwks()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var file = Path.Combine(_data, "jwks.json");
        File.WriteAllText(file, ClientKeyFile.PublicSet(key));
        File.WriteAllText(Path.Combine(_data, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        return file;
    }

    private async Task<string> TokenAsync(ChildProcess server, string scopes)
    {
        var client = (string)(await RunAsync("client", "add", "ehr", "--jwks", Jwks(), "--scopes", scopes)).LastLine()["client_id"]!;
        await Task.Delay(TimeSpan.FromSeconds(1));
        var token = await ChildProcess.RunAsync("client", "token", "--client-id", client, "--key", Path.Combine(_data, "key.pem"), "--scopes", scopes, "--server", server.Base);
        return token.ExitCode == 0 ? token.Output.Trim() : throw new InvalidOperationException(token.Errors);
    }

    private static async Task<string> CreatePatientAsync(ChildProcess server, string token) =>
        (string)(await SendAsync(server, HttpMethod.Post, "fhir/Patient", token, new StringContent("""{"resourceType":"Patient"}""", null, "application/fhir+json"))).Json["id"]!;

    private static Task<Answer> PostAsync(ChildProcess server, string credential, string body, string? mapping = null) =>
        SendAsync(server, HttpMethod.Post, "devices/messages" + (mapping is null ? "" : $"?mapping={mapping}"), credential, new StringContent(body, null, "application/json"));

    private static async Task<Answer> SendAsync(ChildProcess server, HttpMethod method, string path, string credential, HttpContent? content)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Base + "/") };
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        using var response = await http.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
