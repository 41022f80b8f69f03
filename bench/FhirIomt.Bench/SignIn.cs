using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace FhirIomt.Bench;

/// <summary>A person's browser and their app in one: from the authorization request through the pages to the token.</summary>
internal sealed partial class SignIn(int port, string clientId) : IDisposable
{
    public const string Redirect = "https://app.example/callback";
    public const string User = "bench.clinician";
    public const string Password = "a password for benches";

    private const string Verifier = "0123456789-0123456789-0123456789-0123456789";

    private static readonly string Challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    /// <param name="patient">Chosen where the pages ask for one.</param>
    public async Task<string> TokenAsync(string scope, string? patient = null)
    {
        var query = $"response_type=code&client_id={clientId}&redirect_uri={Uri.EscapeDataString(Redirect)}&scope={Uri.EscapeDataString(scope)}&state=s&aud={Uri.EscapeDataString($"http://127.0.0.1:{port}/fhir")}&code_challenge={Challenge}&code_challenge_method=S256";
        var (page, left) = await FollowAsync(new HttpRequestMessage(HttpMethod.Get, $"/auth/authorize?{query}"));
        for (var step = 0; left is null && step < 4; step++)
        {
            (string Name, string Value)[] filled = page.Contains("action=\"/auth/login\"", StringComparison.Ordinal) ? [("username", User), ("password", Password)]
                : page.Contains("action=\"/auth/patient\"", StringComparison.Ordinal) ? [("patient", patient!), ("action", "choose")] : [("action", "allow")];
            var action = filled.Length == 1 ? "/auth/consent" : filled[0].Name == "username" ? "/auth/login" : "/auth/patient";
            (page, left) = await FollowAsync(new HttpRequestMessage(HttpMethod.Post, action) { Content = new FormUrlEncodedContent([.. Hidden(page, action), .. filled.Select(field => KeyValuePair.Create(field.Name, field.Value))]) });
        }

        var code = Regex.Match(left?.Query ?? "", "[?&]code=([^&]+)").Groups[1].Value;
        using var answer = await _http.PostAsync("/auth/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = Uri.UnescapeDataString(code),
            ["redirect_uri"] = Redirect,
            ["client_id"] = clientId,
            ["code_verifier"] = Verifier,
        }));
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
        return body.RootElement.TryGetProperty("access_token", out var token) ? token.GetString()! : throw new InvalidOperationException($"{left} {body.RootElement.GetRawText()}");
    }

    public void Dispose() => _http.Dispose();

    private async Task<(string Page, Uri? Left)> FollowAsync(HttpRequestMessage request)
    {
        while (true)
        {
            using var response = await _http.SendAsync(request);
            if (response.Headers.Location is not { } location)
            {
                return (await response.Content.ReadAsStringAsync(), null);
            }

            if (location.IsAbsoluteUri && location.Host != "127.0.0.1")
            {
                return ("", location);
            }

            request = new HttpRequestMessage(HttpMethod.Get, location);
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Hidden(string page, string action)
    {
        var form = FormPattern().Matches(page).Single(match => match.Groups[1].Value == action && (action != "/auth/patient" || match.Value.Contains("radio", StringComparison.Ordinal))).Value;
        return InputPattern().Matches(form).Where(input => input.Value.Contains("hidden", StringComparison.Ordinal) || (input.Value.Contains("checkbox", StringComparison.Ordinal) && input.Value.Contains(" checked", StringComparison.Ordinal)))
            .Select(input => KeyValuePair.Create(NamePattern().Match(input.Value).Groups[1].Value, WebUtility.HtmlDecode(ValuePattern().Match(input.Value).Groups[1].Value)));
    }

    [GeneratedRegex("<form[^>]*action=\"([^\"]*)\".*?</form>", RegexOptions.Singleline)]
    private static partial Regex FormPattern();

    [GeneratedRegex("<input[^>]*>")]
    private static partial Regex InputPattern();

    [GeneratedRegex(" name=\"([^\"]*)\"")]
    private static partial Regex NamePattern();

    [GeneratedRegex(" value=\"([^\"]*)\"")]
    private static partial Regex ValuePattern();
}
