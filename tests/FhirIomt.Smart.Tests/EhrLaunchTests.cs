using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>An app that an EHR starts: facts §1.4, §2.2 G3 to G6, §7.2, §10 E 96.</summary>
public sealed class EhrLaunchTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch openid fhirUser offline_access patient/Patient.rs user/Encounter.rs";

    [Fact]
    public async Task E1_E2_G3_to_G6_a_launch_brings_its_context_without_a_picker()
    {
        var ehr = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        var encounter = await ehr.CreateAsync($$"""
            {"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/{{accounts.Ada}}" } }
            """);
        var launch = await LaunchAsync(new { client_id = accounts.Secret.Id, user = Accounts.Clinician, patient = accounts.Ada, encounter, intent = "reconcile", need_patient_banner = false, fhirContext = new[] { new { reference = "ImagingStudy/1" } } });
        var tokens = await accounts.Secret.TokensAsync(Scope, changes: ("launch", launch));
        foreach (var answer in (JsonElement[])[tokens, await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync()])
        {
            Assert.Equal(accounts.Ada, answer.GetProperty("patient").GetString());
            Assert.Equal(encounter, answer.GetProperty("encounter").GetString());
            Assert.Equal("reconcile", answer.GetProperty("intent").GetString());
            Assert.False(answer.GetProperty("need_patient_banner").GetBoolean());
            Assert.Equal("ImagingStudy/1", answer.GetProperty("fhirContext")[0].GetProperty("reference").GetString());
            using var style = await accounts.Server.Http.GetAsync(answer.GetProperty("smart_style_url").GetString());
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(await style.Content.ReadAsStringAsync()).RootElement.ValueKind);
        }

        var caller = accounts.Secret.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(200, (await caller.GetAsync($"Encounter/{encounter}")).Status);
        Assert.Equal(404, (await caller.GetAsync($"Patient/{accounts.Ben}")).Status);
    }

    [Fact]
    public async Task G16_G19_a_client_that_signs_is_launched_with_patient_scopes_by_a_posted_request()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Signing.Id, user = Accounts.Clinician, patient = accounts.Ben });
        using var browser = new Browser(accounts.Server);
        var end = await App.ConsentAsync(browser, await browser.PostAsync("/auth/authorize", accounts.Signing.Request(Scope, ("launch", launch))));
        var tokens = await accounts.Signing.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal(accounts.Ben, tokens.GetProperty("patient").GetString());
        Assert.Contains("patient/Patient.rs", tokens.GetProperty("scope").GetString()!.Split(' '));
    }

    [Fact]
    public async Task A_launch_of_an_app_that_the_patient_refused_opens_nothing()
    {
        var app = await accounts.RegisterAsync(ClientType.Public);
        var launch = await LaunchAsync(new { client_id = app.Id, user = Accounts.Clinician, patient = accounts.Ben });
        await accounts.RefuseAsync(accounts.Ben, app);
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await app.AuthorizeAsync(browser, Scope, ("launch", launch)));
        Assert.Equal(("This patient cannot be opened", 200), (page.Title.Split(" – ")[0], page.Status));
        Assert.DoesNotContain("Berg", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Forms, form => form.Has("action", "allow"));
        (await browser.PostAsync("/auth/consent", [.. page.Forms.Single(form => form.Action == "/auth/consent").Fields, ("action", "allow")])).AssertSentBack("access_denied");
    }

    [Fact]
    public async Task C60_a_launch_into_a_strangers_record_says_so_names_nobody_and_tells_the_app()
    {
        foreach (var action in (string[])["deny", "allow"])
        {
            var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician, patient = accounts.Cleo });
            using var browser = new Browser(accounts.Server);
            var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch)));
            Assert.Equal(("This patient cannot be opened", 200), (page.Title.Split(" – ")[0], page.Status));
            Assert.DoesNotContain("Cleo", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("Okafor", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(page.Forms, form => form.Has("action", "allow"));
            var form = page.Forms.Single(one => one.Action == "/auth/consent");
            (await browser.PostAsync("/auth/consent", [.. form.Fields, ("action", action)])).AssertSentBack("access_denied");
        }
    }

    [Fact]
    public async Task E96_a_launch_is_used_once()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician, patient = accounts.Ada });
        using var browser = new Browser(accounts.Server);
        var first = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch)));
        var second = await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch));
        Assert.NotNull((await browser.SubmitAsync(first, "/auth/consent", ("action", "allow")))["code"]);
        (await browser.SubmitAsync(second, "/auth/consent", ("action", "allow"))).AssertRefused("IOMT-0856");
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch))).AssertSentBack("invalid_request");
    }

    [Fact]
    public async Task E96_a_launch_is_over_after_five_minutes()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician, patient = accounts.Ada });
        accounts.Server.Time.Offset += TimeSpan.FromSeconds(301);
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch))).AssertSentBack("invalid_request");
    }

    [Fact]
    public async Task E96_a_launch_of_another_client_or_user_or_a_forged_one_is_refused()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician, patient = accounts.Ada });
        using var browser = new Browser(accounts.Server);
        (await accounts.Secret.AuthorizeAsync(browser, Scope, ("launch", launch))).AssertSentBack("invalid_request");
        (await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch + "x"))).AssertSentBack("invalid_request");
        (await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch)), Accounts.OtherClinician)).AssertSentBack("access_denied");
    }

    [Fact]
    public async Task E96_a_patient_is_not_launched_into_somebody_elses_record()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.PatientName, patient = accounts.Ben });
        using var browser = new Browser(accounts.Server);
        (await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope, ("launch", launch)), Accounts.PatientName)).AssertSentBack("access_denied");
    }

    [Fact]
    public async Task The_scope_launch_and_the_parameter_launch_belong_together()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician, patient = accounts.Ada });
        using var browser = new Browser(accounts.Server);
        (await accounts.Public.AuthorizeAsync(browser, Scope)).AssertSentBack("invalid_request");
        (await accounts.Public.AuthorizeAsync(browser, "openid patient/Patient.rs", ("launch", launch))).AssertSentBack("invalid_request");
    }

    [Fact]
    public async Task A_launch_without_a_patient_grants_nothing_about_one()
    {
        var launch = await LaunchAsync(new { client_id = accounts.Public.Id, user = Accounts.Clinician });
        var tokens = await accounts.Public.TokensAsync("launch openid patient/Patient.rs user/Patient.rs", changes: ("launch", launch));
        Assert.Equal("launch openid user/Patient.rs", tokens.GetProperty("scope").GetString());
        Assert.False(tokens.TryGetProperty("patient", out _));
    }

    [Theory]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","patient":"nobody"}""", "IOMT-0844")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","encounter":"none"}""", "IOMT-0844")]
    [InlineData("""{"client_id":"CLIENT","user":"nobody"}""", "IOMT-0843")]
    [InlineData("""{"client_id":"nobody","user":"dr.who"}""", "IOMT-0842")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","fhirContext":{}}""", "IOMT-0845")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","fhirContext":[{"reference":"Patient/1"}]}""", "IOMT-0845")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","fhirContext":[{"reference":"Encounter/1","role":"launch"}]}""", "IOMT-0845")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","fhirContext":[{"reference":"Nonsense/1"}]}""", "IOMT-0845")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","fhirContext":[{"reference":"ImagingStudy/1","role":""}]}""", "IOMT-0845")]
    [InlineData("""{"client_id":"CLIENT","user":"dr.who","patients":"1"}""", "IOMT-0840")]
    [InlineData("""{"client_id":"CLIENT","user":7}""", "IOMT-0840")]
    [InlineData("""[]""", "IOMT-0840")]
    [InlineData("""{""", "IOMT-0840")]
    public async Task A_launch_that_cannot_be_is_refused_with_its_reason(string body, string code)
    {
        var answer = await PostAsync(body.Replace("CLIENT", accounts.Public.Id, StringComparison.Ordinal), await accounts.Ehr.TokenAsync());
        Assert.Equal(400, answer.Status);
        Assert.Equal(code, answer.Json.GetProperty("issues")[0].GetProperty("code").GetString());
        Assert.NotEmpty(answer.Json.GetProperty("issues")[0].GetProperty("fix").GetString()!);
    }

    [Fact]
    public async Task Only_a_backend_with_the_launch_right_announces_launches()
    {
        var body = JsonSerializer.Serialize(new { client_id = accounts.Public.Id, user = Accounts.Clinician });
        Assert.Equal(401, (await PostAsync(body, null)).Status);
        Assert.Equal(401, (await PostAsync(body, "made-up")).Status);
        Assert.Equal(403, (await PostAsync(body, await accounts.Ehr.TokenAsync("system/*.cruds"))).Status);
        Assert.Equal(403, (await PostAsync(body, (await accounts.Public.TokensAsync("openid")).GetProperty("access_token").GetString())).Status);
        Assert.Equal(201, (await PostAsync(body, await accounts.Ehr.TokenAsync("__launch"))).Status);
        var notLaunchable = await accounts.RegisterAsync(ClientType.Public, "openid");
        Assert.Equal(400, (await PostAsync(JsonSerializer.Serialize(new { client_id = notLaunchable.Id, user = Accounts.Clinician }), await accounts.Ehr.TokenAsync())).Status);
    }

    private async Task<string> LaunchAsync(object body)
    {
        var answer = await PostAsync(JsonSerializer.Serialize(body), await accounts.Ehr.TokenAsync());
        Assert.True(answer.Status == 201, answer.Body);
        return answer.Json.GetProperty("launch").GetString()!;
    }

    private async Task<Answer> PostAsync(string body, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, accounts.Server.Root + "/auth/launches") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await Answer.OfAsync(await accounts.Server.Http.SendAsync(request));
    }
}
