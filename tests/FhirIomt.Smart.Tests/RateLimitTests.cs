using System.Globalization;
using System.Net.Http.Headers;
using FhirIomt.Access;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Hosting.Guarding;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>Limits on requests: facts §10 J 162 and the flood cases. Every server here allows one request per second, and so ten at once.</summary>
public sealed class RateLimitTests
{
    // More than the ten at once, and more than a slow machine is let through meanwhile.
    private const int Many = 200;

    [Fact]
    public async Task One_address_that_floods_is_told_when_to_come_again()
    {
        await using var server = await StartAsync(limits => limits.PerAddress = 1);
        var refused = await FloodAsync(() => GetAsync(server, "metadata"));
        Assert.Equal("IOMT-0910", refused.IssueCode);
        Assert.Equal("throttled", refused.Json.GetProperty("issue")[0].GetProperty("code").GetString());
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 60);
        Assert.Equal("no-store", refused.Header("Cache-Control"));
    }

    [Fact]
    public async Task J162_an_address_that_a_client_writes_in_a_header_is_not_believed()
    {
        await using var server = await StartAsync(limits => limits.PerAddress = 1);
        var number = 0;
        await FloodAsync(() => GetAsync(server, "metadata", ("X-Forwarded-For", $"203.0.113.{number++ % 250}"), ("Forwarded", $"for=203.0.113.{number % 250}"), ("X-Real-IP", $"203.0.113.{number % 250}")));
    }

    [Fact]
    public async Task J162_a_known_proxy_is_believed_for_the_last_address_that_is_no_proxy()
    {
        await using var server = await StartAsync(limits => limits.PerAddress = 1, proxies: "127.0.0.0/8, 10.9.0.0/16");
        await FloodAsync(() => GetAsync(server, "metadata", ("X-Forwarded-For", "203.0.113.7")));
        Assert.Equal(200, (await GetAsync(server, "metadata", ("X-Forwarded-For", "203.0.113.8"))).Status);

        // Whatever the client itself had written before the proxies wrote theirs.
        var number = 0;
        await FloodAsync(() => GetAsync(server, "metadata", ("X-Forwarded-For", $"198.51.100.{number++ % 250}, 203.0.113.9, 10.9.1.1")));
    }

    [Fact]
    public async Task J162_a_subscriber_of_IPv6_has_one_share_for_all_its_addresses()
    {
        await using var server = await StartAsync(limits => limits.PerAddress = 1, proxies: "127.0.0.1");
        var number = 0;
        await FloodAsync(() => GetAsync(server, "metadata", ("X-Forwarded-For", $"2001:db8:1:2::{number++:x}")));
        Assert.Equal(200, (await GetAsync(server, "metadata", ("X-Forwarded-For", "2001:db8:1:3::1"))).Status);
    }

    [Fact]
    public async Task Signing_in_has_a_stricter_limit_and_answers_as_an_authorization_server_does()
    {
        await using var server = await StartAsync(limits => limits.SignInPerAddress = 1);
        var refused = await FloodAsync(async () =>
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]);
            return await Answer.OfAsync(await server.Http.PostAsync(server.TokenEndpoint, form));
        });
        Assert.Equal("temporarily_unavailable", refused.Json.GetProperty("error").GetString());
        Assert.NotNull(refused.Header("Retry-After"));
        Assert.Equal(200, (await GetAsync(server, "metadata")).Status);
    }

    [Fact]
    public async Task One_person_that_floods_leaves_the_others_alone()
    {
        await using var server = await StartAsync(limits => limits.PerUser = 1);
        var flooding = server.Caller("user/*.rs", new AccessUser("u-1", UserRole.Clinician, "Practitioner/1"));
        Assert.Equal("IOMT-0910", (await FloodAsync(() => flooding.GetAsync("Patient"))).IssueCode);
        Assert.Equal(200, (await server.Caller("user/*.rs", new AccessUser("u-2", UserRole.Clinician, "Practitioner/2")).GetAsync("Patient")).Status);
    }

    [Fact]
    public async Task One_client_that_floods_leaves_the_others_alone_whatever_tokens_it_has()
    {
        await using var server = await StartAsync(limits => limits.PerClient = 1);
        var client = await server.RegisterAsync("system/Patient.rs");
        var callers = new[] { new FhirCaller(server, await client.TokenAsync()), new FhirCaller(server, await client.TokenAsync()) };
        var number = 0;
        await FloodAsync(() => callers[number++ % 2].GetAsync("Patient"));
        Assert.Equal(200, (await (await server.CallerAsync("system/Patient.rs")).GetAsync("Patient")).Status);
    }

    [Fact]
    public async Task One_device_that_floods_leaves_the_others_alone()
    {
        await using var server = await StartAsync(limits => limits.PerSender = 1);
        var registrar = server.Services.GetRequiredService<Registrar>();
        var (_, one) = (await registrar.AddDeviceAsync(new NewDevice("urn:test:serial", "1", null, null, null, "vitals"), CancellationToken.None)).Require();
        var (_, two) = (await registrar.AddDeviceAsync(new NewDevice("urn:test:serial", "2", null, null, null, "vitals"), CancellationToken.None)).Require();
        var refused = await FloodAsync(() => SelfAsync(server, one));
        Assert.Equal("IOMT-0910", refused.Json.GetProperty("issues")[0].GetProperty("code").GetString());
        Assert.Equal(200, (await SelfAsync(server, two)).Status);
    }

    [Fact]
    public async Task A_request_that_never_ends_is_given_up()
    {
        await using var server = await StartAsync(limits => limits.RequestTime = TimeSpan.FromSeconds(1));
        var caller = await server.CallerAsync("system/Patient.cruds");
        using var connection = new System.Net.Sockets.TcpClient();
        await connection.ConnectAsync(System.Net.IPAddress.Loopback, new Uri(server.Root).Port);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {caller.Token}\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000\r\n\r\n{{"));
        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await reader.ReadLineAsync());
        Assert.Contains("IOMT-0911", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync(Action<LimitOptions> limit, string? proxies = null) => TestServer.StartAsync(options =>
    {
        options.Limits = new LimitOptions { PerAddress = 0, SignInPerAddress = 0, PerClient = 0, PerUser = 0, PerSender = 0 };
        options.Proxies.Known = proxies;
        limit(options.Limits);
    });

    private static async Task<Answer> FloodAsync(Func<Task<Answer>> ask)
    {
        for (var number = 0; number < Many; number++)
        {
            if (await ask() is { Status: 429 } refused)
            {
                Assert.True(number >= 10, $"refused after {number}");
                return refused;
            }
        }

        Assert.Fail("Nothing was refused.");
        return null!;
    }

    private static async Task<Answer> GetAsync(TestServer server, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Answer.OfAsync(await server.Http.SendAsync(request));
    }

    private static async Task<Answer> SelfAsync(TestServer server, string credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Root + "/devices/self");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        return await Answer.OfAsync(await server.Http.SendAsync(request));
    }
}
