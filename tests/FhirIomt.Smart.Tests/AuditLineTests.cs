using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>What people do at the pages, and what limits refuse, leaves lines in the audit: facts §8.3, §10 J 163.</summary>
public sealed class AuditLineTests(Accounts accounts) : IClassFixture<Accounts>
{
    [Theory]
    [InlineData("/account")]
    [InlineData("/auth")]
    public async Task J163_logins_and_failed_ones_leave_a_line_with_the_account_and_without_the_password(string at)
    {
        var name = "dr.audited" + at.Length;
        var user = await accounts.AddUserAsync(name, UserRole.Clinician, $"Practitioner/{accounts.Practitioner}");
        using var browser = new Browser(accounts.Server);
        async Task<Page> LogInAsync(string password) => await browser.SubmitAsync(
            at == "/account" ? await browser.OpenAsync("/account") : await accounts.Public.AuthorizeAsync(browser, "openid user/Patient.rs"), $"{at}/login", ("username", name), ("password", password));
        await LogInAsync("a wrong password 123");
        await LogInAsync(Accounts.Password);

        var lines = await EventsAsync("subtype=110122", name: user.Id);

        Assert.Equal(["0", "4"], lines.Select(line => line.GetProperty("outcome").GetString()));
        Assert.All(lines, line => Assert.DoesNotContain("password", line.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task J163_consents_refusals_revocations_passwords_and_sharing_leave_a_line_each()
    {
        await accounts.AddUserAsync("ada.audited", UserRole.Patient, $"Patient/{accounts.Ada}");
        var id = (await accounts.Users.FindAsync("ada.audited", CancellationToken.None))!.Id;
        await accounts.Secret.TokensAsync("openid offline_access patient/Patient.rs", "ada.audited");
        using (var refusing = new Browser(accounts.Server))
        {
            var asked = await refusing.LogInAsync(await accounts.Secret.AuthorizeAsync(refusing, "openid patient/Patient.rs"), "ada.audited");
            await refusing.SubmitAsync(asked, "/auth/consent", ("action", "deny"));
        }

        using var browser = new Browser(accounts.Server);
        var page = await browser.SubmitAsync(await browser.OpenAsync("/account"), "/account/login", ("username", "ada.audited"), ("password", Accounts.Password));
        page = await browser.SubmitAsync(page, "/account/revoke", ("client", accounts.Secret.Id));
        var choice = page.Forms.First(form => form.Action == "/account/sharing" && form.Fields.Contains(("what", "mental-health")));
        page = await browser.PostAsync(choice.Action, [.. choice.Fields, ("action", "refuse")]);
        page = await browser.SubmitAsync(page, "/account/password", ("current", "not this one at all"), ("new", "a new long password"));
        await browser.SubmitAsync(page, "/account/password", ("current", Accounts.Password), ("new", "a new long password"));

        async Task<string> OutcomesAsync(string subtype) => string.Join(' ', (await EventsAsync($"subtype={subtype}", id)).Select(line => line.GetProperty("outcome").GetString()));
        Assert.Equal("4 0", await OutcomesAsync("authorize"));
        Assert.Equal("0", await OutcomesAsync("revoke"));
        Assert.Equal("0 4", await OutcomesAsync("password"));
        Assert.Contains(await EventsAsync($"patient=Patient/{accounts.Ada}", id), line => line.GetRawText().Contains("Consent/own-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_that_no_route_takes_leave_a_line()
    {
        var caller = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Get, "Patient/1/2/3/4/5"), (HttpMethod.Get, "NoSuchType/1"), (HttpMethod.Put, "metadata"), (HttpMethod.Post, "Patient/1/$no-such-operation")])
        {
            var request = $"unrouted-{path.Length}";
            var answer = await caller.SendAsync(method, path, method == HttpMethod.Get ? null : "{}", ("X-Request-Id", request));
            Assert.InRange(answer.Status, 400, 499);
            Assert.Contains(await EventsAsync("outcome=4", request), line => line.GetProperty("outcomeDesc").GetString()!.StartsWith($"{answer.Status}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Entries_of_a_batch_that_no_route_takes_leave_a_line_each()
    {
        var caller = new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync());
        const string Entries = """[{"request":{"method":"GET","url":"NoSuchType/77"} },{"request":{"method":"GET","url":"Patient/a/b/c/d"} },{"request":{"method":"GET"} }]""";
        Assert.Equal(200, (await caller.PostAsync("", $$"""{"resourceType":"Bundle","type":"batch","entry":{{Entries}}}""", ("X-Request-Id", "batch-unrouted"))).Status);
        Assert.Equal(3, (await EventsAsync("outcome=4", "batch-unrouted")).Count);
    }

    [Fact]
    public async Task What_a_limit_refuses_leaves_a_line_and_a_flood_does_not_leave_one_each()
    {
        await using var server = await TestServer.StartAsync(options =>
        {
            options.Limits.Enabled = true;
            options.Limits.PerClient = 1;
        });
        var flooding = await server.CallerAsync("system/Patient.rs");
        var refused = 0;
        for (var time = 0; time < 100; time++)
        {
            refused += (await flooding.GetAsync("Patient/1")).Status == 429 ? 1 : 0;
        }

        var events = await EventsAsync(await server.CallerAsync("system/AuditEvent.rs"), "outcome=4", "IOMT-0910");
        Assert.True(refused > 10, $"{refused}");
        Assert.InRange(events.Count, 1, refused - 1);
        Assert.All(events, line => Assert.DoesNotContain(flooding.Token, line.GetRawText(), StringComparison.Ordinal));
    }

    private async Task<List<JsonElement>> EventsAsync(string search, string name) => await EventsAsync(new FhirCaller(accounts.Server, await accounts.Ehr.TokenAsync()), search, name);

    private static async Task<List<JsonElement>> EventsAsync(FhirCaller caller, string search, string name)
    {
        var answer = await caller.GetAsync($"AuditEvent?{search}&_count=1000");
        Assert.True(answer.Status == 200, answer.Body);
        return !answer.Json.TryGetProperty("entry", out var entries) ? []
            : [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource")).Where(line => line.GetRawText().Contains(name, StringComparison.Ordinal))];
    }
}
