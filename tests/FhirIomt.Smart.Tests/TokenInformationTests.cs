using System.Net.Http.Headers;
using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Introspection and revocation: facts §1.8, §2.2 G10, §7.6, §10 F 120 and 121.</summary>
public sealed class TokenInformationTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch/patient openid fhirUser offline_access patient/Patient.rs";

    private string Introspection => accounts.Server.Root + "/auth/introspect";

    private string Revocation => accounts.Server.Root + "/auth/revoke";

    [Fact]
    public async Task I1_I3_an_active_token_is_described_as_it_was_answered()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(tokens.GetProperty("id_token").GetString()!.Split('.')[1])).RootElement;
        foreach (var answer in (JsonElement[])[await AskAsync(accounts.Secret, Access(tokens)), await AskAsBearerAsync(await accounts.Ehr.TokenAsync(), Access(tokens)), await AskAsBearerAsync(Access(tokens), Access(tokens))])
        {
            Assert.Equal(JsonValueKind.True, answer.GetProperty("active").ValueKind);
            Assert.Equal(accounts.Secret.Id, answer.GetProperty("client_id").GetString());
            Assert.Equal(tokens.GetProperty("scope").GetString(), answer.GetProperty("scope").GetString());
            Assert.Equal(JsonValueKind.Number, answer.GetProperty("exp").ValueKind);
            Assert.InRange(answer.GetProperty("exp").GetInt64(), accounts.Server.Time.GetUtcNow().ToUnixTimeSeconds(), accounts.Server.Time.GetUtcNow().ToUnixTimeSeconds() + 3600);
            Assert.Equal(accounts.Ada, answer.GetProperty("patient").GetString());
            foreach (var name in (string[])["iss", "sub", "fhirUser"])
            {
                Assert.Equal(claims.GetProperty(name).GetString(), answer.GetProperty(name).GetString());
            }
        }
    }

    [Fact]
    public async Task I3_a_backend_token_is_described_too()
    {
        var token = await accounts.Ehr.TokenAsync("system/Patient.rs");
        var answer = await AskAsBearerAsync(await accounts.Ehr.TokenAsync(), token);
        Assert.Equal(accounts.Ehr.Id, answer.GetProperty("client_id").GetString());
        Assert.Equal("system/Patient.rs", answer.GetProperty("scope").GetString());
        Assert.True(answer.GetProperty("exp").GetInt64() > 0);
        Assert.False(answer.TryGetProperty("sub", out _));
    }

    [Fact]
    public async Task I2_I4_F121_what_is_no_active_token_of_the_asker_is_inactive_and_nothing_more()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        var others = await accounts.Signing.TokensAsync(Scope, patient: accounts.Ada);
        var revoked = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        (await accounts.Secret.SendAsync(Revocation, [("token", Access(revoked))])).Dispose();
        foreach (var token in (string[])["invalid_token_value", "", tokens.GetProperty("refresh_token").GetString()!, tokens.GetProperty("id_token").GetString()!, Access(others), Access(revoked)])
        {
            Assert.Equal("""{"active":false}""", (await AskAsync(accounts.Secret, token)).GetRawText());
        }

        accounts.Server.Time.Offset += TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1);
        Assert.Equal("""{"active":false}""", (await AskAsync(accounts.Secret, Access(tokens))).GetRawText());
    }

    [Fact]
    public async Task F121_nobody_asks_without_authenticating_and_answers_are_not_stored()
    {
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        using var nobody = new FormUrlEncodedContent([KeyValuePair.Create("token", Access(tokens))]);
        await accounts.Server.Http.PostAsync(Introspection, nobody).AssertRefusedAsync();
        await accounts.Public.SendAsync(Introspection, [("token", Access(tokens))]).AssertRefusedAsync();
        await (accounts.Secret with { Secret = "wrong" }).SendAsync(Introspection, [("token", Access(tokens))]).AssertRefusedAsync();
        await accounts.Secret.SendAsync(Introspection, []).AssertRefusedAsync("invalid_request");
        await accounts.Secret.SendAsync(Introspection, [("token", "x")]).AssertGrantedAsync();
    }

    [Fact]
    public async Task G10_a_revoked_refresh_token_ends_its_access_tokens()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        using var answer = await accounts.Secret.SendAsync(Revocation, [("token", tokens.GetProperty("refresh_token").GetString()!), ("token_type_hint", "access_token")]);
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(401, (await accounts.Secret.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
        await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertRefusedAsync("invalid_grant");
    }

    [Fact]
    public async Task F120_an_access_token_is_revoked_alone()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        Assert.Equal(200, (await accounts.Secret.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
        (await accounts.Secret.SendAsync(Revocation, [("token", Access(tokens)), ("token_type_hint", "nonsense")])).Dispose();
        Assert.Equal(401, (await accounts.Secret.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
        await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync();
    }

    [Fact]
    public async Task F120_anothers_and_unknown_tokens_are_answered_200_and_left_alone()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, patient: accounts.Ada);
        foreach (var token in (string[])[Access(tokens), tokens.GetProperty("refresh_token").GetString()!, "unknown"])
        {
            using var answer = await accounts.Public.SendAsync(Revocation, [("token", token)]);
            Assert.Equal(200, (int)answer.StatusCode);
        }

        Assert.Equal(200, (await accounts.Secret.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
        await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync();
        await (accounts.Secret with { Secret = "wrong" }).SendAsync(Revocation, [("token", "x")]).AssertRefusedAsync();
        await accounts.Public.SendAsync(Revocation, []).AssertRefusedAsync("invalid_request");
    }

    [Fact]
    public async Task F120_a_public_client_revokes_its_own()
    {
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        (await accounts.Public.SendAsync(Revocation, [("token", tokens.GetProperty("refresh_token").GetString()!)])).Dispose();
        Assert.Equal(401, (await accounts.Public.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    private static string Access(JsonElement tokens) => tokens.GetProperty("access_token").GetString()!;

    private Task<JsonElement> AskAsync(App app, string token) => app.SendAsync(Introspection, [("token", token)]).AssertGrantedAsync();

    private async Task<JsonElement> AskAsBearerAsync(string bearer, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Introspection) { Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        return await accounts.Server.Http.SendAsync(request).AssertGrantedAsync();
    }
}
