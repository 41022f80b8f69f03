using System.Net;
using FhirIomt.Access;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>Login, sessions, logout: facts §10 E 97, 101 to 104.</summary>
public sealed class LoginTests(Accounts accounts) : IClassFixture<Accounts>
{
    [Theory]
    [InlineData(Accounts.Clinician, "wrong password here")]
    [InlineData(Accounts.Clinician, "")]
    [InlineData("nobody", Accounts.Password)]
    [InlineData("gone", Accounts.Password)]
    [InlineData("' OR 1=1 --", Accounts.Password)]
    public async Task E102_a_failed_login_says_the_same_whatever_failed(string name, string password)
    {
        if ((await accounts.Users.ListAsync(CancellationToken.None)).All(user => user.Name != "gone"))
        {
            await accounts.AddUserAsync("gone", UserRole.Operator, null);
            await accounts.Users.DisableAsync("gone", disabled: true, CancellationToken.None);
        }

        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid"), name, password);
        Assert.Equal(200, page.Status);
        Assert.Contains("The name or the password is wrong, or there were too many tries.", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("session", page.Header("Set-Cookie"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task E102_after_five_failures_the_name_rests_a_while_whether_or_not_there_is_such_a_user(bool exists)
    {
        var name = exists ? "resting" : "ghost";
        if (exists)
        {
            await accounts.AddUserAsync(name, UserRole.Operator, null);
        }

        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.Null(await accounts.Users.LogInAsync(name, "wrong password", CancellationToken.None));
        }

        Assert.Null(await accounts.Users.LogInAsync(name, Accounts.Password, CancellationToken.None));
        accounts.Server.Time.Offset += TimeSpan.FromSeconds(31);
        Assert.Equal(exists, await accounts.Users.LogInAsync(name.ToUpperInvariant(), Accounts.Password, CancellationToken.None) is not null);
        Assert.Null(await accounts.Users.LogInAsync(name, "wrong password", CancellationToken.None));
        Assert.Equal(exists, await accounts.Users.LogInAsync(name, Accounts.Password, CancellationToken.None) is not null);
    }

    [Fact]
    public async Task E102_the_delay_grows_and_never_beyond_a_quarter_of_an_hour()
    {
        await accounts.AddUserAsync("guessed", UserRole.Operator, null);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await accounts.Users.LogInAsync("guessed", "wrong password", CancellationToken.None);
        }

        accounts.Server.Time.Offset += TimeSpan.FromSeconds(31);
        await accounts.Users.LogInAsync("guessed", "wrong password", CancellationToken.None);
        accounts.Server.Time.Offset += TimeSpan.FromSeconds(31);
        Assert.Null(await accounts.Users.LogInAsync("guessed", Accounts.Password, CancellationToken.None));
        for (var attempt = 0; attempt < 20; attempt++)
        {
            accounts.Server.Time.Offset += TimeSpan.FromMinutes(16);
            await accounts.Users.LogInAsync("guessed", "wrong password", CancellationToken.None);
        }

        accounts.Server.Time.Offset += TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1);
        Assert.NotNull(await accounts.Users.LogInAsync("guessed", Accounts.Password, CancellationToken.None));
    }

    [Fact]
    public async Task E102_many_guesses_at_once_are_counted_one_by_one()
    {
        await accounts.AddUserAsync("sprayed", UserRole.Operator, null);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(index => accounts.Users.LogInAsync("sprayed", $"wrong password {index}", CancellationToken.None)));
        Assert.Null(await accounts.Users.LogInAsync("sprayed", Accounts.Password, CancellationToken.None));
    }

    [Fact]
    public async Task E101_the_session_cookie_is_new_at_each_login_and_out_of_reach_of_scripts()
    {
        using var browser = new Browser(accounts.Server);
        var login = await accounts.Public.AuthorizeAsync(browser, "openid");
        browser.Cookies.Add(new Uri(accounts.Server.Root), new Cookie("fhiriomt-session", "planted.by-an-attacker"));
        await browser.LogInAsync(login);
        var first = SessionOf(browser);
        Assert.NotEqual("planted.by-an-attacker", first.Value);
        Assert.True(first.HttpOnly);

        await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid", ("prompt", "login")));
        Assert.NotEqual(first.Value, SessionOf(browser).Value);

        using var thief = new Browser(accounts.Server);
        thief.Cookies.Add(new Uri(accounts.Server.Root), new Cookie("fhiriomt-session", first.Value));
        Assert.Contains((await accounts.Public.AuthorizeAsync(thief, "openid")).Forms, form => form.Action == "/auth/login");
    }

    [Fact]
    public async Task E101_cookies_are_lax_and_over_https_bound_to_the_host()
    {
        using var browser = new Browser(accounts.Server);
        var page = await accounts.Public.AuthorizeAsync(browser, "openid");
        var cookie = page.Header("Set-Cookie");
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);

        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        new Pages.BrowserCookies(new ServerAddress("https://fhir.example"), Core.IdSource.Random).SetSession(context.Response, "x.y");
        var secure = context.Response.Headers.SetCookie.ToString();
        Assert.StartsWith("__Host-fhiriomt-session=x.y", secure, StringComparison.Ordinal);
        Assert.Contains("secure", secure, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain", secure, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task E104_after_the_login_the_browser_goes_on_by_303()
    {
        // The test browser takes no other redirect.
        using var browser = new Browser(accounts.Server);
        var page = await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid"));
        Assert.Equal("/auth/continue", page.Address.AbsolutePath);
    }

    [Fact]
    public async Task A_session_ends_with_the_working_day_and_by_logging_out()
    {
        using var browser = new Browser(accounts.Server);
        await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid"));
        var before = SessionOf(browser).Value;
        var page = await browser.OpenAsync("/auth/logout");
        Assert.Contains("You are signed out", (await browser.SubmitAsync(page, "/auth/logout")).Text, StringComparison.Ordinal);
        browser.Cookies.Add(new Uri(accounts.Server.Root), new Cookie("fhiriomt-session", before));
        Assert.Contains((await accounts.Public.AuthorizeAsync(browser, "openid")).Forms, form => form.Action == "/auth/login");

        await browser.LogInAsync(await accounts.Public.AuthorizeAsync(browser, "openid"));
        accounts.Server.Time.Offset += Sessions.Lifetime + TimeSpan.FromSeconds(1);
        Assert.Contains((await accounts.Public.AuthorizeAsync(browser, "openid")).Forms, form => form.Action == "/auth/login");
    }

    [Theory]
    [InlineData("", UserRole.Operator, null, Accounts.Password, "IOMT-0830")]
    [InlineData("a b", UserRole.Operator, null, Accounts.Password, "IOMT-0830")]
    [InlineData("x", UserRole.Clinician, null, Accounts.Password, "IOMT-0833")]
    [InlineData("x", UserRole.Patient, "Practitioner/1", Accounts.Password, "IOMT-0833")]
    [InlineData("x", UserRole.Clinician, "Observation/1", Accounts.Password, "IOMT-0833")]
    [InlineData("x", UserRole.Operator, null, "short", "IOMT-0834")]
    [InlineData("twelve.chars.", UserRole.Operator, null, "Twelve.Chars.", "IOMT-0834")]
    [InlineData("DR.WHO", UserRole.Operator, null, Accounts.Password, "IOMT-0831")]
    public async Task An_account_that_cannot_be_is_refused_with_its_reason(string name, UserRole role, string? fhirUser, string password, string code)
    {
        var outcome = await accounts.Users.AddAsync(new NewUser(name, role, fhirUser, password), CancellationToken.None);
        Assert.Contains(outcome.Issues, issue => issue.Code == code);
    }

    [Fact]
    public async Task No_password_and_no_secret_is_kept_as_it_is()
    {
        foreach (var kind in (string[])[RecordKind.User, RecordKind.Client])
        {
            foreach (var record in await accounts.Server.Store.ListRecordsAsync(kind, CancellationToken.None))
            {
                var body = System.Text.Encoding.UTF8.GetString(record.Body.Span);
                Assert.DoesNotContain(Accounts.Password, body, StringComparison.Ordinal);
                Assert.DoesNotContain(accounts.Secret.Secret!, body, StringComparison.Ordinal);
            }
        }
    }

    private Cookie SessionOf(Browser browser) => browser.Cookies.GetCookies(new Uri(accounts.Server.Root)).Single(cookie => cookie.Name == "fhiriomt-session");
}
