using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace FhirIomt.Clients.Tests;

/// <summary>Debian's browser, driven by Playwright. Where it is not installed the tests are skipped, and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if ((Environment.GetEnvironmentVariable("FHIRIOMT_CHROMIUM") ?? Places.FirstOrDefault(File.Exists)) is not { } program)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();

        // The sandbox needs rights that a build machine's root has not; the pages are our own.
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>A window of somebody new. Whatever its console says of errors fails the test that asks <see cref="Window.AssertQuiet"/>.</summary>
    internal async Task<Window> OpenAsync()
    {
        Assert.SkipWhen(_browser is null, "Chromium is not installed; set FHIRIOMT_CHROMIUM or install the package chromium.");
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 1000 } });
        return new Window(await context.NewPageAsync());
    }
}

internal sealed class Window : IAsyncDisposable
{
    private readonly List<string> _complaints = [];

    public Window(IPage page)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Add(message.Text);
            }
        };
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                _complaints.Add($"{response.Status} {response.Url}");
            }
        };
        page.PageError += (_, error) => _complaints.Add(error);
    }

    public IPage Page { get; }

    /// <summary>Nothing was blocked by a policy, nothing failed.</summary>
    public void AssertQuiet() => Assert.True(_complaints.Count == 0, string.Join('\n', _complaints));

    /// <summary>What axe finds of WCAG 2.2 A and AA.</summary>
    public async Task AssertAccessibleAsync()
    {
        var options = new AxeRunOptions { RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } };
        var result = await Page.RunAxe(options);
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(violation => $"{violation.Id}: {violation.Help} {string.Join(' ', violation.Nodes.Select(node => node.Html))}")));
    }

    /// <summary>For a person to look at: artifacts/screens in the source.</summary>
    public Task ShowAsync(string name) =>
        Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Directory.CreateDirectory(Path.Combine(NodeProgram.Root, "artifacts", "screens")).FullName, $"{name}.png"), FullPage = true });

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}
