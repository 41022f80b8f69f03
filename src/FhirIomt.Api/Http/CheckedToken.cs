using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>What the request's token stands for, looked up once: limits on requests ask before the endpoint does. It opens nothing; the endpoint's filter decides.</summary>
public sealed record CheckedToken(string Token, TokenGrant Grant)
{
    public static async ValueTask<TokenGrant?> ResolveAsync(HttpContext context, AccessTokens tokens, string token)
    {
        if (context.Features.Get<CheckedToken>() is { } known && known.Token == token)
        {
            return known.Grant;
        }

        var grant = await tokens.ResolveAsync(token, context.RequestAborted).ConfigureAwait(false);
        if (grant is not null)
        {
            context.Features.Set(new CheckedToken(token, grant));
        }

        return grant;
    }
}
