using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>A person's own page (facts §2.2 G10, §7.7): what apps may do, what is shared, the password.</summary>
public sealed class AccountTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Scope = "openid offline_access patient/Patient.rs patient/Observation.rs";

    [Fact]
    public async Task G10_whoever_ends_an_apps_access_ends_its_tokens_at_once()
    {
        var tokens = await accounts.Secret.TokensAsync(Scope, Accounts.PatientName);
        var caller = accounts.Secret.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);

        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, Accounts.PatientName);
        Assert.Contains("Vitals & more", page.Text, StringComparison.Ordinal);
        page = await browser.SubmitAsync(page, "/account/revoke", ("client", accounts.Secret.Id));
        Assert.Contains("The app's access has ended.", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Forms, form => form.Action == "/account/revoke" && form.Has("client", accounts.Secret.Id));
        Assert.Equal(401, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertRefusedAsync("invalid_grant");
    }

    [Fact]
    public async Task G10_nobody_ends_or_sees_what_somebody_else_allowed()
    {
        var tokens = await accounts.Signing.TokensAsync("openid offline_access user/Patient.rs", Accounts.OtherClinician);
        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, Accounts.Clinician);
        Assert.DoesNotContain(page.Forms, form => form.Has("client", accounts.Signing.Id));
        var key = page.Forms.Single(form => form.Action == "/account/password").Fields.Single(field => field.Name == "form_key").Value;
        await browser.PostAsync("/account/revoke", ("transaction", "account"), ("form_key", key), ("client", accounts.Signing.Id));
        await accounts.Signing.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync();
    }

    [Fact]
    public async Task A_patient_refuses_an_app_and_allows_it_again_with_effect_at_once()
    {
        var tokens = await accounts.Public.TokensAsync("openid offline_access user/Patient.rs", Accounts.Clinician);
        var clinician = accounts.Public.Caller(tokens);
        await accounts.Public.TokensAsync(Scope, Accounts.PatientName);
        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, Accounts.PatientName);
        Assert.Equal(200, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status);
        page = await ChooseAsync(browser, page, $"app:{accounts.Public.Id}", "refuse");
        Assert.Contains("Your choice is in force.", page.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(200, (await clinician.GetAsync($"Patient/{accounts.Ben}")).Status);
        await ChooseAsync(browser, page, $"app:{accounts.Public.Id}", "allow");
        Assert.Equal(200, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    [Fact]
    public async Task A_patient_refuses_everybody_or_a_category_and_still_sees_the_own_record()
    {
        var ehr = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        var labelled = await ehr.CreateAsync($$"""{"resourceType":"Observation","status":"final","code":{"text":"mood"},"subject":{"reference":"Patient/{{accounts.Ada}}"},"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]} }""");
        var clinician = accounts.Server.Caller("user/*.rs", new AccessUser("c", UserRole.Clinician, $"Practitioner/{accounts.Practitioner}"));
        var patient = accounts.Server.Caller("patient/*.rs", new AccessUser("p", UserRole.Patient, $"Patient/{accounts.Ada}"), accounts.Ada);
        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, Accounts.PatientName);
        Assert.Equal(200, (await clinician.GetAsync($"Observation/{labelled}")).Status);
        page = await ChooseAsync(browser, page, "mental-health", "refuse");
        Assert.Equal((int[])[404, 200], (int[])[(await clinician.GetAsync($"Observation/{labelled}")).Status, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status]);
        page = await ChooseAsync(browser, page, "mental-health", "allow");
        page = await ChooseAsync(browser, page, "everything", "refuse");
        Assert.Equal((int[])[404, 404, 200], (int[])[(await clinician.GetAsync($"Observation/{labelled}")).Status, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status, (await patient.GetAsync($"Patient/{accounts.Ada}")).Status]);
        await ChooseAsync(browser, page, "everything", "allow");
        Assert.Equal(200, (await clinician.GetAsync($"Observation/{labelled}")).Status);
    }

    [Fact]
    public async Task E97_forms_of_elsewhere_change_nothing_on_the_account_page()
    {
        using var browser = new Browser(accounts.Server);
        await LogInAsync(browser, Accounts.PatientName);
        foreach (var path in (string[])["/account/revoke", "/account/sharing", "/account/password", "/account/login"])
        {
            (await browser.PostAsync(path, ("transaction", "account"), ("form_key", "x"), ("what", "everything"), ("action", "refuse"), ("client", accounts.Public.Id))).AssertRefused("IOMT-0858");
        }
    }

    [Fact]
    public async Task Only_a_patient_is_offered_to_share_and_only_what_the_page_offers()
    {
        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, Accounts.Clinician);
        Assert.DoesNotContain(page.Forms, form => form.Action == "/account/sharing");
        var key = page.Forms.Single(form => form.Action == "/account/password").Fields.Single(field => field.Name == "form_key").Value;
        page = await browser.PostAsync("/account/sharing", ("transaction", "account"), ("form_key", key), ("what", "everything"), ("action", "refuse"));
        Assert.Contains("This could not be changed", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_password_needs_the_old_one_and_ends_everything_before_it()
    {
        await accounts.AddUserAsync("dr.change", UserRole.Clinician, $"Practitioner/{accounts.Practitioner}");
        var tokens = await accounts.Secret.TokensAsync("openid offline_access user/Patient.rs", "dr.change");
        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, "dr.change");
        page = await browser.SubmitAsync(page, "/account/password", ("current", "not this one"), ("new", "a new long password"));
        Assert.Contains("The current password is wrong", page.Text, StringComparison.Ordinal);
        page = await browser.SubmitAsync(page, "/account/password", ("current", Accounts.Password), ("new", "short"));
        Assert.Contains("too short", page.Text, StringComparison.Ordinal);
        page = await browser.SubmitAsync(page, "/account/password", ("current", Accounts.Password), ("new", "a new long password"));
        Assert.Contains(page.Forms, form => form.Action == "/account/login");
        await accounts.Secret.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertRefusedAsync("invalid_grant");
        page = await browser.SubmitAsync(page, "/account/login", ("username", "dr.change"), ("password", "a new long password"));
        Assert.Contains("Signed in as dr.change", page.Text, StringComparison.Ordinal);
        page = await browser.SubmitAsync(page, "/auth/logout");
        Assert.Contains(page.Forms, form => form.Action == "/account/login");
    }

    [Fact]
    public async Task The_page_is_where_discovery_says()
    {
        var answer = await Answer.OfAsync(await accounts.Server.Http.GetAsync(".well-known/smart-configuration"));
        Assert.Equal(accounts.Server.Root + "/account", answer.Json.GetProperty("management_endpoint").GetString());
    }

    private static Task<Page> ChooseAsync(Browser browser, Page page, string what, string action)
    {
        var form = page.Forms.Single(form => form.Action == "/account/sharing" && form.Fields.Contains(("what", what)));
        Assert.Equal([action], form.Offered("action"));
        return browser.PostAsync(form.Action, [.. form.Fields, ("action", action)]);
    }

    private static async Task<Page> LogInAsync(Browser browser, string user)
    {
        var page = await browser.OpenAsync("/account");
        return await browser.SubmitAsync(page, "/account/login", ("username", user), ("password", Accounts.Password));
    }
}
