using FhirIomt.Smart.Clients;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FhirIomt.Clients.Tests;

/// <summary>The encounter picker in a real browser.</summary>
public sealed class EncounterPickerTests(World world, Chromium chromium) : IClassFixture<World>, IClassFixture<Chromium>
{
    private const string Redirect = "http://127.0.0.1:9/back";

    [Fact]
    public async Task The_visit_is_chosen_by_keys_alone_on_a_page_without_faults()
    {
        await world.Ehr.CreateAsync(Encounter("2026-03-01T10:00:00Z", "Check-up"));
        var newest = await world.Ehr.CreateAsync(Encounter("2026-03-02T10:00:00Z", "Ward stay"));
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await page.RouteAsync(address => address.StartsWith(Redirect, StringComparison.Ordinal), route => route.FulfillAsync(new() { Body = "back" }));
        await page.GotoAsync(await AddressAsync());
        await page.FillAsync("input[name=username]", World.User);
        await page.FillAsync("input[name=password]", World.Password);
        await page.ClickAsync("main button[type=submit]");
        await page.CheckAsync($"input[name=patient][value='{world.Ada}']");
        await page.ClickAsync("button[name=action][value=choose]");

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Choose a visit" })).ToBeVisibleAsync();
        await window.AssertAccessibleAsync();
        await window.ShowAsync("encounter");
        await TabToAsync(page, "input[name=encounter]");
        await page.Keyboard.PressAsync("Space");
        Assert.Equal(newest, await page.InputValueAsync("input[name=encounter]:checked"));
        await TabToAsync(page, "button[value=choose]");
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.GetByText("Ward stay")).ToBeVisibleAsync();
        await window.AssertAccessibleAsync();
        await page.ClickAsync("button[name=action][value=allow]");
        await page.WaitForURLAsync(address => address.StartsWith(Redirect + "?code=", StringComparison.Ordinal));
        window.AssertQuiet();
    }

    [Fact]
    public async Task A_patient_without_visits_is_gone_on_with_alone()
    {
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await page.GotoAsync(await AddressAsync());
        await page.FillAsync("input[name=username]", World.User);
        await page.FillAsync("input[name=password]", World.Password);
        await page.ClickAsync("main button[type=submit]");
        await page.CheckAsync($"input[name=patient][value='{world.Ben}']");
        await page.ClickAsync("button[name=action][value=choose]");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await window.AssertAccessibleAsync();
        await page.ClickAsync("button[name=action][value=none]");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true })).ToBeVisibleAsync();
        window.AssertQuiet();
    }

    private async Task<string> AddressAsync()
    {
        var app = new NewClient("Ward app", ClientType.Public, "openid launch/patient launch/encounter patient/*.rs") { RedirectUris = [Redirect] };
        var (client, _) = (await world.Server.Services.GetRequiredService<ClientDirectory>().AddAsync(app, CancellationToken.None)).Require();
        return $"{world.Server.Root}/auth/authorize?response_type=code&client_id={client.ClientId}&redirect_uri={Uri.EscapeDataString(Redirect)}&scope=openid%20launch/patient%20launch/encounter%20patient/Patient.rs&state=s&aud={Uri.EscapeDataString(world.Server.FhirBase)}&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    }

    private string Encounter(string start, string kind) => $$"""
        {"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"type":[{"text":"{{kind}}"}],
        "subject":{"reference":"Patient/{{world.Ada}}"},"period":{"start":"{{start}}"} }
        """;

    private static async Task TabToAsync(IPage page, string selector)
    {
        for (var step = 0; step < 30; step++)
        {
            if (await page.EvaluateAsync<bool>("selector => document.activeElement?.matches(selector) === true", selector))
            {
                return;
            }

            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"{selector} cannot be reached by the Tab key.");
    }
}
