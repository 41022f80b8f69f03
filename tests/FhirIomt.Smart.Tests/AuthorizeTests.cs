using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Abuse cases of the authorization request: facts §10 E, 83 to 95, 105, 106 and 108.</summary>
public sealed class AuthorizeTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch/patient openid patient/Patient.rs";

    private static readonly string[] LoginForm = ["/auth/login"];

    [Theory]
    [InlineData("https://app.example/callback/")]
    [InlineData("https://app.example/callbackx")]
    [InlineData("https://app.example/callbac")]
    [InlineData("https://app.example/cb/../callback")]
    [InlineData("https://app.example/callback?x=1")]
    [InlineData("https://app.example/callback#x")]
    [InlineData("https://app.example/Callback")]
    [InlineData("https://APP.example/callback")]
    [InlineData("https://app.example@evil.example/callback")]
    [InlineData("https://app.example\\@evil.example/callback")]
    [InlineData("https://app.example%2fevil.example/callback")]
    [InlineData("https://app.example:444/callback")]
    [InlineData("https://app.example:443/callback")]
    [InlineData("http://app.example/callback")]
    [InlineData("https://аpp.example/callback")]
    [InlineData("//app.example/callback")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("")]
    [InlineData(null)]
    public async Task E83_a_redirect_uri_that_is_not_registered_leads_nowhere(string? redirectUri)
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("redirect_uri", redirectUri))).AssertRefused("IOMT-0851");
    }

    [Theory]
    [InlineData("client_id")]
    [InlineData("redirect_uri")]
    [InlineData("state")]
    [InlineData("scope")]
    [InlineData("unheard_of")]
    public async Task E83_a_parameter_given_twice_leads_nowhere(string name)
    {
        using var browser = new Browser(accounts.Server);
        var request = accounts.Public.Request(Scope, (name, "one"));
        (await browser.OpenAsync($"/auth/authorize?{App.Query([.. request, (name, "two")])}")).AssertRefused("IOMT-0853");
    }

    [Fact]
    public async Task E83_with_several_registered_one_must_be_named()
    {
        var app = await accounts.RegisterAsync(ClientType.Public, Scope, "https://one.example/", "https://two.example/");
        using var browser = new Browser(accounts.Server);
        (await app.AuthorizeAsync(browser, Scope, ("redirect_uri", null))).AssertRefused("IOMT-0851");
        Assert.Equal(LoginForm, (await app.AuthorizeAsync(browser, Scope, ("redirect_uri", "https://two.example/"))).Forms.Select(form => form.Action));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData(null)]
    public async Task An_unknown_client_leads_nowhere(string? clientId)
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("client_id", clientId))).AssertRefused("IOMT-0850");
    }

    [Fact]
    public async Task A_disabled_client_leads_nowhere()
    {
        var app = await accounts.RegisterAsync(ClientType.Public);
        await accounts.Clients.DisableAsync(app.Id, disabled: true, CancellationToken.None);
        using var browser = new Browser(accounts.Server);
        (await app.AuthorizeAsync(browser, Scope)).AssertRefused("IOMT-0850");
    }

    [Theory]
    [InlineData("https://inferno.healthit.gov/invalid_aud")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("BASE#x")]
    [InlineData("BASE/tenant")]
    [InlineData("BASE//")]
    public async Task E95_G11_another_aud_leads_nowhere(string? audience)
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("aud", audience?.Replace("BASE", accounts.Server.FhirBase, StringComparison.Ordinal)))).AssertRefused("IOMT-0852");
    }

    [Fact]
    public async Task E95_a_slash_at_the_end_of_aud_makes_no_difference_and_resource_must_agree()
    {
        using var browser = new Browser(accounts.Server);
        Assert.Equal(LoginForm, (await accounts.Public.AuthorizeAsync(browser, Scope, ("aud", accounts.Server.FhirBase + "/"))).Forms.Select(form => form.Action));
        Assert.Equal(LoginForm, (await accounts.Public.AuthorizeAsync(browser, Scope, ("resource", accounts.Server.FhirBase))).Forms.Select(form => form.Action));
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("resource", "https://other.example/fhir"))).AssertRefused("IOMT-0852");
    }

    [Theory]
    [InlineData("code_challenge", null)]
    [InlineData("code_challenge", "")]
    [InlineData("code_challenge", "short")]
    [InlineData("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    [InlineData("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw/cM")]
    [InlineData("code_challenge_method", "plain")]
    [InlineData("code_challenge_method", "s256")]
    [InlineData("code_challenge_method", null)]
    public async Task E89_PKCE_is_S256_or_nothing(string name, string? value)
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, (name, value))).AssertSentBack("invalid_request");
        (await accounts.Secret.AuthorizeAsync(browser, Scope, (name, value))).AssertSentBack("invalid_request");
    }

    [Fact]
    public async Task E89_a_challenge_of_129_characters_is_refused()
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("code_challenge", new string('a', 129)))).AssertSentBack("invalid_request");
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("a\r\nSet-Cookie: x=y")]
    [InlineData("a&code=forged&x=%26")]
    [InlineData(" é ∑ +%20 \"'")]
    public async Task E90_state_comes_back_exactly(string state)
    {
        using var browser = new Browser(accounts.Server);
        var page = await accounts.Public.AuthorizeAsync(browser, Scope, ("state", state), ("response_type", "token"));
        Assert.Equal(state, page["state"]);
        Assert.Null(page["code"]);
        Assert.DoesNotContain("x=y", page.Header("Set-Cookie"), StringComparison.Ordinal);
        var end = await App.ConsentAsync(browser, await accounts.Public.AuthorizeAsync(browser, "openid", ("state", state)));
        Assert.Equal(state, end["state"]);
    }

    [Fact]
    public async Task E90_without_state_none_comes_back_and_too_long_a_one_is_refused()
    {
        using var browser = new Browser(accounts.Server);
        Assert.Null((await App.ConsentAsync(browser, await accounts.Public.AuthorizeAsync(browser, "openid", ("state", null))))["state"]);
        (await browser.PostAsync("/auth/authorize", accounts.Public.Request(Scope, ("state", new string('s', 4097))))).AssertRefused("IOMT-0855");
        Assert.Equal(LoginForm, (await new Browser(accounts.Server).PostAsync("/auth/authorize", accounts.Public.Request(Scope, ("state", new string('s', 4096))))).Forms.Select(form => form.Action));
    }

    [Theory]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("response_mode", "form_post", "invalid_request")]
    [InlineData("response_mode", "web_message", "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_type", "id_token", "unsupported_response_type")]
    [InlineData("response_type", "none", "unsupported_response_type")]
    [InlineData("response_type", "code token", "unsupported_response_type")]
    [InlineData("response_type", null, "invalid_request")]
    [InlineData("request", "e30.e30.e30", "request_not_supported")]
    [InlineData("request_uri", "http://127.0.0.1:1/request", "request_uri_not_supported")]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("prompt", "sometimes", "invalid_request")]
    [InlineData("max_age", "-1", "invalid_request")]
    [InlineData("max_age", "soon", "invalid_request")]
    [InlineData("prompt", "none", "login_required")]
    public async Task E91_to_E94_what_is_not_offered_is_told_to_the_client(string name, string? value, string error)
    {
        using var browser = new Browser(accounts.Server);
        var page = await accounts.Public.AuthorizeAsync(browser, Scope, (name, value));
        page.AssertSentBack(error);
        Assert.Equal("st-1", page["state"]);
        Assert.Equal(accounts.Server.FhirBase, page["iss"]);
    }

    [Theory]
    [InlineData("Patient/Observation.rs")]
    [InlineData("patient/observation.rs")]
    [InlineData("patient/*.*.rs")]
    [InlineData("patient/Observation.rss")]
    [InlineData("patient/Observation.dus")]
    [InlineData("patient/Observation.")]
    [InlineData("patient/Observation.r?")]
    [InlineData("patient/Observation.rs?category=a?x=b")]
    [InlineData("patient/Observation.rsXYZ")]
    [InlineData("patient/Observation.rs?code:in=http://x")]
    [InlineData("patient/Observation.rs?patient.name=x")]
    [InlineData("")]
    [InlineData("launch/patient")]
    [InlineData("system/Patient.rs")]
    [InlineData("__operator __launch")]
    public async Task C57_C62_no_scope_and_scopes_that_no_person_can_grant(string scope)
    {
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, scope)).AssertSentBack("invalid_scope");
    }

    [Fact]
    public async Task C62_what_is_not_registered_is_left_out()
    {
        var app = await accounts.RegisterAsync(ClientType.Jwks, "openid launch/patient patient/Observation.rs system/Patient.rs __operator");
        var tokens = await app.TokensAsync("openid launch/patient patient/Observation.rs patient/Patient.rs system/Patient.rs __operator email https://x.example/scope offline_access", patient: accounts.Ada);
        Assert.Equal("openid launch/patient patient/Observation.rs", tokens.GetProperty("scope").GetString());
    }

    [Fact]
    public async Task E93_prompt_login_and_max_age_ask_again_and_prompt_none_never_asks()
    {
        using var browser = new Browser(accounts.Server);
        Assert.NotNull((await App.ConsentAsync(browser, await accounts.Public.AuthorizeAsync(browser, "openid")))["code"]);
        Assert.DoesNotContain((await accounts.Public.AuthorizeAsync(browser, "openid")).Forms, form => form.Action == "/auth/login");
        Assert.DoesNotContain((await accounts.Public.AuthorizeAsync(browser, "openid", ("max_age", "3600"))).Forms, form => form.Action == "/auth/login");
        (await accounts.Public.AuthorizeAsync(browser, "openid", ("prompt", "none"))).AssertSentBack("interaction_required");

        accounts.Server.Time.Offset += TimeSpan.FromSeconds(5);
        Assert.Equal(LoginForm, (await accounts.Public.AuthorizeAsync(browser, "openid", ("max_age", "3"))).Forms.Select(form => form.Action));
        var login = await accounts.Public.AuthorizeAsync(browser, "openid", ("prompt", "login"));
        Assert.Equal(LoginForm, login.Forms.Select(form => form.Action));
        Assert.NotNull((await App.ConsentAsync(browser, login))["code"]);
    }

    [Theory]
    [InlineData("\"><script>alert(1)</script>")]
    [InlineData("' onfocus='alert(1)")]
    public async Task E93_E100_a_login_hint_is_text(string hint)
    {
        using var browser = new Browser(accounts.Server);
        var page = await accounts.Public.AuthorizeAsync(browser, Scope, ("login_hint", hint));
        Assert.DoesNotContain("<script", page.Html, StringComparison.Ordinal);
        Assert.Equal([hint], page.Forms[0].Offered("username"));
    }

    [Fact]
    public async Task E93_an_unknown_language_is_English()
    {
        using var browser = new Browser(accounts.Server);
        Assert.Contains("lang=\"en\"", (await accounts.Public.AuthorizeAsync(browser, Scope, ("ui_locales", "../../etc/passwd xx"))).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task E105_a_form_from_another_site_goes_on_without_cookies_of_the_request()
    {
        using var browser = new Browser(accounts.Server);
        await App.ConsentAsync(browser, await accounts.Public.AuthorizeAsync(browser, "openid"));

        // The cross-site POST itself carries no Lax cookie; what it answers needs none.
        using var content = new FormUrlEncodedContent(accounts.Public.Request("openid", ("state", "posted")).Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var posted = await accounts.Server.Http.PostAsync($"{accounts.Server.Root}/auth/authorize", content);
        Assert.Equal(303, (int)posted.StatusCode);
        Assert.False(posted.Headers.Contains("Set-Cookie"));

        var page = await browser.OpenAsync(posted.Headers.Location!.OriginalString);
        Assert.Equal("posted", (await App.ConsentAsync(browser, page))["state"]);
    }

    [Fact]
    public async Task E106_the_answer_says_who_gives_it()
    {
        using var browser = new Browser(accounts.Server);
        var end = await App.ConsentAsync(browser, await accounts.Public.AuthorizeAsync(browser, "openid"));
        Assert.Equal(accounts.Server.FhirBase, end["iss"]);
    }

    [Fact]
    public async Task E108_a_native_app_may_listen_on_any_port_of_the_loopback_address_and_nothing_else_varies()
    {
        var app = await accounts.RegisterAsync(ClientType.Public, "openid", "http://127.0.0.1/done", "org.example.app:/done");
        using var browser = new Browser(accounts.Server);
        foreach (var good in (string[])["http://127.0.0.1/done", "http://127.0.0.1:49152/done", "org.example.app:/done"])
        {
            var end = await App.ConsentAsync(browser, await app.AuthorizeAsync(browser, "openid", ("redirect_uri", good)));
            Assert.StartsWith(good + "?code=", end.Left!.OriginalString, StringComparison.Ordinal);
        }

        foreach (var bad in (string[])["http://localhost:49152/done", "http://127.0.0.1:49152/other", "http://127.0.0.1:49152@evil.example/done", "http://127.0.0.1.evil.example/done", "https://127.0.0.1:1/done", "org.example.app:/done2"])
        {
            (await app.AuthorizeAsync(browser, "openid", ("redirect_uri", bad))).AssertRefused("IOMT-0851");
        }
    }

    [Fact]
    public async Task E108_a_confidential_client_has_exactly_its_ports()
    {
        var app = await accounts.RegisterAsync(ClientType.Secret, "openid", "http://127.0.0.1:4000/done");
        using var browser = new Browser(accounts.Server);
        (await app.AuthorizeAsync(browser, "openid", ("redirect_uri", "http://127.0.0.1:4001/done"))).AssertRefused("IOMT-0851");
    }

    [Fact]
    public async Task E101_a_transaction_belongs_to_the_browser_that_came_first()
    {
        using var browser = new Browser(accounts.Server);
        var page = await accounts.Public.AuthorizeAsync(browser, Scope);
        using var other = new Browser(accounts.Server);
        (await other.OpenAsync(page.Address.PathAndQuery)).AssertRefused("IOMT-0857");
        (await other.OpenAsync("/auth/continue?transaction=made-up")).AssertRefused("IOMT-0856");
    }

    [Fact]
    public async Task Pages_have_no_script_no_frame_nothing_from_elsewhere_and_are_not_kept()
    {
        using var browser = new Browser(accounts.Server);
        var login = await accounts.Public.AuthorizeAsync(browser, Scope);
        var picker = await browser.LogInAsync(login);
        var consent = await browser.SubmitAsync(picker, "/auth/patient", ("patient", accounts.Ada), ("action", "choose"));
        var error = await browser.OpenAsync("/auth/authorize");
        foreach (var page in (Page[])[login, picker, consent, error])
        {
            Assert.Contains("default-src 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Contains("form-action 'self'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
            Assert.Equal("DENY", page.Header("X-Frame-Options"));
            Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
            Assert.False(page.Response.Headers.Contains("Access-Control-Allow-Origin"));
            Assert.DoesNotContain("<script", page.Html, StringComparison.OrdinalIgnoreCase);
            Assert.Single(page.Html.Split("<main>").Skip(1));
            Assert.Single(page.Html.Split("<h1>").Skip(1));
        }

        Assert.Contains("form-action 'self' https://app.example", consent.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal(200, (await browser.OpenAsync("/auth/style.css")).Status);
    }
}
