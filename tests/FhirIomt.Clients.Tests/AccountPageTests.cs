using FhirIomt.Access;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FhirIomt.Clients.Tests;

/// <summary>A patient's own page, and the way back to an app, in a real browser.</summary>
public sealed class AccountPageTests(World world, Chromium chromium) : IClassFixture<World>, IClassFixture<Chromium>
{
    [Fact]
    public async Task A_patient_signs_in_by_keys_alone_and_refuses_and_shares_again()
    {
        (await world.Server.Services.GetRequiredService<UserDirectory>().AddAsync(new NewUser("ada", UserRole.Patient, $"Patient/{world.Ada}", World.Password), CancellationToken.None)).Require();
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await page.GotoAsync($"{world.Server.Root}/account");
        await window.AssertAccessibleAsync();
        await page.FocusAsync("input[name=username]");
        await page.Keyboard.TypeAsync("ada");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync(World.Password);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Your account" })).ToBeVisibleAsync();
        await window.AssertAccessibleAsync();
        await window.ShowAsync("account");

        await PressAsync(page, "Refuse my data to everybody");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("in force");
        await window.AssertAccessibleAsync();
        await PressAsync(page, "Share my data again");
        await Expect(page.GetByText("see your data.")).ToBeVisibleAsync();
        window.AssertQuiet();
    }

    [Theory]
    [InlineData("http://127.0.0.1:9/back")]
    [InlineData("http://[::1]:9/back")]
    public async Task A_browser_goes_back_to_an_app_on_the_persons_own_machine(string redirect)
    {
        var app = new NewClient("Native", ClientType.Public, "openid user/Patient.rs") { RedirectUris = [redirect] };
        var (client, _) = (await world.Server.Services.GetRequiredService<ClientDirectory>().AddAsync(app, CancellationToken.None)).Require();
        await using var window = await chromium.OpenAsync();
        await window.Page.RouteAsync(address => address.StartsWith(redirect, StringComparison.Ordinal), route => route.FulfillAsync(new() { Body = "back" }));
        await window.Page.GotoAsync($"{world.Server.Root}/auth/authorize?response_type=code&client_id={client.ClientId}&redirect_uri={Uri.EscapeDataString(redirect)}&scope=openid%20user/Patient.rs&state=s&aud={Uri.EscapeDataString(world.Server.FhirBase)}&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
        await window.Page.FillAsync("input[name=username]", World.User);
        await window.Page.FillAsync("input[name=password]", World.Password);
        await window.Page.ClickAsync("main button[type=submit]");
        await window.Page.ClickAsync("button[name=action][value=allow]");
        await window.Page.WaitForURLAsync(address => address.StartsWith(redirect + "?code=", StringComparison.Ordinal));
        window.AssertQuiet();
    }

    private static async Task PressAsync(IPage page, string name)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = name }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
