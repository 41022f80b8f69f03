using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Codes: facts §10 E 84 to 89, §2.2 G12 and G13, §10 F 115 to 119.</summary>
public sealed class CodeTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "openid offline_access user/Patient.rs";

    [Theory]
    [InlineData("redirect_uri", "https://app.example/other")]
    [InlineData("redirect_uri", "https://app.example/callback/")]
    [InlineData("code_verifier", null)]
    [InlineData("code_verifier", "")]
    [InlineData("code_verifier", "0123456789-0123456789-0123456789-0123456789-abcdeX")]
    [InlineData("code_verifier", "short")]
    [InlineData("code_verifier", "CHALLENGE")]
    [InlineData("code", "made-up")]
    public async Task E84_E89_G12_G13_a_code_needs_its_own_redirect_uri_and_verifier(string name, string? value)
    {
        var code = await accounts.Public.CodeAsync(Scope);
        using var answer = await accounts.Public.RedeemAsync(code, (name, value == "CHALLENGE" ? App.Challenge : value));
        Assert.Equal(400, (int)answer.StatusCode);
        await Task.FromResult(answer).AssertRefusedAsync("invalid_grant");
        if (name != "code")
        {
            await accounts.Public.RedeemAsync(code).AssertGrantedAsync();
        }
    }

    [Fact]
    public async Task E85_E86_another_client_neither_redeems_nor_revokes()
    {
        var code = await accounts.Public.CodeAsync(Scope);
        var other = await accounts.RegisterAsync(ClientType.Public);
        await other.RedeemAsync(code).AssertRefusedAsync("invalid_grant");
        await accounts.Secret.RedeemAsync(code).AssertRefusedAsync("invalid_grant");
        var tokens = await accounts.Public.RedeemAsync(code).AssertGrantedAsync();
        await other.RedeemAsync(code).AssertRefusedAsync("invalid_grant");
        Assert.Equal(200, (await accounts.Public.Caller(tokens).GetAsync("Patient")).Status);
    }

    [Fact]
    public async Task E86_a_code_used_twice_ends_what_came_of_it()
    {
        var code = await accounts.Public.CodeAsync(Scope);
        var tokens = await accounts.Public.RedeemAsync(code).AssertGrantedAsync();
        var caller = accounts.Public.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);
        await accounts.Public.RedeemAsync(code).AssertRefusedAsync("invalid_grant");
        Assert.Equal(401, (await caller.GetAsync("Patient")).Status);
        await accounts.Public.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertRefusedAsync("invalid_grant");
    }

    [Fact]
    public async Task E86_of_many_at_once_at_most_one_gets_tokens()
    {
        var code = await accounts.Public.CodeAsync(Scope);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => accounts.Public.RedeemAsync(code)));
        Assert.Single(answers, answer => answer.IsSuccessStatusCode);
        Assert.All(answers.Where(answer => !answer.IsSuccessStatusCode), answer => Assert.Equal(400, (int)answer.StatusCode));
    }

    [Fact]
    public async Task E87_a_code_is_over_after_a_minute()
    {
        var code = await accounts.Public.CodeAsync(Scope);
        accounts.Server.Time.Offset += TimeSpan.FromSeconds(61);
        await accounts.Public.RedeemAsync(code).AssertRefusedAsync("invalid_grant");
    }

    [Fact]
    public async Task E88_a_code_in_the_address_is_refused()
    {
        var code = await accounts.Public.CodeAsync(Scope);
        Assert.Equal(405, (int)(await accounts.Server.Http.GetAsync($"{accounts.Server.TokenEndpoint}?grant_type=authorization_code&code={code}")).StatusCode);
        await accounts.Public.SendAsync($"{accounts.Server.TokenEndpoint}?code={code}", [("grant_type", "authorization_code")]).AssertRefusedAsync("invalid_request");
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task F115_a_wrong_secret(string secret)
    {
        var code = await accounts.Secret.CodeAsync(Scope);
        var app = accounts.Secret with { Secret = secret };
        await app.RedeemAsync(code).AssertRefusedAsync();
        await (accounts.Public with { Id = app.Id }).RedeemAsync(code, ("client_secret", secret)).AssertRefusedAsync();
        await accounts.Secret.RedeemAsync(code).AssertGrantedAsync();
    }

    [Fact]
    public async Task F115_a_secret_is_taken_from_the_header_raw_or_encoded_or_from_the_form_but_not_twice()
    {
        var (id, secret) = (accounts.Secret.Id, accounts.Secret.Secret!);
        var encoded = string.Concat(id.Select(letter => $"%{(int)letter:X2}"));
        await (accounts.Secret with { Id = encoded }).RedeemAsync(await accounts.Secret.CodeAsync(Scope)).AssertGrantedAsync();
        var form = accounts.Public with { Id = id };
        await form.RedeemAsync(await accounts.Secret.CodeAsync(Scope), ("client_secret", secret)).AssertGrantedAsync();
        await accounts.Secret.RedeemAsync("x", ("client_id", id), ("client_secret", secret)).AssertRefusedAsync("invalid_request");
        await accounts.Secret.RedeemAsync("x", ("client_id", accounts.Public.Id)).AssertRefusedAsync();
    }

    [Fact]
    public async Task F115_a_client_authenticates_as_it_is_registered_or_not_at_all()
    {
        await (accounts.Public with { Id = accounts.Secret.Id }).RedeemAsync("x").AssertRefusedAsync();
        await (accounts.Public with { Id = accounts.Signing.Id }).RedeemAsync("x").AssertRefusedAsync();
        await (accounts.Secret with { Id = accounts.Public.Id }).RedeemAsync("x").AssertRefusedAsync();
        await (accounts.Public with { Id = "nobody" }).RedeemAsync("x").AssertRefusedAsync();
        await accounts.Public.RedeemAsync("x", ("client_id", null)).AssertRefusedAsync();
        await accounts.Signing.RedeemAsync("x", ("client_secret", "x")).AssertRefusedAsync("invalid_request");
    }

    [Fact]
    public async Task F115_a_rotated_secret_ends_at_once()
    {
        var app = await accounts.RegisterAsync(ClientType.Secret);
        var secret = (await accounts.Clients.RotateSecretAsync(app.Id, CancellationToken.None)).Require();
        await app.RedeemAsync("x").AssertRefusedAsync();
        await (app with { Secret = secret }).RedeemAsync("x").AssertRefusedAsync("invalid_grant");
    }

    [Fact]
    public async Task A19_a_disabled_client_gets_nothing_and_its_tokens_rest()
    {
        var app = await accounts.RegisterAsync(ClientType.Jwks);
        var tokens = await app.TokensAsync(Scope);
        await accounts.Clients.DisableAsync(app.Id, disabled: true, CancellationToken.None);
        Assert.Equal(401, (await app.Caller(tokens).GetAsync("Patient")).Status);
        await app.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertRefusedAsync();
        await accounts.Clients.DisableAsync(app.Id, disabled: false, CancellationToken.None);
        Assert.Equal(200, (await app.Caller(tokens).GetAsync("Patient")).Status);
    }

    [Theory]
    [InlineData(AssertionAudience.Issuer, false, true)]
    [InlineData(AssertionAudience.TokenEndpoint, true, false)]
    [InlineData(AssertionAudience.Both, true, true)]
    public async Task A12_the_audience_is_the_one_the_client_is_registered_for(AssertionAudience registered, bool endpoint, bool issuer)
    {
        var key = ClientKey.Ec();
        var client = new NewClient("strict", ClientType.Jwks, "system/Patient.rs") { Keys = key.JwkSet(), AssertionAudience = registered };
        var added = (await accounts.Clients.AddAsync(client, CancellationToken.None)).Require().Client;
        var app = new App(accounts, added.ClientId, ClientType.Jwks, null, key);
        foreach (var (audience, works) in ((string, bool)[])[(accounts.Server.TokenEndpoint, endpoint), (accounts.Server.FhirBase, issuer)])
        {
            var request = app.TokenAsync([("grant_type", "client_credentials"), ("scope", "system/Patient.rs")], ("client_assertion", app.Assertion(audience)));
            await (works ? request.AssertGrantedAsync() : request.AssertRefusedAsync());
        }
    }

    [Fact]
    public async Task A21_only_clients_that_sign_can_act_for_themselves_and_never_with_a_persons_scopes()
    {
        (string, string)[] form = [("grant_type", "client_credentials"), ("scope", "patient/Patient.rs user/Patient.rs")];
        await accounts.Secret.TokenAsync(form).AssertRefusedAsync("unauthorized_client");
        await accounts.Public.TokenAsync(form).AssertRefusedAsync("unauthorized_client");
        await accounts.Signing.TokenAsync(form).AssertRefusedAsync("invalid_scope");
    }

    [Theory]
    [InlineData("https://app.example", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("https://app.example.evil.example", false)]
    [InlineData("http://app.example", false)]
    [InlineData("null", false)]
    public async Task F119_only_registered_origins_may_read_tokens_and_FHIR(string origin, bool isAllowed)
    {
        foreach (var path in (string[])["/auth/token", "/auth/userinfo", "/fhir/Patient"])
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, accounts.Server.Root + path);
            preflight.Headers.TryAddWithoutValidation("Origin", origin);
            preflight.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "POST");
            preflight.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", "authorization,content-type,prefer,if-match");
            using var answer = await accounts.Server.Http.SendAsync(preflight);
            Assert.Equal(isAllowed ? [origin] : [], answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed : []);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
            if (isAllowed)
            {
                var headers = string.Join(',', answer.Headers.GetValues("Access-Control-Allow-Headers"));
                Assert.All((string[])["authorization", "content-type", "prefer", "if-match"], header => Assert.Contains(header, headers, StringComparison.Ordinal));
            }
        }

        foreach (var path in (string[])["/auth/introspect", "/auth/authorize", "/auth/login", "/auth/launches"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, accounts.Server.Root + path) { Content = new FormUrlEncodedContent([]) };
            request.Headers.TryAddWithoutValidation("Origin", origin);
            Assert.False((await accounts.Server.Http.SendAsync(request)).Headers.Contains("Access-Control-Allow-Origin"));
        }
    }
}
