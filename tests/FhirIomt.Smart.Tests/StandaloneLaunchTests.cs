using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>An app that starts by itself: facts §1.3, §2.2.</summary>
public sealed class StandaloneLaunchTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs";

    private App Of(ClientType type) => type switch { ClientType.Public => accounts.Public, ClientType.Secret => accounts.Secret, _ => accounts.Signing };

    [Theory]
    [InlineData(ClientType.Public)]
    [InlineData(ClientType.Secret)]
    [InlineData(ClientType.Jwks)]
    public async Task L2_to_L6_login_picker_and_consent_lead_to_tokens_for_each_type_of_client(ClientType type)
    {
        var app = Of(type);
        using var browser = new Browser(accounts.Server);
        var page = await app.AuthorizeAsync(browser, Scope, ("state", "5e2b-state"));
        var end = await App.ConsentAsync(browser, page, patient: accounts.Ben);
        Assert.StartsWith(Accounts.Redirect + "?", end.Left!.OriginalString, StringComparison.Ordinal);
        Assert.Equal("5e2b-state", end["state"]);
        Assert.Null(end["error"]);

        var tokens = await app.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal("bearer", tokens.GetProperty("token_type").GetString(), ignoreCase: true);
        Assert.Equal(JsonValueKind.Number, tokens.GetProperty("expires_in").ValueKind);
        Assert.InRange(tokens.GetProperty("expires_in").GetInt32(), 60, 3600);
        Assert.Equal(Scope, tokens.GetProperty("scope").GetString());
        Assert.NotEmpty(tokens.GetProperty("refresh_token").GetString()!);
        Assert.Equal(accounts.Ben, tokens.GetProperty("patient").GetString());
    }

    [Fact]
    public async Task G3_the_token_reads_its_patient_and_no_other()
    {
        var tokens = await accounts.Public.TokensAsync(Scope, patient: accounts.Ada);
        var caller = accounts.Public.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(404, (await caller.GetAsync($"Patient/{accounts.Ben}")).Status);
        Assert.Equal([accounts.Ada], (await caller.GetAsync("Patient")).Matches);
        Assert.Equal(403, (await caller.GetAsync("Condition")).Status);
    }

    [Fact]
    public async Task Whoever_refused_the_app_is_neither_offered_for_it_nor_chosen()
    {
        var (refused, other) = (await accounts.RegisterAsync(ClientType.Public), await accounts.RegisterAsync(ClientType.Public));
        await accounts.RefuseAsync(accounts.Ben, refused);
        foreach (var (app, isOffered) in ((App, bool)[])[(refused, false), (other, true)])
        {
            using var browser = new Browser(accounts.Server);
            var picker = await browser.LogInAsync(await app.AuthorizeAsync(browser, Scope));
            Assert.Contains(accounts.Ada, picker.Text, StringComparison.Ordinal);
            Assert.Equal(isOffered, picker.Text.Contains(accounts.Ben, StringComparison.Ordinal));
            var next = await browser.SubmitAsync(picker, "/auth/patient", ("patient", accounts.Ben), ("action", "choose"));
            Assert.Equal(isOffered, next.Forms.Any(form => form.Action == "/auth/consent"));
        }
    }

    [Fact]
    public async Task G2_without_a_token_nothing_is_read() =>
        Assert.Equal(401, (int)(await accounts.Server.Http.GetAsync($"Patient/{accounts.Ada}")).StatusCode);

    [Fact]
    public async Task L7_token_answers_are_not_stored()
    {
        using var answer = await accounts.Public.RedeemAsync(await accounts.Public.CodeAsync(Scope, patient: accounts.Ada));
        Assert.Contains("no-store", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal("no-cache", answer.Headers.Pragma.ToString());
    }

    [Fact]
    public async Task L8_an_app_of_a_registered_origin_may_read_the_token_answer_and_the_refusal()
    {
        using var granted = await accounts.Public.RedeemAsync(await accounts.Public.CodeAsync(Scope, patient: accounts.Ada));
        using var refused = await accounts.Public.RedeemAsync("wrong");
        foreach (var answer in (HttpResponseMessage[])[granted, refused])
        {
            Assert.Equal("https://app.example", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
    }

    [Fact]
    public async Task A_patient_is_their_own_context_without_a_picker()
    {
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope), Accounts.PatientName);
        Assert.DoesNotContain(page.Forms, form => form.Action == "/auth/patient");
        Assert.Contains("Ada Ünal", page.Text, StringComparison.Ordinal);
        var end = await browser.SubmitAsync(page, "/auth/consent", ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal(accounts.Ada, tokens.GetProperty("patient").GetString());
        Assert.Equal(200, (await accounts.Public.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    [Fact]
    public async Task The_picker_shows_the_patients_of_the_one_who_is_signed_in_and_finds_by_name_birth_date_and_identifier()
    {
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope));
        Assert.Equal(new HashSet<string> { accounts.Ada, accounts.Ben }, Shown(page).ToHashSet(StringComparer.Ordinal));
        Assert.Equal([accounts.Ben], Shown(await Search(("name", "ben"))));
        Assert.Equal([accounts.Ada], Shown(await Search(("birthdate", "1958-03-14"))));
        Assert.Equal([accounts.Ben], Shown(await Search(("identifier", "mrn-2"))));
        Assert.Empty(Shown(await Search(("name", "Cleo"))));
        Assert.Contains("role=\"alert\"", (await Search(("birthdate", "yesterday"))).Html, StringComparison.Ordinal);

        Task<Page> Search(params (string, string)[] terms) => browser.SubmitAsync(page, "/auth/patient", [.. terms, ("action", "search")]);
    }

    [Fact]
    public async Task The_picker_pages_through_many_patients()
    {
        var server = accounts.Server;
        var ehr = new FhirCaller(server, await accounts.Ehr.TokenAsync());
        var practitioner = await ehr.CreateAsync("""{"resourceType":"Practitioner"}""");
        await accounts.AddUserAsync("dr.busy", Access.UserRole.Clinician, $"Practitioner/{practitioner}");
        for (var index = 0; index < 25; index++)
        {
            await ehr.CreateAsync(Accounts.PatientJson("Many", $"P{index}", "2000-01-01", $"many-{index}", practitioner));
        }

        using var browser = new Browser(server);
        var first = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope), "dr.busy");
        var more = first.Forms.Single(form => form.Fields.Any(field => field.Name == "cursor"));
        var second = await browser.PostAsync("/auth/patient", [.. more.Fields, ("action", "search")]);
        Assert.Equal(20, Shown(first).Count);
        Assert.Equal(5, Shown(second).Count);
        Assert.Equal(25, Shown(first).Concat(Shown(second)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task User_scopes_reach_the_persons_patients_and_need_no_picker()
    {
        var tokens = await accounts.Public.TokensAsync("openid fhirUser user/Patient.rs");
        Assert.False(tokens.TryGetProperty("patient", out _));
        Assert.False(tokens.TryGetProperty("refresh_token", out _));
        var found = (await accounts.Public.Caller(tokens).GetAsync("Patient")).Matches;
        Assert.Contains(accounts.Ada, found);
        Assert.DoesNotContain(accounts.Cleo, found);
    }

    [Fact]
    public async Task G17_scopes_of_the_first_version_are_granted_as_they_were_asked_for()
    {
        var tokens = await accounts.Public.TokensAsync("launch/patient patient/Patient.read patient/Observation.*", patient: accounts.Ada);
        Assert.Equal("launch/patient patient/Patient.read patient/Observation.*", tokens.GetProperty("scope").GetString());
        Assert.Equal(200, (await accounts.Public.Caller(tokens).GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    private static IReadOnlyList<string> Shown(Page page) => [.. page.Forms.SelectMany(form => form.Offered("patient"))];
}
