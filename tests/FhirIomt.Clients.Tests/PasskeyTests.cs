using FhirIomt.Access;
using FhirIomt.Smart.Users;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FhirIomt.Clients.Tests;

/// <summary>Passkeys in a real browser, whose own authenticator is a virtual one.</summary>
public sealed class PasskeyTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task A_passkey_is_added_on_the_account_page_and_signs_in_afterwards()
    {
        await using var server = await TestServer.StartAsync(options => options.PublicUrl = options.Urls.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        (await server.Services.GetRequiredService<UserDirectory>().AddAsync(new NewUser("dr.key", UserRole.Clinician, "Practitioner/1", World.Password), CancellationToken.None)).Require();
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        var cdp = await page.Context.NewCDPSessionAsync(page);
        await cdp.SendAsync("WebAuthn.enable");
        await cdp.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object> { ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true },
        });

        await page.GotoAsync($"{server.Root}/account");
        await page.FillAsync("input[name=username]", "dr.key");
        await page.FillAsync("input[name=password]", World.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.FillAsync("#passkey-label", "this computer");
        await page.FillAsync("#passkey-password", World.Password);
        await window.AssertAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The passkey is added.");
        await Expect(page.GetByText("this computer: added")).ToBeVisibleAsync();
        await window.AssertAccessibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await window.AssertAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await Expect(page.GetByText("Signed in as dr.key")).ToBeVisibleAsync();
        window.AssertQuiet();
    }
}
