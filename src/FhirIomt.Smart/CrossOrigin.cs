using FhirIomt.Smart.Clients;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FhirIomt.Smart;

/// <summary>
/// Which pages of other origins may read answers: any those that say what the server is, those of registered public apps the FHIR API, tokens and userinfo,
/// none the rest. Never with credentials: cookies are for the login pages alone. Errors carry the headers too, or an app could not tell them apart.
/// </summary>
public sealed class CrossOrigin(RequestDelegate next, ClientDirectory clients)
{
    private const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
    private const string Headers = "authorization, content-type, accept, prefer, if-match, if-none-match, if-modified-since, if-none-exist, x-request-id";
    private const string Exposed = "Content-Location, Location, ETag, Last-Modified, Retry-After, X-Progress, WWW-Authenticate, X-Request-Id";

    private static readonly string[] ForAnyone =
    [
        "/fhir/metadata", "/fhir/.well-known/smart-configuration", "/fhir/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/fhir", "/.well-known/openid-configuration/fhir", "/auth/jwks", "/auth/smart-style.json",
    ];

    private static readonly string[] ForApps = ["/auth/token", "/auth/userinfo", "/auth/revoke"];

    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var isForAnyone = ForAnyone.Contains(path, StringComparer.Ordinal);
        var isForApps = ForApps.Contains(path, StringComparer.Ordinal) || path == "/fhir" || path.StartsWith("/fhir/", StringComparison.Ordinal);
        if (!isForAnyone && !isForApps)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        var origin = context.Request.Headers.Origin is [{ Length: > 0 and <= 512 } one] ? one : null;
        var allowed = isForAnyone ? "*" : origin is not null && await clients.IsOriginAsync(origin, context.RequestAborted).ConfigureAwait(false) ? origin : null;
        var isPreflight = HttpMethods.IsOptions(context.Request.Method) && origin is not null && context.Request.Headers.AccessControlRequestMethod.Count > 0;
        if (isPreflight)
        {
            Allow(context.Response.Headers, allowed, isForAnyone);
            Preflight(context.Response, allowed);
            return;
        }

        // When the answer starts: whoever failed in between has cleared the headers.
        context.Response.OnStarting(() =>
        {
            Allow(context.Response.Headers, allowed, isForAnyone);
            return Task.CompletedTask;
        });
        await next(context).ConfigureAwait(false);
    }

    private static void Preflight(HttpResponse response, string? allowed)
    {
        response.StatusCode = StatusCodes.Status204NoContent;
        if (allowed is not null)
        {
            response.Headers.AccessControlAllowMethods = Methods;
            response.Headers.AccessControlAllowHeaders = Headers;
            response.Headers.AccessControlMaxAge = "600";
        }
    }

    private static void Allow(IHeaderDictionary headers, string? allowed, bool isForAnyone)
    {
        if (!isForAnyone)
        {
            headers.Vary = StringValues.Concat(headers.Vary, "Origin");
        }

        if (allowed is not null)
        {
            headers.AccessControlAllowOrigin = allowed;
            headers.AccessControlExposeHeaders = Exposed;
        }
    }
}
