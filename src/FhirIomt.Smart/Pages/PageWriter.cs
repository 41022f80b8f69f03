using System.Text;
using FhirIomt.Core;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Pages;

/// <summary>Sends pages: no script but the one for passkeys where it is needed, no frame, nothing from elsewhere, kept by nobody.</summary>
internal sealed class PageWriter
{
    public static Texts TextsFor(HttpContext context, string? wanted = null) => Texts.For(wanted, context.Request.Headers.AcceptLanguage.ToString());

    /// <param name="hasPasskeys">The page has a form for passkeys, and loads the script for it.</param>
    /// <param name="redirectUri">Where a form of this page may lead in the end: browsers hold redirects after a form against form-action too.</param>
    public async Task WriteAsync(HttpContext context, Texts texts, string title, Html body, string? redirectUri = null, int status = StatusCodes.Status200OK, bool hasPasskeys = false)
    {
        var response = context.Response;
        var target = redirectUri is null ? "" : " " + RedirectUri.FormTarget(redirectUri);
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        OAuthResponse.NoStore(response);
        response.Headers.ContentSecurityPolicy = $"default-src 'none'; style-src 'self';{(hasPasskeys ? " script-src 'self';" : "")} base-uri 'none'; frame-ancestors 'none'; form-action 'self'{target}";
        response.Headers.XFrameOptions = "DENY";
        response.Headers["Referrer-Policy"] = "no-referrer";
        var page = Html.Of($"""
            <!DOCTYPE html>
            <html lang="{texts.Language}">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{title}</title>
            <link rel="stylesheet" href="/auth/style.css">
            {(hasPasskeys ? Html.Of($"<script src=\"/auth/passkeys.js\" defer></script>") : Html.Empty)}
            </head>
            <body>
            <main>
            {body}
            </main>
            </body>
            </html>
            """);
        await response.WriteAsync(page.Markup, Encoding.UTF8, context.RequestAborted).ConfigureAwait(false);
    }

    public Task ErrorAsync(HttpContext context, Issue issue)
    {
        var texts = TextsFor(context);
        var body = Html.Of($"""
            <h1>{texts["error.title"]}</h1>
            <p role="alert" class="error">{issue.Message}</p>
            <p>{issue.Fix}</p>
            <p class="hint">{texts.Format("error.code", issue.Code)}</p>
            """);
        return WriteAsync(context, texts, texts["error.title"], body, status: StatusCodes.Status400BadRequest);
    }
}
