using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Time passes; so these have a server of their own.</summary>
public sealed class ExpiryTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_token_ends_when_it_said_it_would()
    {
        var server = fixture.Server;
        var client = await server.RegisterAsync("system/Patient.rs");
        var answer = await client.RequestAsync().AssertGrantedAsync();
        var caller = new FhirCaller(server, answer.GetProperty("access_token").GetString()!);
        var life = TimeSpan.FromSeconds(answer.GetProperty("expires_in").GetInt32());
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);

        server.Time.Offset += life - TimeSpan.FromSeconds(20);
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);
        server.Time.Offset += TimeSpan.FromSeconds(21);
        var ended = await caller.GetAsync("Patient");
        Assert.Equal(401, ended.Status);
        Assert.Contains("invalid_token", ended.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_assertion_cannot_be_used_again_as_long_as_its_exp_would_allow()
    {
        var server = fixture.Server;
        var client = await server.RegisterAsync("system/Patient.rs");
        var claims = client.Claims();
        claims["exp"] = server.Time.GetUtcNow().ToUnixTimeSeconds() + 300;
        var assertion = client.Key.Sign(client.Header(), claims);
        await client.RequestAsync(assertion).AssertGrantedAsync();
        for (var minutes = 0; minutes < 8; minutes++)
        {
            await client.RequestAsync(assertion).AssertRefusedAsync();
            server.Time.Offset += TimeSpan.FromMinutes(1);
        }
    }
}
