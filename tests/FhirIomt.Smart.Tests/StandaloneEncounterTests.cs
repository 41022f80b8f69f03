using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>An app that starts by itself and asks for the encounter: facts §1.3, §2.2 G4, §7.2, §10 E 98.</summary>
public sealed class StandaloneEncounterTests(Accounts accounts) : IClassFixture<Accounts>, IAsyncLifetime
{
    private const string Scope = "launch/patient launch/encounter openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs";

    private FhirCaller _ehr = null!;

    public async ValueTask InitializeAsync() => _ehr = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task L6_G4_the_chosen_encounter_is_in_the_answer_after_each_refresh_and_can_be_read()
    {
        var encounter = await EncounterAsync(accounts.Ben, "2026-03-01T10:00:00Z", "Ward round");
        using var browser = new Browser(accounts.Server);
        var consent = await ChooseAsync(browser, await PickerAsync(browser, accounts.Ben), encounter);
        Assert.Contains("Ward round", consent.Text, StringComparison.Ordinal);
        var end = await browser.SubmitAsync(consent, "/auth/consent", ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        foreach (var answer in (JsonElement[])[tokens, await accounts.Public.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync()])
        {
            Assert.Equal((accounts.Ben, encounter, Scope), (answer.GetProperty("patient").GetString(), answer.GetProperty("encounter").GetString(), answer.GetProperty("scope").GetString()));
        }

        Assert.Equal(200, (await accounts.Public.Caller(tokens).GetAsync($"Encounter/{encounter}")).Status);
    }

    [Fact]
    public async Task The_picker_shows_the_patients_encounters_that_one_may_see_the_newest_first_and_pages()
    {
        var patient = await _ehr.CreateAsync(Accounts.PatientJson("Many", "Visits", "1950-01-01", "visits", accounts.Practitioner));
        var expected = new List<string>();
        for (var day = 1; day <= 24; day++)
        {
            expected.Insert(0, await EncounterAsync(patient, $"2026-02-{day:00}T10:00:00Z", $"Visit {day}"));
        }

        await EncounterAsync(patient, "2026-02-25T10:00:00Z", "Labelled", confidentiality: "R");
        await EncounterAsync(patient, "2026-02-26T10:00:00Z", "Wrong", status: "entered-in-error");
        await EncounterAsync(accounts.Ben, "2026-02-27T10:00:00Z", "Somebody else's");
        using var browser = new Browser(accounts.Server);
        var first = await PickerAsync(browser, patient);
        var more = first.Forms.Single(form => form.Fields.Any(field => field.Name == "cursor"));
        var second = await browser.PostAsync("/auth/encounter", [.. more.Fields, ("action", "search")]);
        Assert.Equal(20, Shown(first).Count);
        Assert.Equal(expected, [.. Shown(first), .. Shown(second)]);
        Assert.Contains("2026-02-24 10:00, Visit 24, in progress", first.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_an_encounter_the_scope_is_not_granted(bool hasSome)
    {
        var patient = await _ehr.CreateAsync(Accounts.PatientJson("No", "Visit", "1950-01-01", "none", accounts.Practitioner));
        if (hasSome)
        {
            await EncounterAsync(patient, "2026-02-25T10:00:00Z", "Visit");
        }

        using var browser = new Browser(accounts.Server);
        var page = await PickerAsync(browser, patient);
        Assert.Equal(hasSome ? 1 : 0, Shown(page).Count);
        Assert.Equal(!hasSome, page.Html.Contains("role=\"status\"", StringComparison.Ordinal));
        var end = await browser.SubmitAsync(await browser.SubmitAsync(page, "/auth/encounter", ("action", "none")), "/auth/consent", ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal(patient, tokens.GetProperty("patient").GetString());
        Assert.False(tokens.TryGetProperty("encounter", out _));
        Assert.Equal(Scope.Replace(" launch/encounter", "", StringComparison.Ordinal), tokens.GetProperty("scope").GetString());
    }

    [Fact]
    public async Task E98_an_encounter_that_is_another_patients_or_not_to_be_seen_is_refused_as_one_that_does_not_exist()
    {
        await EncounterAsync(accounts.Ada, "2026-02-01T10:00:00Z", "Own");
        string[] foreign =
        [
            await EncounterAsync(accounts.Ben, "2026-02-02T10:00:00Z", "Ben's"), await EncounterAsync(accounts.Cleo, "2026-02-02T10:00:00Z", "Cleo's"),
            await EncounterAsync(accounts.Ada, "2026-02-02T10:00:00Z", "Labelled", confidentiality: "R"), await EncounterAsync(accounts.Ada, "2026-02-02T10:00:00Z", "Wrong", status: "entered-in-error"),
        ];
        using var browser = new Browser(accounts.Server);
        var page = await PickerAsync(browser, accounts.Ada);
        var absent = await PostAsync(browser, page, "does-not-exist");
        Assert.Contains("role=\"alert\"", absent.Html, StringComparison.Ordinal);
        foreach (var id in (string[])[.. foreign, accounts.Ada, "../x", ""])
        {
            var answer = await PostAsync(browser, page, id);
            Assert.Equal((absent.Status, absent.Html), (answer.Status, answer.Html));
        }

        Assert.Contains(page.Forms, form => form.Action == "/auth/encounter");
        Assert.Equal("/auth/continue", (await browser.OpenAsync(Continue(page))).Address.AbsolutePath);
        Assert.Equal("Choose a visit", (await browser.OpenAsync(Continue(page))).Title);
    }

    [Fact]
    public async Task A_patient_chooses_among_their_own_only()
    {
        var own = await EncounterAsync(accounts.Ada, "2026-02-03T10:00:00Z", "Mine");
        var other = await EncounterAsync(accounts.Ben, "2026-02-03T10:00:00Z", "Not mine");
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope), Accounts.PatientName);
        Assert.DoesNotContain(page.Forms, form => form.Action == "/auth/patient");
        Assert.Contains(own, Shown(page));
        Assert.DoesNotContain(other, Shown(page));
        Assert.Contains("role=\"alert\"", (await PostAsync(browser, page, other)).Html, StringComparison.Ordinal);
        var end = await browser.SubmitAsync(await ChooseAsync(browser, page, own), "/auth/consent", ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal((accounts.Ada, own), (tokens.GetProperty("patient").GetString(), tokens.GetProperty("encounter").GetString()));
    }

    [Fact]
    public async Task E98_consent_does_not_come_before_the_choice_and_another_patient_asks_anew()
    {
        var encounter = await EncounterAsync(accounts.Ada, "2026-02-04T10:00:00Z", "Ada's");
        using var browser = new Browser(accounts.Server);
        var patients = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope));
        var picker = await browser.SubmitAsync(patients, "/auth/patient", ("patient", accounts.Ada), ("action", "choose"));
        var hidden = picker.Forms[0].Fields;
        Assert.Equal("Choose a visit", (await browser.PostAsync("/auth/consent", [.. hidden, ("action", "allow"), ("scope", "patient/Patient.rs")])).Title);
        Assert.StartsWith("Allow", (await ChooseAsync(browser, picker, encounter)).Title, StringComparison.Ordinal);

        var again = await browser.SubmitAsync(patients, "/auth/patient", ("patient", accounts.Ben), ("action", "choose"));
        Assert.Equal("Choose a visit", again.Title);
        Assert.DoesNotContain(encounter, Shown(again));
        var without = await browser.SubmitAsync(again, "/auth/encounter", ("action", "none"));
        Assert.StartsWith("Allow", without.Title, StringComparison.Ordinal);
        Assert.Equal("Choose a visit", (await browser.SubmitAsync(patients, "/auth/patient", ("patient", accounts.Ada), ("action", "choose"))).Title);
    }

    [Fact]
    public async Task Somebody_else_who_signs_in_meanwhile_is_asked_for_the_own()
    {
        var encounter = await EncounterAsync(accounts.Ben, "2026-02-05T10:00:00Z", "Ben's");
        using var browser = new Browser(accounts.Server);
        var picker = await PickerAsync(browser, accounts.Ben);
        await ChooseAsync(browser, picker, encounter);
        await browser.SubmitAsync(picker, "/auth/logout");
        var page = await browser.LogInAsync(await browser.OpenAsync(Continue(picker)), Accounts.PatientName);
        Assert.Equal("Choose a visit", page.Title);
        Assert.DoesNotContain(encounter, Shown(page));
    }

    [Fact]
    public async Task An_encounter_alone_brings_its_patient()
    {
        var encounter = await EncounterAsync(accounts.Ben, "2026-02-06T10:00:00Z", "Ben's");
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "launch/encounter openid user/Encounter.rs"));
        page = await browser.SubmitAsync(page, "/auth/patient", ("patient", accounts.Ben), ("action", "choose"));
        var end = await browser.SubmitAsync(await ChooseAsync(browser, page, encounter), "/auth/consent", ("action", "allow"));
        var tokens = await accounts.Public.RedeemAsync(end["code"]!).AssertGrantedAsync();
        Assert.Equal((accounts.Ben, encounter), (tokens.GetProperty("patient").GetString(), tokens.GetProperty("encounter").GetString()));
    }

    [Fact]
    public async Task Pages_of_the_picker_have_no_script_and_are_kept_by_nobody()
    {
        using var browser = new Browser(accounts.Server);
        var page = await PickerAsync(browser, accounts.Ada);
        Assert.StartsWith("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
    }

    private async Task<Page> PickerAsync(Browser browser, string patient)
    {
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, Scope));
        page = page.Forms.Any(form => form.Offered("patient").Contains(patient)) ? page : await browser.SubmitAsync(page, "/auth/patient", ("name", "Visit"), ("action", "search"));
        page = await browser.SubmitAsync(page, "/auth/patient", ("patient", patient), ("action", "choose"));
        Assert.Equal("Choose a visit", page.Title);
        return page;
    }

    private static Task<Page> ChooseAsync(Browser browser, Page picker, string encounter) => browser.SubmitAsync(picker, "/auth/encounter", ("encounter", encounter), ("action", "choose"));

    // By hand: no form offers these.
    private static Task<Page> PostAsync(Browser browser, Page picker, string encounter) =>
        browser.PostAsync("/auth/encounter", [.. picker.Forms.First(form => form.Action == "/auth/encounter").Fields, ("encounter", encounter), ("action", "choose")]);

    private static string Continue(Page page) => $"/auth/continue?transaction={page.Forms[0].Fields.First(field => field.Name == "transaction").Value}";

    private static IReadOnlyList<string> Shown(Page page) => [.. page.Forms.SelectMany(form => form.Offered("encounter"))];

    private Task<string> EncounterAsync(string patient, string start, string kind, string status = "in-progress", string confidentiality = "N") => _ehr.CreateAsync($$"""
        {"resourceType":"Encounter","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{{confidentiality}}"}]},"status":"{{status}}",
        "class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{"text":"{{kind}}"}],"subject":{"reference":"Patient/{{patient}}"},"period":{"start":"{{start}}"} }
        """);
}
