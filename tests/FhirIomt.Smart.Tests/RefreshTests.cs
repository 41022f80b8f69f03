using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Refresh tokens and what ends them: facts §1.6, §10 F 109 to 114.</summary>
public sealed class RefreshTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs";

    [Theory]
    [InlineData(ClientType.Public)]
    [InlineData(ClientType.Secret)]
    [InlineData(ClientType.Jwks)]
    public async Task R1_to_R4_a_refresh_token_becomes_the_next_one_and_keeps_the_patient(ClientType type)
    {
        var app = type switch { ClientType.Public => accounts.Public, ClientType.Secret => accounts.Secret, _ => accounts.Signing };
        var first = await app.TokensAsync(Scope, patient: accounts.Ada);
        var second = await app.RefreshAsync(Refresh(first)).AssertGrantedAsync();
        var third = await app.RefreshAsync(Refresh(second), ("scope", Scope)).AssertGrantedAsync();
        foreach (var tokens in (System.Text.Json.JsonElement[])[second, third])
        {
            Assert.Equal(Scope, tokens.GetProperty("scope").GetString());
            Assert.Equal(accounts.Ada, tokens.GetProperty("patient").GetString());
            Assert.Equal(3600, tokens.GetProperty("expires_in").GetInt32());
            Assert.Equal(200, (await app.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
        }
    }

    [Theory]
    [InlineData("random")]
    [InlineData("")]
    public async Task R5_a_random_refresh_token(string token)
    {
        using var answer = await accounts.Public.RefreshAsync(token);
        Assert.Equal(400, (int)answer.StatusCode);
    }

    [Fact]
    public async Task F109_a_used_refresh_token_ends_the_whole_family()
    {
        var first = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        var second = await accounts.Public.RefreshAsync(Refresh(first)).AssertGrantedAsync();
        await accounts.Public.RefreshAsync(Refresh(first)).AssertRefusedAsync("invalid_grant");
        await accounts.Public.RefreshAsync(Refresh(second)).AssertRefusedAsync("invalid_grant");
        Assert.Equal(401, (await accounts.Public.Caller(second).GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(401, (await accounts.Public.Caller(first).GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    [Fact]
    public async Task F109_of_many_at_once_at_most_one_gets_the_next()
    {
        var first = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => accounts.Public.RefreshAsync(Refresh(first))));
        Assert.Single(answers, answer => answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task F110_another_client_neither_refreshes_nor_revokes()
    {
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        await accounts.Secret.RefreshAsync(Refresh(tokens)).AssertRefusedAsync("invalid_grant");
        await accounts.Public.RefreshAsync(Refresh(tokens), ("client_id", null)).AssertRefusedAsync();
        await accounts.Public.RefreshAsync(Refresh(tokens)).AssertGrantedAsync();
    }

    [Fact]
    public async Task F111_wider_is_refused_narrower_is_for_one_token_only()
    {
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        await accounts.Public.RefreshAsync(Refresh(tokens), ("scope", Scope + " patient/Condition.rs")).AssertRefusedAsync("invalid_scope");
        var narrow = await accounts.Public.RefreshAsync(Refresh(tokens), ("scope", "patient/Patient.r")).AssertGrantedAsync();
        Assert.Equal("patient/Patient.r", narrow.GetProperty("scope").GetString());
        Assert.Equal(403, (await accounts.Public.Caller(narrow).GetAsync("Observation")).Status);
        var wide = await accounts.Public.RefreshAsync(Refresh(narrow)).AssertGrantedAsync();
        Assert.Equal(Scope, wide.GetProperty("scope").GetString());
        Assert.Equal(200, (await accounts.Public.Caller(wide).GetAsync("Observation")).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task F112_C63_a_new_password_and_a_disabled_account_end_everything(bool disable)
    {
        var name = disable ? "leaver" : "changer";
        await accounts.AddUserAsync(name, Access.UserRole.Patient, $"Patient/{accounts.Ben}");
        using var browser = new Browser(accounts.Server);
        var tokens = await accounts.Public.TokensAsync(Scope, name, browser: browser);
        Assert.Equal(200, (await accounts.Public.Caller(tokens).GetAsync($"Patient/{accounts.Ben}")).Status);

        Assert.Null(await (disable ? accounts.Users.DisableAsync(name, disabled: true, CancellationToken.None) : accounts.Users.SetPasswordAsync(name, "another long one", CancellationToken.None)));
        Assert.Equal(401, (await accounts.Public.Caller(tokens).GetAsync($"Patient/{accounts.Ben}")).Status);
        await accounts.Public.RefreshAsync(Refresh(tokens)).AssertRefusedAsync("invalid_grant");
        Assert.Contains((await accounts.Public.AuthorizeAsync(browser, Scope)).Forms, form => form.Action == "/auth/login");
    }

    [Fact]
    public async Task F113_online_access_ends_with_the_session()
    {
        using var browser = new Browser(accounts.Server);
        var online = await accounts.Public.TokensAsync("openid online_access user/Patient.rs", browser: browser);
        var offline = await accounts.Public.TokensAsync("openid offline_access user/Patient.rs", browser: browser);
        online = await accounts.Public.RefreshAsync(Refresh(online)).AssertGrantedAsync();

        var page = await browser.OpenAsync("/auth/logout");
        await browser.SubmitAsync(page, "/auth/logout");
        Assert.Equal(401, (await accounts.Public.Caller(online).GetAsync("Patient")).Status);
        await accounts.Public.RefreshAsync(Refresh(online)).AssertRefusedAsync("invalid_grant");
        Assert.Equal(200, (await accounts.Public.Caller(offline).GetAsync("Patient")).Status);
        await accounts.Public.RefreshAsync(Refresh(offline)).AssertGrantedAsync();
    }

    [Fact]
    public async Task F114_offline_access_is_asked_for_and_can_be_refused()
    {
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid offline_access user/Patient.rs"));
        Assert.Contains("Keep access when you are not signed in", page.Text, StringComparison.Ordinal);
        var end = await browser.SubmitAsync(page, "/auth/consent", ("scope", "user/Patient.rs"), ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.False(tokens.TryGetProperty("refresh_token", out _));
        Assert.Equal("openid user/Patient.rs", tokens.GetProperty("scope").GetString());
    }

    [Fact]
    public async Task G22_offline_access_lasts_three_months_and_longer_when_it_is_used()
    {
        var start = accounts.Server.Time.Offset;
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        accounts.Server.Time.Offset += TimeSpan.FromDays(95);
        tokens = await accounts.Public.RefreshAsync(Refresh(tokens)).AssertGrantedAsync();
        accounts.Server.Time.Offset += TimeSpan.FromDays(95);
        tokens = await accounts.Public.RefreshAsync(Refresh(tokens)).AssertGrantedAsync();
        accounts.Server.Time.Offset += TimeSpan.FromDays(200);
        await accounts.Public.RefreshAsync(Refresh(tokens)).AssertRefusedAsync("invalid_grant");
        accounts.Server.Time.Offset = start;
    }

    private static string Refresh(System.Text.Json.JsonElement tokens) => tokens.GetProperty("refresh_token").GetString()!;
}
