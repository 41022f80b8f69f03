using FhirIomt.Server.Demo;
using FhirIomt.Server.Hosting;
using FhirIomt.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FhirIomt.Clients.Tests;

/// <summary>What a stranger does first: start the demo, open its page, launch the app.</summary>
public sealed class DemoTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task The_demos_EHR_launches_the_app_and_its_devices_readings_are_drawn()
    {
        await using var window = await chromium.OpenAsync();
        var (root, folder) = ($"http://127.0.0.1:{TestServer.FreePort()}", Directory.CreateTempSubdirectory("fhiriomt-demo-").FullName);
        await using var app = ServerHost.Build(new ServerOptions { Urls = root, Data = folder, Demo = true }, TimeProvider.System);
        await app.StartAsync();
        try
        {
            DemoWorld? world;
            while ((world = await DemoWorld.FindAsync(folder, CancellationToken.None)) is null)
            {
                await Task.Delay(100);
            }

            await window.Page.GotoAsync(root + DemoEhr.Path);
            await window.AssertAccessibleAsync();
            await window.Page.ClickAsync($"text=Vitals of {world.Patients[0].Name}");
            await window.Page.FillAsync("input[name=username]", DemoWorld.Clinician);
            await window.Page.FillAsync("input[name=password]", world.Password);
            await window.Page.ClickAsync("main button[type=submit]");
            await window.Page.ClickAsync("button[name=action][value=allow]");
            await Expect(window.Page.Locator(".tile", new() { HasText = "Blood pressure" })).ToContainTextAsync("mmHg", new() { Timeout = 60_000 });
            await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Glucose (mg/dL)" })).ToBeVisibleAsync();
            await window.AssertAccessibleAsync();
            await window.ShowAsync("demo");
            window.AssertQuiet();
        }
        finally
        {
            await app.StopAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
