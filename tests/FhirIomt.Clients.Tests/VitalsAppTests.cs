using System.Globalization;
using System.Text.Json;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FhirIomt.Clients.Tests;

/// <summary>The app as a clinician meets it: in a real browser, from the launch to the drawn chart.</summary>
public sealed class VitalsAppTests(World world, Chromium chromium) : IClassFixture<World>, IClassFixture<Chromium>
{
    private string LaunchPage => $"{world.Server.Root}/apps/vitals/launch.html";

    [Fact]
    public async Task An_EHR_launch_ends_at_the_patients_chart()
    {
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync($"{LaunchPage}?iss={Uri.EscapeDataString(world.Server.FhirBase)}&launch={await AnnounceAsync(world.Ada)}");
        await window.Page.WaitForSelectorAsync("input[name=username]");
        await window.AssertAccessibleAsync();
        await LogInAsync(window.Page);
        await window.AssertAccessibleAsync();
        await window.ShowAsync("consent");
        await window.Page.ClickAsync("button[name=action][value=allow]");

        await Expect(window.Page.Locator("#patient")).ToContainTextAsync("Byron, Ada");
        await Expect(window.Page.Locator("#state")).ToContainTextAsync($"{World.Readings} readings");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Heart rate" })).ToBeVisibleAsync();
        Assert.True(await window.Page.EvaluateAsync<bool>("() => { const canvas = document.querySelector('.chart canvas'); return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte !== 0); }"));
        Assert.Equal(World.Readings, await window.Page.Locator("#readings tbody tr").CountAsync());
        Assert.DoesNotContain("99 /min", await window.Page.InnerTextAsync("main"), StringComparison.Ordinal);
        await window.AssertAccessibleAsync();
        await window.ShowAsync("vitals");
        window.AssertQuiet();
    }

    [Fact]
    public async Task By_itself_the_app_lets_the_clinician_choose_the_patient()
    {
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync(LaunchPage);
        await LogInAsync(window.Page);
        await window.AssertAccessibleAsync();
        await window.ShowAsync("picker");
        await window.Page.CheckAsync($"input[name=patient][value='{world.Ben}']");
        await window.Page.ClickAsync("button[name=action][value=choose]");
        await window.Page.ClickAsync("button[name=action][value=allow]");

        await Expect(window.Page.Locator("#patient")).ToContainTextAsync("Byron, Ben");
        await Expect(window.Page.Locator("#readings tbody tr")).ToHaveCountAsync(1);
        window.AssertQuiet();
    }

    [Fact]
    public async Task Keys_are_enough_to_sign_in_to_agree_and_to_walk_the_readings()
    {
        await using var window = await chromium.OpenAsync();
        var page = window.Page;
        await page.GotoAsync($"{LaunchPage}?iss={Uri.EscapeDataString(world.Server.FhirBase)}&launch={await AnnounceAsync(world.Ada)}");
        await page.WaitForSelectorAsync("input[name=username]");
        await TabToAsync(page, "input[name=username]");
        await page.Keyboard.TypeAsync(World.User);
        await TabToAsync(page, "input[name=password]");
        await page.Keyboard.TypeAsync(World.Password);
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("button[value=allow]");
        await TabToAsync(page, "button[value=allow]");
        await page.Keyboard.PressAsync("Enter");

        await page.WaitForSelectorAsync(".chart canvas");
        await TabToAsync(page, ".chart");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Locator("#announcer")).ToContainTextAsync("60 /min");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Locator("#announcer")).ToContainTextAsync("61 /min");
    }

    [Fact]
    public async Task Units_and_colours_are_the_clinicians_choice()
    {
        await using var window = await chromium.OpenAsync();
        var patient = await world.PatientAsync("Sweet");
        await world.Ehr.CreateAsync(Glucose(patient, 99));
        await LaunchAsync(window, patient);
        await Expect(window.Page.Locator(".tile", new() { HasText = "Glucose" })).ToContainTextAsync("99 mg/dL");
        await window.Page.SelectOptionAsync("#choose-glucose", "mmol/L");
        await Expect(window.Page.Locator(".tile", new() { HasText = "Glucose" })).ToContainTextAsync("5.5 mmol/L");
        await window.Page.SelectOptionAsync("#choose-colours", "dark");
        await window.AssertAccessibleAsync();
        await window.ShowAsync("vitals-dark");
        await window.Page.ReloadAsync();
        Assert.Equal("mmol/L", await window.Page.InputValueAsync("#choose-glucose"));
    }

    [Fact]
    public async Task A_new_reading_appears_when_asked_for()
    {
        await using var window = await chromium.OpenAsync();
        var patient = await world.PatientAsync("Empty");
        await LaunchAsync(window, patient);
        await Expect(window.Page.Locator("#state")).ToContainTextAsync("No readings in this time span");
        await world.Ehr.CreateAsync(World.HeartRate(patient, world.Server.Time.GetUtcNow(), 88));
        await window.Page.ClickAsync("text=Refresh");
        await Expect(window.Page.Locator(".tile")).ToContainTextAsync("88 /min");
    }

    [Fact]
    public async Task When_access_ends_nothing_stays_on_the_screen()
    {
        await using var window = await chromium.OpenAsync();
        var users = world.Server.Services.GetRequiredService<UserDirectory>();
        (await users.AddAsync(new NewUser("dr.leaving", Access.UserRole.Clinician, $"Practitioner/{world.Practitioner}", World.Password), CancellationToken.None)).Require();
        await LaunchAsync(window, world.Ada, "dr.leaving");
        await Expect(window.Page.Locator("#readings tbody tr")).ToHaveCountAsync(World.Readings);
        Assert.Null(await users.DisableAsync("dr.leaving", true, CancellationToken.None));
        await window.Page.ClickAsync("text=Refresh");
        await Expect(window.Page.Locator("#state")).ToContainTextAsync("Your access has ended");
        await Expect(window.Page.Locator("#patient")).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("#readings tbody tr")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Saying_no_leads_back_to_the_app_without_access()
    {
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync($"{LaunchPage}?iss={Uri.EscapeDataString(world.Server.FhirBase)}&launch={await AnnounceAsync(world.Ada)}");
        await LogInAsync(window.Page);
        await window.Page.ClickAsync("button[name=action][value=deny]");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#readings tbody tr")).ToHaveCountAsync(0);
    }

    private string Glucose(string patient, int value) => $$"""
        {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2339-0"}]},"subject":{"reference":"Patient/{{patient}}"},
        "effectiveDateTime":"{{world.Server.Time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}}","valueQuantity":{"value":{{value.ToString(CultureInfo.InvariantCulture)}},"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"} }
        """;

    private async Task LaunchAsync(Window window, string patient, string user = World.User)
    {
        await window.Page.GotoAsync($"{LaunchPage}?iss={Uri.EscapeDataString(world.Server.FhirBase)}&launch={await AnnounceAsync(patient, user)}");
        await LogInAsync(window.Page, user);
        await window.Page.ClickAsync("button[name=action][value=allow]");
    }

    private static async Task LogInAsync(IPage page, string user = World.User)
    {
        await page.FillAsync("input[name=username]", user);
        await page.FillAsync("input[name=password]", World.Password);
        await page.ClickAsync("main button[type=submit]");
    }

    private static async Task TabToAsync(IPage page, string selector)
    {
        for (var step = 0; step < 60; step++)
        {
            if (await page.EvaluateAsync<bool>("selector => document.activeElement?.matches(selector) === true", selector))
            {
                return;
            }

            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"{selector} cannot be reached by the Tab key.");
    }

    private async Task<string> AnnounceAsync(string patient, string user = World.User)
    {
        var answer = await world.Ehr.PostAsync($"{world.Server.Root}/auth/launches", JsonSerializer.Serialize(new { client_id = VitalsApp.ClientId, user, patient }), ("Content-Type", "application/json"));
        Assert.True(answer.Status == 201, answer.Body);
        return Uri.EscapeDataString(answer.Json.GetProperty("launch").GetString()!);
    }
}
