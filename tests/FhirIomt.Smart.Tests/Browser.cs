using System.Net;
using System.Text.RegularExpressions;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>A person's browser: it keeps cookies, follows redirects on this server, fills forms by their fields, and stops where it would leave for the app.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly TestServer _server;
    private readonly HttpClient _http;

    public Browser(TestServer server)
    {
        _server = server;
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies });
    }

    public CookieContainer Cookies { get; } = new();

    public Task<Page> OpenAsync(string address) => FollowAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(_server.Root), address)));

    public Task<Page> PostAsync(string address, params IEnumerable<(string Name, string Value)> fields) =>
        FollowAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(_server.Root), address)) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) });

    /// <summary>Sends the form that has this field or button as a person would: what is filled in, ticks that are set, everything hidden.</summary>
    public Task<Page> SubmitAsync(Page page, string action, params IEnumerable<(string Name, string Value)> filled)
    {
        var form = page.Forms.Single(form => form.Action == action && filled.All(field => form.Has(field.Name, field.Value)));
        var names = filled.Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        return PostAsync(action, [.. form.Fields.Where(field => !names.Contains(field.Name)), .. filled]);
    }

    public Task<Page> LogInAsync(Page page, string name = Accounts.Clinician, string password = Accounts.Password) =>
        SubmitAsync(page, "/auth/login", ("username", name), ("password", password));

    public void Dispose() => _http.Dispose();

    private async Task<Page> FollowAsync(HttpRequestMessage request)
    {
        for (var hops = 0; hops < 10; hops++)
        {
            using var sent = request;
            using var response = await _http.SendAsync(sent);
            if (response.Headers.Location is not { } location)
            {
                return new Page((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response, request.RequestUri!, Left: null);
            }

            Assert.Equal(303, (int)response.StatusCode);
            if (!location.OriginalString.StartsWith(_server.Root, StringComparison.Ordinal))
            {
                return new Page((int)response.StatusCode, "", response, request.RequestUri!, location);
            }

            request = new HttpRequestMessage(HttpMethod.Get, location);
        }

        throw new InvalidOperationException("The redirects do not end.");
    }

    [GeneratedRegex("""<form[^>]*action="(?<action>[^"]*)"[^>]*>(?<body>.*?)</form>""", RegexOptions.Singleline)]
    internal static partial Regex FormPattern();

    [GeneratedRegex("<(input|button)(?<attributes>[^>]*)>")]
    internal static partial Regex FieldPattern();

    [GeneratedRegex("""(?<name>[a-z\-]+)(="(?<value>[^"]*)")?""")]
    internal static partial Regex AttributePattern();
}

/// <param name="Left">Where the browser was sent outside this server; null on one of its pages.</param>
internal sealed record Page(int Status, string Html, HttpResponseMessage Response, Uri Address, Uri? Left)
{
    public IReadOnlyList<Form> Forms => [.. Browser.FormPattern().Matches(Html).Select(match => new Form(match.Groups["action"].Value, match.Groups["body"].Value))];

    public string Title => WebUtility.HtmlDecode(Regex.Match(Html, "<title>(.*?)</title>", RegexOptions.None, TimeSpan.FromSeconds(5)).Groups[1].Value);

    public string Text => WebUtility.HtmlDecode(Html);

    /// <summary>A parameter of the address at the app.</summary>
    public string? this[string name]
    {
        get
        {
            Assert.True(Left is not null, $"{Status} {Html}");
            return Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(Left.Query).TryGetValue(name, out var value) ? value.ToString() : null;
        }
    }

    public string Header(string name) => Response.Headers.TryGetValues(name, out var values) || Response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : "";

    /// <summary>An error page with that code: the browser went nowhere.</summary>
    public void AssertRefused(string code)
    {
        Assert.True(Left is null && Status == 400, $"{Status} {Left} {Html}");
        Assert.Contains(code, Html, StringComparison.Ordinal);
    }

    public void AssertSentBack(string error)
    {
        Assert.Equal(error, this["error"]);
        Assert.Null(this["code"]);
    }
}

internal sealed record Form(string Action, string Body)
{
    private List<Dictionary<string, string>> Inputs =>
        [.. Browser.FieldPattern().Matches(Body).Select(match => Browser.AttributePattern().Matches(match.Groups["attributes"].Value)
            .GroupBy(attribute => attribute.Groups["name"].Value, StringComparer.Ordinal)
            .ToDictionary(attribute => attribute.Key, attribute => WebUtility.HtmlDecode(attribute.First().Groups["value"].Value), StringComparer.Ordinal))];

    /// <summary>What is sent when nobody touches it; buttons apart.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields => [.. Inputs
        .Where(input => input.ContainsKey("name") && input.GetValueOrDefault("type") is not ("submit" or "radio") && (input.GetValueOrDefault("type") != "checkbox" || input.ContainsKey("checked")))
        .Select(input => (input["name"], input.GetValueOrDefault("value") ?? ""))];

    /// <summary>The values that a field offers: of ticks and radio buttons all.</summary>
    public IReadOnlyList<string> Offered(string name) => [.. Inputs.Where(input => input.GetValueOrDefault("name") == name).Select(input => input.GetValueOrDefault("value") ?? "")];

    public bool Has(string name, string value) => Inputs.Exists(input => input.GetValueOrDefault("name") == name && (input.GetValueOrDefault("type") != "submit" || input["value"] == value));
}
