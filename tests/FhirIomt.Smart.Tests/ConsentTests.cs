using FhirIomt.Smart.Clients;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Consent and what forms can be made to do: facts §2.2 G8, G9, G18, G21; §10 E 97 to 100.</summary>
public sealed class ConsentTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "launch/patient openid patient/Patient.rs patient/Condition.rs patient/Observation.rs";
    private const string VitalSigns = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";
    private const string Laboratory = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    private const string Problems = "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item";

    [Fact]
    public async Task G8_G9_only_what_stays_ticked_is_granted()
    {
        using var browser = new Browser(accounts.Server);
        var end = await browser.SubmitAsync(await ConsentAsync(browser), "/auth/consent", ("scope", "patient/Patient.rs"), ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal("launch/patient openid patient/Patient.rs", tokens.GetProperty("scope").GetString());
        var caller = accounts.Public.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);
        Assert.Equal(403, (await caller.GetAsync($"Observation?patient={accounts.Ada}")).Status);
        Assert.Equal(403, (await caller.GetAsync($"Condition?patient={accounts.Ada}")).Status);
    }

    [Fact]
    public async Task G18_G21_kinds_can_be_chosen_in_place_of_all()
    {
        var ehr = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        var vital = await ehr.CreateAsync(Observation("vital-signs"));
        var survey = await ehr.CreateAsync(Observation("survey"));
        using var browser = new Browser(accounts.Server);
        var page = await ConsentAsync(browser);
        Assert.All((string[])[VitalSigns, Laboratory, Problems], scope => Assert.Contains(scope, page.Forms.Single(form => form.Action == "/auth/consent").Offered("scope")));
        var form = page.Forms.Single(form => form.Action == "/auth/consent");
        var end = await browser.PostAsync("/auth/consent", [.. form.Fields.Where(field => field.Name != "scope"), .. Ticks("patient/Patient.rs", VitalSigns, Laboratory, Problems), ("action", "allow")]);
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal(new HashSet<string> { "launch/patient", "openid", "patient/Patient.rs", VitalSigns, Laboratory, Problems }, tokens.GetProperty("scope").GetString()!.Split(' ').ToHashSet(StringComparer.Ordinal));
        var caller = accounts.Public.Caller(tokens);
        Assert.Equal([vital], (await caller.GetAsync($"Observation?patient={accounts.Ada}")).Matches);
        Assert.Equal(404, (await caller.GetAsync($"Observation/{survey}")).Status);
    }

    [Fact]
    public async Task G8_all_data_can_be_narrowed_to_kinds()
    {
        using var browser = new Browser(accounts.Server);
        var page = await ConsentAsync(browser, "launch/patient patient/*.rs");
        Assert.Contains("may be added later", page.Text, StringComparison.Ordinal);
        var form = page.Forms.Single(form => form.Action == "/auth/consent");
        var end = await browser.PostAsync("/auth/consent", [.. form.Fields.Where(field => field.Name != "scope"), .. Ticks("patient/Patient.rs", "patient/Device.rs"), ("action", "allow")]);
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal("launch/patient patient/Patient.rs patient/Device.rs", tokens.GetProperty("scope").GetString());
    }

    [Fact]
    public async Task Whoever_does_not_allow_it_sends_the_app_away()
    {
        using var browser = new Browser(accounts.Server);
        (await browser.SubmitAsync(await ConsentAsync(browser), "/auth/consent", ("action", "deny"))).AssertSentBack("access_denied");
        (await browser.SubmitAsync(await ConsentAsync(browser, "launch/patient patient/Patient.rs"), "/auth/consent", ("scope", ""), ("action", "allow"))).AssertSentBack("access_denied");
    }

    [Fact]
    public async Task E97_forms_of_elsewhere_do_nothing()
    {
        using var browser = new Browser(accounts.Server);
        var page = await ConsentAsync(browser);
        var fields = page.Forms.Single(form => form.Action == "/auth/consent").Fields;
        foreach (var path in (string[])["/auth/consent", "/auth/login", "/auth/patient", "/auth/logout"])
        {
            (await browser.PostAsync(path, [.. fields.Where(field => field.Name != "form_key"), ("action", "allow")])).AssertRefused("IOMT-0858");
            (await browser.PostAsync(path, [.. fields.Where(field => field.Name != "form_key"), ("form_key", "forged"), ("action", "allow")])).AssertRefused("IOMT-0858");
        }

        // The attacker's own key, for a sign-in of theirs, in the victim's browser.
        using var attacker = new Browser(accounts.Server);
        var theirs = (await ConsentAsync(attacker)).Forms.Single(form => form.Action == "/auth/consent").Fields;
        (await browser.PostAsync("/auth/consent", [.. theirs, ("action", "allow")])).AssertRefused("IOMT-0858");
        (await browser.PostAsync("/auth/login", [.. theirs, ("username", Accounts.OtherClinician), ("password", Accounts.Password)])).AssertRefused("IOMT-0858");
        Assert.NotNull((await browser.SubmitAsync(page, "/auth/consent", ("action", "allow")))["code"]);
    }

    [Fact]
    public async Task E98_scopes_that_were_not_offered_cannot_be_added()
    {
        using var browser = new Browser(accounts.Server);
        var form = (await ConsentAsync(browser)).Forms.Single(form => form.Action == "/auth/consent");
        var end = await browser.PostAsync("/auth/consent", [.. form.Fields, .. Ticks("patient/*.cruds", "system/*.cruds", "offline_access", "user/*.rs", "patient/Observation.cruds", "__operator"), ("action", "allow")]);
        Assert.Equal(Scope, (await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync()).GetProperty("scope").GetString());
    }

    [Fact]
    public async Task E98_a_patient_who_is_not_shown_cannot_be_chosen()
    {
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope));
        var form = page.Forms.First(form => form.Offered("patient").Count > 0);
        foreach (var patient in (string[])[accounts.Cleo, "nobody", "../Patient", ""])
        {
            var again = await browser.PostAsync("/auth/patient", [.. form.Fields, ("patient", patient), ("action", "choose")]);
            Assert.Contains(again.Forms, one => one.Action == "/auth/patient");
            Assert.DoesNotContain(again.Forms, one => one.Action == "/auth/consent");
        }

        // Straight to consent, with a patient among the fields.
        var skipped = await browser.PostAsync("/auth/consent", [.. form.Fields, ("patient", accounts.Cleo), .. Ticks("patient/Patient.rs"), ("action", "allow")]);
        Assert.Contains(skipped.Forms, one => one.Action == "/auth/patient");
    }

    [Fact]
    public async Task E98_a_patient_chosen_by_one_person_is_not_granted_by_the_next()
    {
        using var browser = new Browser(accounts.Server);
        var consent = await ConsentAsync(browser);
        var login = await browser.SubmitAsync(consent, "/auth/logout");
        var other = await browser.LogInAsync(login, Accounts.OtherClinician);
        var end = await browser.PostAsync("/auth/consent", [.. consent.Forms.Single(form => form.Action == "/auth/consent").Fields, ("action", "allow")]);
        Assert.Null(other.Left);
        Assert.Null(end.Left);
    }

    [Fact]
    public async Task E98_a_form_sent_again_finds_its_sign_in_over()
    {
        using var browser = new Browser(accounts.Server);
        var page = await ConsentAsync(browser);
        Assert.NotNull((await browser.SubmitAsync(page, "/auth/consent", ("action", "allow")))["code"]);
        (await browser.SubmitAsync(page, "/auth/consent", ("action", "allow"))).AssertRefused("IOMT-0856");
        (await browser.OpenAsync(page.Address.PathAndQuery)).AssertRefused("IOMT-0856");
    }

    [Fact]
    public async Task E100_names_and_scopes_are_text_on_every_page()
    {
        var added = await accounts.Clients.AddAsync(new NewClient("<img src=x onerror=alert(1)>\"'", ClientType.Public, Accounts.AppScopes) { RedirectUris = [Accounts.Redirect] }, CancellationToken.None);
        var app = new App(accounts, added.Require().Client.ClientId, ClientType.Public, null, null);
        using var browser = new Browser(accounts.Server);
        var login = await app.AuthorizeAsync(browser, "launch/patient patient/Observation.rs?category=x%3Cscript%3E", ("state", "<script>"));
        var picker = await browser.LogInAsync(login);
        var consent = await browser.SubmitAsync(picker, "/auth/patient", ("patient", accounts.Ben), ("action", "choose"));
        foreach (var page in (Page[])[login, picker, consent])
        {
            Assert.DoesNotContain("<img", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("<b>", page.Html, StringComparison.Ordinal);
        }

        Assert.Contains("<b>Berg</b>", picker.Text, StringComparison.Ordinal);
        Assert.Contains("<b>Berg</b>", consent.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scopes_are_said_in_plain_words_and_every_field_has_its_label()
    {
        using var browser = new Browser(accounts.Server);
        var page = await ConsentAsync(browser, "launch/patient openid fhirUser offline_access patient/Observation.rs patient/Device.cruds patient/Patient.cu user/Condition.rs?category=encounter-diagnosis");
        foreach (var words in (string[])["See measurements and findings of this patient", "See, create, change and delete devices of this patient", "Create, change name, birth date", "only Diagnoses of visits", "Vital signs", "https://app.example", "Ada Ünal", $"Practitioner/{accounts.Practitioner}"])
        {
            Assert.Contains(words, page.Text, StringComparison.Ordinal);
        }

        var ids = System.Text.RegularExpressions.Regex.Matches(page.Html, "<input type=\"(checkbox|radio|text|password)\" id=\"([^\"]+)\"").Select(match => match.Groups[2].Value).ToList();
        Assert.NotEmpty(ids);
        Assert.All(ids, id => Assert.Contains($"<label for=\"{id}\">", page.Html, StringComparison.Ordinal));
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
    }

    private static IEnumerable<(string, string)> Ticks(params string[] scopes) => scopes.Select(scope => ("scope", scope));

    private async Task<Page> ConsentAsync(Browser browser, string scope = Scope)
    {
        var page = await accounts.Public.AuthorizeAsync(browser, scope);
        page = page.Forms.Any(form => form.Action == "/auth/login") ? await browser.LogInAsync(page) : page;
        return await browser.SubmitAsync(page, "/auth/patient", ("patient", accounts.Ada), ("action", "choose"));
    }

    private string Observation(string category) => $$"""
        {"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{accounts.Ada}}"},
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{{category}}"}]}]}
        """;
}
