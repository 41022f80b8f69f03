using System.Text;

namespace FhirIomt.Server.Tests;

/// <summary>Uploading mappings over HTTP.</summary>
public sealed class MappingEndpointTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Only_an_operator_uploads_mappings()
    {
        var body = Body(CreatingMapping.Fhir);

        Assert.Equal(401, (await PutAsync("m", null, body)).Status);
        Assert.Equal(401, (await PutAsync("m", "nonsense", body)).Status);
        Assert.Equal(401, (await PutAsync("m", await server.AddVendorAsync(), body)).Status);
        Assert.Equal(403, (await PutAsync("m", await server.TokenAsync(), body)).Status);
        Assert.Equal(200, (await PutAsync("m", await server.TokenAsync("__operator"), body)).Status);
    }

    [Fact]
    public async Task An_operators_token_alone_reads_no_patient()
    {
        Assert.Equal(403, (await server.GetAsync("fhir/Patient", await server.TokenAsync("__operator"))).Status);
    }

    [Fact]
    public async Task Versions_count_up_and_messages_use_the_newest_at_once()
    {
        var (name, token) = (server.Name("mapping"), await server.TokenAsync("__operator"));
        var (device, credential, _, _) = await server.AddWornDeviceAsync(mapping: name);
        var codes = new List<string>();
        for (var version = 1; version <= 3; version++)
        {
            var put = await PutAsync(name, token, Body(CreatingMapping.Fhir.Replace("8867-4", $"8867-{version}", StringComparison.Ordinal)));
            Assert.Equal((200, version), (put.Status, (int)put.Json["version"]!));
            var receipt = (await server.PostAsync(credential, CreatingMapping.Message(device, null, time: $"2026-02-01T10:00:0{version}Z"))).Only;
            Assert.Equal("stored", receipt.Status);
            codes.Add((string)(await server.GetAsync($"fhir/{receipt.Observations[0]}", await server.TokenAsync())).Json["code"]!["coding"]![0]!["code"]!);
        }

        Assert.Equal(["8867-1", "8867-2", "8867-3"], codes);
    }

    [Fact]
    public async Task A_bad_mapping_is_refused_with_its_place_and_the_old_one_stays()
    {
        var (name, token) = (server.Name("mapping"), await server.TokenAsync("__operator"));
        var (device, credential, _, _) = await server.AddWornDeviceAsync(mapping: name);
        await PutAsync(name, token, Body(CreatingMapping.Fhir));

        var refused = await PutAsync(name, token, Body(CreatingMapping.Fhir.Replace("\"Quantity\"", "\"Boolean\"", StringComparison.Ordinal)));

        Assert.Equal(422, refused.Status);
        Assert.Contains(refused.Json["issues"]!.AsArray(), issue => ((string?)issue!["path"] ?? "").Contains("line", StringComparison.OrdinalIgnoreCase) || ((string?)issue["path"] ?? "").Contains(':', StringComparison.Ordinal));
        Assert.Equal("stored", (await server.PostAsync(credential, CreatingMapping.Message(device, null))).Only.Status);
        Assert.Equal(2, (int)(await PutAsync(name, token, Body(CreatingMapping.Fhir))).Json["version"]!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"device\":{},\"fhir\":[]}")]
    [InlineData("{\"device\":{},\"fhir\":{},\"identity\":\"guess\"}")]
    [InlineData("{\"device\":{},\"fhir\":{},\"identity\":null}")]
    [InlineData("{\"device\":{},\"device\":{},\"fhir\":{}}")]
    public async Task A_body_that_is_no_mapping_is_a_400(string body)
    {
        var answer = await PutAsync("bad", await server.TokenAsync("__operator"), body);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Codes);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a%01b")]
    [InlineData("%C3%BC")]
    [InlineData("a%2Fb")]
    public async Task A_bad_name_is_refused(string name)
    {
        Assert.Equal(422, (await PutAsync(name, await server.TokenAsync("__operator"), Body(CreatingMapping.Fhir))).Status);
    }

    [Fact]
    public async Task A_mapping_of_more_than_a_megabyte_is_a_413()
    {
        Assert.Equal(413, (await PutAsync("big", await server.TokenAsync("__operator"), "{\"device\":\"" + new string('x', 1024 * 1024) + "\"}")).Status);
    }

    [Fact]
    public async Task Parallel_uploads_each_get_a_version_of_their_own()
    {
        var (name, token) = (server.Name("mapping"), await server.TokenAsync("__operator"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PutAsync(name, token, Body(CreatingMapping.Fhir))));

        Assert.Equal(Enumerable.Range(1, 8), answers.Select(answer => (int)answer.Json["version"]!).Order());
    }

    [Fact]
    public async Task An_uploaded_mapping_hides_the_built_in_one_of_its_name_for_the_messages_that_follow()
    {
        await using var own = new TestServer();
        await own.InitializeAsync();
        var token = await own.TokenAsync("__operator");
        var (device, credential, _, _) = await own.AddWornDeviceAsync();
        Assert.Equal("stored", (await own.PostAsync(credential, ReceiptTests.HeartRate(device, "72"))).Only.Status);

        await own.SendAsync(HttpMethod.Put, "devices/mappings/vitals", token, Content(Body(CreatingMapping.Fhir)));

        Assert.Equal("quarantined IOMT-0430", (await own.PostAsync(credential, ReceiptTests.HeartRate(device, "72"))).Only.Summary);
        Assert.Equal("stored", (await own.PostAsync(credential, CreatingMapping.Message(device, null))).Only.Status);
    }

    private static string Body(string fhir) => $$"""{"device":{{CreatingMapping.Device}},"fhir":{{fhir}},"identity":"lookup"}""";

    private static StringContent Content(string body) => new(body, Encoding.UTF8, "application/json");

    private Task<Answer> PutAsync(string name, string? token, string body) => server.SendAsync(HttpMethod.Put, $"devices/mappings/{name}", token, Content(body));
}
