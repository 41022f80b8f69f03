using FhirIomt.Access;
using FhirIomt.Repository.Deciding;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>Turns the bearer token into an <see cref="AccessScope"/> before any handler runs; without one there is no handler.</summary>
internal sealed class TokenFilter(AccessTokens tokens, AccessResolver access) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var token = BearerToken.Of(http.Request);
        if (token is null)
        {
            http.Response.Headers.WWWAuthenticate = BearerToken.Challenge(http.Request);
            await FhirResponse.RefuseAsync(http, StatusCodes.Status401Unauthorized, [ApiIssues.TokenMissing()]).ConfigureAwait(false);
            return Results.Empty;
        }

        if (await CheckedToken.ResolveAsync(http, tokens, token).ConfigureAwait(false) is not { } grant)
        {
            http.Response.Headers.WWWAuthenticate = BearerToken.Challenge(http.Request);
            await FhirResponse.RefuseAsync(http, StatusCodes.Status401Unauthorized, [ApiIssues.TokenInvalid()]).ConfigureAwait(false);
            return Results.Empty;
        }

        if (!(await access.ResolveAsync(grant.Scope, http.RequestAborted).ConfigureAwait(false)).TryGetValue(out var scope, out var issues))
        {
            await FhirResponse.RefuseAsync(http, StatusCodes.Status403Forbidden, issues).ConfigureAwait(false);
            return Results.Empty;
        }

        http.Features.Set(ReferenceEquals(scope, grant.Scope) ? grant : grant with { Scope = scope });
        return await next(context).ConfigureAwait(false);
    }
}

internal static class TokenGrantFeature
{
    /// <summary>The scope of the request; asking where no token was checked is a bug and fails closed.</summary>
    public static AccessScope AccessScope(this HttpContext context) =>
        context.Features.Get<TokenGrant>()?.Scope ?? throw new InvalidOperationException("This endpoint has no token filter.");
}
