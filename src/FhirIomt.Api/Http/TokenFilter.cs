using FhirIomt.Access;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>Turns the bearer token into an <see cref="AccessScope"/> before any handler runs; without one there is no handler.</summary>
internal sealed class TokenFilter(AccessTokens tokens) : IEndpointFilter
{
    // An opaque token of ours has 43 characters.
    private const int MaxTokenLength = 4096;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var token = BearerOf(http.Request);
        if (token is null)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            await FhirResponse.RefuseAsync(http, StatusCodes.Status401Unauthorized, [ApiIssues.TokenMissing()]).ConfigureAwait(false);
            return Results.Empty;
        }

        if (await tokens.ResolveAsync(token, http.RequestAborted).ConfigureAwait(false) is not { } grant)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            await FhirResponse.RefuseAsync(http, StatusCodes.Status401Unauthorized, [ApiIssues.TokenInvalid()]).ConfigureAwait(false);
            return Results.Empty;
        }

        http.Features.Set(grant);
        return await next(context).ConfigureAwait(false);
    }

    /// <summary>One Authorization header with the Bearer scheme; a token anywhere else (query, form) does not count.</summary>
    public static string? BearerOf(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || value.Length > MaxTokenLength || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var token = value[Scheme.Length..].Trim();
        return token.Length > 0 ? token : null;
    }
}

internal static class TokenGrantFeature
{
    /// <summary>The scope of the request; asking where no token was checked is a bug and fails closed.</summary>
    public static AccessScope AccessScope(this HttpContext context) =>
        context.Features.Get<TokenGrant>()?.Scope ?? throw new InvalidOperationException("This endpoint has no token filter.");
}
