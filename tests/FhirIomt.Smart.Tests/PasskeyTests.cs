using System.Text.RegularExpressions;
using FhirIomt.Access;
using FhirIomt.Smart.Users;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>Passkeys instead of passwords (WebAuthn Level 2 §7.1, §7.2), and everything that must not pass for one.</summary>
public sealed class PasskeyTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private UserEntry _user = null!;

    private UserDirectory Users => _server.Services.GetRequiredService<UserDirectory>();

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(options => options.PublicUrl = options.Urls.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        _user = (await Users.AddAsync(new NewUser("dr.key", UserRole.Clinician, "Practitioner/1", Accounts.Password), CancellationToken.None)).Require();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_passkey_that_was_added_signs_in_and_one_that_was_removed_does_not(bool isRsa)
    {
        var key = new SoftAuthenticator(isRsa) { Origin = _server.Root };
        using var browser = new Browser(_server);
        var page = await RegisterAsync(browser, key);
        Assert.Contains("The passkey is added.", page.Text, StringComparison.Ordinal);
        Assert.Contains("my phone", page.Text, StringComparison.Ordinal);

        using var other = new Browser(_server);
        key.Counter++;
        page = await SignInAsync(other, key);
        Assert.Contains("Signed in as dr.key", page.Text, StringComparison.Ordinal);

        var remove = (await browser.OpenAsync("/account")).Forms.Single(form => form.Action == "/account/passkeys/remove");
        page = await browser.PostAsync(remove.Action, [.. remove.Fields, ("passkey", remove.Offered("passkey").Single())]);
        Assert.Contains("The passkey is removed.", page.Text, StringComparison.Ordinal);
        using var again = new Browser(_server);
        key.Counter++;
        AssertFailed(await SignInAsync(again, key));
    }

    [Theory]
    [InlineData("WrongOrigin")]
    [InlineData("WrongOrigin", "cross-origin")]
    [InlineData("WrongParty")]
    [InlineData("WrongType")]
    [InlineData("NotVerified")]
    [InlineData("NotPresent")]
    [InlineData("WrongSignature")]
    [InlineData("UnknownCredential")]
    [InlineData("WrongUser")]
    [InlineData("Cloned")]
    [InlineData("WrongChallenge", "of another browser")]
    [InlineData("WrongChallenge", "made up")]
    public async Task What_is_wrong_about_a_use_is_refused_and_nobody_is_told_what(string fault, string how = "")
    {
        var key = new SoftAuthenticator { Origin = _server.Root, Counter = 7 };
        using var browser = new Browser(_server);
        await RegisterAsync(browser, key);
        key.Counter = fault == "Cloned" ? 7u : 8u;
        key.Origin = fault == "WrongOrigin" && how.Length == 0 ? "https://evil.example" : key.Origin;
        key.IsCrossOrigin = how == "cross-origin";
        key.Party = fault == "WrongParty" ? "evil.example" : key.Party;
        key.Type = fault == "WrongType" ? "webauthn.create" : "";
        key.Flags = (byte)(fault == "NotVerified" ? 0x01 : fault == "NotPresent" ? 0x04 : 0x05);
        key.Id = fault == "UnknownCredential" ? [1, 2, 3] : key.Id;

        using var fresh = new Browser(_server);
        var page = await fresh.OpenAsync("/account");
        using var stranger = new Browser(_server);
        var challenge = how switch
        {
            "of another browser" => ChallengeOf(await stranger.OpenAsync("/account")),
            "made up" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            _ => ChallengeOf(page),
        };
        var fields = key.SignIn(challenge, fault == "WrongUser" ? "somebody else" : _user.Id, alters: fault == "WrongSignature");
        AssertFailed(await fresh.PostAsync("/account/passkey", [.. HiddenOf(page, "/account/passkey"), .. fields]));
        Assert.Contains($"passkey {fault}", await LinesAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_use_is_good_once_and_a_count_that_goes_back_never()
    {
        var key = new SoftAuthenticator { Origin = _server.Root };
        using var browser = new Browser(_server);
        await RegisterAsync(browser, key);
        using var fresh = new Browser(_server);
        var page = await fresh.OpenAsync("/account");
        key.Counter = 5;
        (string, string)[] fields = [.. HiddenOf(page, "/account/passkey"), .. key.SignIn(ChallengeOf(page), _user.Id)];
        Assert.Contains("Signed in as dr.key", (await fresh.PostAsync("/account/passkey", fields)).Text, StringComparison.Ordinal);
        AssertFailed(await fresh.PostAsync("/account/passkey", fields));
        key.Counter = 4;
        using var later = new Browser(_server);
        AssertFailed(await SignInAsync(later, key));
    }

    [Fact]
    public async Task A_challenge_is_over_after_five_minutes_and_belongs_to_its_purpose()
    {
        var key = new SoftAuthenticator { Origin = _server.Root };
        using var browser = new Browser(_server);
        var page = await RegisterAsync(browser, key);
        using var fresh = new Browser(_server);
        var login = await fresh.OpenAsync("/account");
        AssertFailed(await fresh.PostAsync("/account/passkey", [.. HiddenOf(login, "/account/passkey"), .. key.SignIn(ChallengeOf(page), _user.Id)]));
        login = await fresh.OpenAsync("/account");
        _server.Time.Offset += TimeSpan.FromMinutes(6);
        AssertFailed(await fresh.PostAsync("/account/passkey", [.. HiddenOf(login, "/account/passkey"), .. key.SignIn(ChallengeOf(login), _user.Id)]));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("origin")]
    [InlineData("party")]
    [InlineData("verification")]
    [InlineData("attestation")]
    [InlineData("challenge")]
    [InlineData("twice")]
    public async Task Nothing_is_added_that_is_not_as_it_must_be(string what)
    {
        var key = new SoftAuthenticator { Origin = what == "origin" ? "https://evil.example" : _server.Root, Format = what == "attestation" ? "packed" : "none" };
        key.Party = what == "party" ? "evil.example" : key.Party;
        key.Flags = (byte)(what == "verification" ? 0x01 : 0x05);
        using var browser = new Browser(_server);
        if (what == "twice")
        {
            await RegisterAsync(browser, key);
        }

        var page = await RegisterAsync(browser, key, what == "password" ? "not my password" : Accounts.Password, what == "challenge" ? "made-up" : null);
        Assert.Contains("The passkey was not added.", page.Text, StringComparison.Ordinal);
        Assert.Equal(what == "twice" ? 1 : 0, page.Forms.Count(form => form.Action == "/account/passkeys/remove"));
    }

    [Fact]
    public async Task Bytes_that_are_nothing_are_refused_and_break_nothing()
    {
        var random = new Random(7);
        using var browser = new Browser(_server);
        var page = await LogInAsync(browser);
        for (var time = 0; time < 20; time++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            var key = new SoftAuthenticator { Origin = _server.Root };
            var fields = key.Register(ChallengeOf(page)).Select(field => field.Name == "attestation" ? (field.Name, System.Buffers.Text.Base64Url.EncodeToString(bytes)) : field);
            page = await browser.PostAsync("/account/passkeys", [.. HiddenOf(page, "/account/passkeys"), ("current", Accounts.Password), .. fields]);
            Assert.Contains("The passkey was not added.", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_new_password_and_a_disabled_account_end_passkeys()
    {
        var key = new SoftAuthenticator { Origin = _server.Root };
        using var browser = new Browser(_server);
        await RegisterAsync(browser, key);
        await Users.SetPasswordAsync("dr.key", "another long password", CancellationToken.None);
        using var fresh = new Browser(_server);
        key.Counter++;
        AssertFailed(await SignInAsync(fresh, key));
    }

    [Fact]
    public async Task Only_pages_with_passkeys_may_run_the_script_and_only_where_browsers_have_them()
    {
        using var browser = new Browser(_server);
        var page = await browser.OpenAsync("/account");
        Assert.Contains("script-src 'self';", page.Response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", (await browser.OpenAsync("/auth/logout")).Response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);

        // An address of numbers is no name that a passkey could be for.
        await using var numbers = await TestServer.StartAsync();
        using var other = new Browser(numbers);
        page = await other.OpenAsync("/account");
        Assert.DoesNotContain("script", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", page.Response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private async Task<Page> RegisterAsync(Browser browser, SoftAuthenticator key, string password = Accounts.Password, string? challenge = null)
    {
        var page = await LogInAsync(browser);
        return await browser.PostAsync("/account/passkeys", [.. HiddenOf(page, "/account/passkeys"), ("label", "my phone"), ("current", password), .. key.Register(challenge ?? ChallengeOf(page))]);
    }

    private static async Task<Page> LogInAsync(Browser browser)
    {
        var page = await browser.OpenAsync("/account");
        return page.Forms.Any(form => form.Action == "/account/login") ? await browser.SubmitAsync(page, "/account/login", ("username", "dr.key"), ("password", Accounts.Password)) : page;
    }

    private async Task<Page> SignInAsync(Browser browser, SoftAuthenticator key)
    {
        var page = await browser.OpenAsync("/account");
        return await browser.PostAsync("/account/passkey", [.. HiddenOf(page, "/account/passkey"), .. key.SignIn(ChallengeOf(page), _user.Id)]);
    }

    private static IEnumerable<(string Name, string Value)> HiddenOf(Page page, string action) => page.Forms.First(form => form.Action == action).Fields.Where(field => field.Name is "transaction" or "form_key");

    private static string ChallengeOf(Page page) => Regex.Match(page.Html, "data-challenge=\"([^\"]+)\"", RegexOptions.None, TimeSpan.FromSeconds(5)).Groups[1].Value;

    private static void AssertFailed(Page page)
    {
        Assert.Contains("The name or the password is wrong", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Signed in as", page.Text, StringComparison.Ordinal);
    }

    private async Task<string> LinesAsync() => (await (await _server.CallerAsync("system/AuditEvent.rs")).GetAsync("AuditEvent?subtype=110122&outcome=4")).Body;
}
