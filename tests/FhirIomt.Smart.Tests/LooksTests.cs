using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>A patient's own page says who looked: people, apps, devices, emergencies.</summary>
public sealed class LooksTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Reason = """{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"found <unconscious> at home"}]}""";

    [Fact]
    public async Task A_patient_sees_who_read_and_changed_the_record_with_what_and_how_often()
    {
        var clinician = accounts.Public.Caller(await accounts.Public.TokensAsync("openid user/*.cruds", Accounts.Clinician));
        for (var time = 0; time < 3; time++)
        {
            Assert.Equal(200, (await clinician.GetAsync($"Patient/{accounts.Ada}")).Status);
        }

        Assert.Equal(200, (await clinician.GetAsync($"Observation?patient={accounts.Ada}")).Status);
        Assert.Equal(200, (await clinician.GetAsync($"Patient/{accounts.Ada}/$everything")).Status);
        var text = (await PageAsync(Accounts.PatientName)).Html;
        Assert.Matches(@"\d{4}-\d\d-\d\d \d\d:\d\d–\d\d:\d\d UTC, 3 times</td><td>Who, with Vitals &amp; more</td><td>saw name, birth date and other personal details<", text);
        Assert.Contains("<td>searched measurements and findings</td>", text, StringComparison.Ordinal);
        Assert.Contains("<td>saw your whole record</td>", text, StringComparison.Ordinal);
        Assert.True(text.IndexOf("your whole record</td>", StringComparison.Ordinal) < text.IndexOf("3 times", StringComparison.Ordinal), "The newest is not first.");
    }

    [Fact]
    public async Task An_emergency_stands_out_with_its_reason()
    {
        var stranger = accounts.Public.Caller(await accounts.Public.TokensAsync("openid user/*.rs", Accounts.OtherClinician));
        Assert.Equal(201, (await stranger.PostAsync($"Patient/{accounts.Ada}/$break-glass", Reason)).Status);
        Assert.Equal(200, (await stranger.GetAsync($"Patient/{accounts.Ada}")).Status);
        var text = (await PageAsync(Accounts.PatientName)).Html;
        Assert.Matches(@"<tr class=""alert""><td>[^<]+</td><td>No, with Vitals &amp; more</td><td><strong>Emergency:</strong> opened your record. Reason given: found &lt;unconscious&gt; at home</td>", text);
        Assert.Matches(@"<tr class=""alert""><td>[^<]+</td><td>No, with Vitals &amp; more</td><td><strong>Emergency:</strong> saw name, birth date", text);
    }

    [Fact]
    public async Task The_own_looks_are_told_as_ones_own_and_older_ones_are_on_further_pages()
    {
        await accounts.AddUserAsync("cleo", UserRole.Patient, $"Patient/{accounts.Cleo}");
        var system = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        var own = accounts.Public.Caller(await accounts.Public.TokensAsync("openid patient/*.rs", "cleo"));
        for (var time = 0; time < 60; time++)
        {
            Assert.Equal(200, (await (time % 2 == 0 ? system : own).GetAsync($"Patient/{accounts.Cleo}")).Status);
            Assert.Equal(200, (await own.GetAsync($"Observation?patient={accounts.Cleo}")).Status);
        }

        using var browser = new Browser(accounts.Server);
        var page = await LogInAsync(browser, "cleo");
        Assert.Contains("<td>You, with Vitals &amp; more</td>", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("added name", page.Text, StringComparison.Ordinal);
        var rows = 0;
        for (var pages = 0; pages < 5; pages++)
        {
            rows += page.Text.Split("<tr><td>").Length - 1;
            var at = page.Text.IndexOf("/account?before=", StringComparison.Ordinal);
            if (at < 0)
            {
                break;
            }

            page = await browser.OpenAsync(page.Text[at..page.Text.IndexOf('#', at)]);
            Assert.Contains("Back to the newest", page.Text, StringComparison.Ordinal);
        }

        // The record was made before anybody looked.
        Assert.Contains("added name", page.Text, StringComparison.Ordinal);
        Assert.True(rows >= 60, rows.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Nobody_sees_who_looked_at_somebody_else()
    {
        var system = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        await system.GetAsync($"Patient/{accounts.Ben}");
        Assert.DoesNotContain("Who looked at your record", (await PageAsync(Accounts.Clinician)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(accounts.Ben, (await PageAsync(Accounts.PatientName)).Text, StringComparison.Ordinal);
    }

    private async Task<Page> PageAsync(string user)
    {
        using var browser = new Browser(accounts.Server);
        return await LogInAsync(browser, user);
    }

    private static async Task<Page> LogInAsync(Browser browser, string user)
    {
        var page = await browser.OpenAsync("/account");
        return await browser.SubmitAsync(page, "/account/login", ("username", user), ("password", Accounts.Password));
    }
}
