using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Core;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Pages;

/// <summary>
/// Two cookies: the session, and a secret of the browser from which the antiforgery value of each form is made. Over https both have the __Host- prefix,
/// so that no other host and no plain http can set them. Lax: a page of elsewhere can lead here, but not post here with them.
/// </summary>
internal sealed class BrowserCookies(ServerAddress address, IdSource ids)
{
    /// <summary>The form field of the antiforgery value.</summary>
    public const string FormField = "form_key";

    private readonly bool _isHttps = address.Root.StartsWith("https://", StringComparison.Ordinal);

    private string SessionName => Name("session");

    private string BrowserName => Name("browser");

    public string? Session(HttpRequest request) => Read(request, SessionName);

    public void SetSession(HttpResponse response, string value) => response.Cookies.Append(SessionName, value, Options());

    public void ClearSession(HttpResponse response) => response.Cookies.Delete(SessionName, Options());

    public string? Browser(HttpRequest request) => Read(request, BrowserName);

    /// <summary>The browser's secret, made at the first page.</summary>
    public string EnsureBrowser(HttpContext context)
    {
        if (Browser(context.Request) is { } known)
        {
            return known;
        }

        var secret = ids.NewSecret();
        context.Response.Cookies.Append(BrowserName, secret, Options());
        return secret;
    }

    /// <summary>What a form of this purpose carries; to make one, the browser's secret is needed.</summary>
    public static string FormKey(string browser, string purpose) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(browser), Encoding.UTF8.GetBytes("form:" + purpose)));

    public bool IsOurForm(HttpRequest request, IFormCollection form, string purpose) =>
        Browser(request) is { } browser && form[FormField] is [{ } key] && Secrets.Same(key, FormKey(browser, purpose));

    private static string? Read(HttpRequest request, string name) => request.Cookies[name] is { Length: > 0 and <= 200 } value ? value : null;

    private string Name(string what) => (_isHttps ? "__Host-" : "") + "fhiriomt-" + what;

    private CookieOptions Options() => new() { HttpOnly = true, Secure = _isHttps, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true };
}
