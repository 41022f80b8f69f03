using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tokens;

/// <summary><c>POST /auth/token</c>: a code, a refresh token, or a backend service's own right becomes an access token.</summary>
internal sealed class TokenEndpoint(IStore store, ClientAuthenticator authenticator, AccessTokens tokens, TokenAnswers answers, TokenParts parts)
{
    // RFC 7636 §4.1.
    private const int ShortestVerifier = 43;
    private const int LongestVerifier = 128;

    public async Task HandleAsync(HttpContext context)
    {
        var (form, error) = await FormRequest.ReadAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        if (form is not null)
        {
            error = await GrantAsync(context, form).ConfigureAwait(false);
        }

        if (error is not null)
        {
            await OAuthResponse.RefuseAsync(context, error).ConfigureAwait(false);
        }
    }

    // Null when it was answered.
    private async Task<TokenError?> GrantAsync(HttpContext context, Dictionary<string, string> form)
    {
        if (form.GetValueOrDefault("grant_type") is not { Length: > 0 } grantType)
        {
            return TokenError.InvalidRequest("grant_type is missing.");
        }

        var (client, failure) = await authenticator.AuthenticateAsync(context.Request, form, context.RequestAborted).ConfigureAwait(false);
        if (client is null)
        {
            return failure;
        }

        var note = AuditNote.Of(context);
        (note.ClientId, note.Request) = (client.ClientId, SmartAudit.Kept("/auth/token", form));
        return grantType switch
        {
            "authorization_code" => await RedeemAsync(context, client, form).ConfigureAwait(false),
            "refresh_token" => await RefreshAsync(context, client, form).ConfigureAwait(false),
            "client_credentials" => await ServeBackendAsync(context, client, form.GetValueOrDefault("scope")).ConfigureAwait(false),
            _ => TokenError.UnsupportedGrantType(),
        };
    }

    private async Task<TokenError?> RedeemAsync(HttpContext context, ClientRegistration client, Dictionary<string, string> form)
    {
        if (form.GetValueOrDefault("code") is not { Length: > 0 } code || form.GetValueOrDefault("redirect_uri") is not { Length: > 0 } redirectUri)
        {
            return TokenError.InvalidRequest("code and redirect_uri are needed.");
        }

        if (form.GetValueOrDefault("code_verifier") is not { Length: >= ShortestVerifier and <= LongestVerifier } verifier)
        {
            return TokenError.InvalidGrant($"code_verifier is needed: {ShortestVerifier} to {LongestVerifier} characters.");
        }

        var fresh = parts.NewTokens();
        var redeem = new RedeemCode(code, client.ClientId, redirectUri, verifier, fresh, parts.Now);
        await store.WriteAsync([redeem], context.RequestAborted).ConfigureAwait(false);
        if (redeem.Redeemed is not var (grant, user))
        {
            return TokenError.InvalidGrant("The code is not valid, is over, was used before, or does not belong to this client, redirect_uri and code_verifier.");
        }

        await answers.WriteAsync(context, new GrantedTokens(fresh, grant, user, grant.Scopes), isFirst: true).ConfigureAwait(false);
        return null;
    }

    private async Task<TokenError?> RefreshAsync(HttpContext context, ClientRegistration client, Dictionary<string, string> form)
    {
        if (form.GetValueOrDefault("refresh_token") is not { Length: > 0 } token)
        {
            return TokenError.InvalidRequest("refresh_token is missing.");
        }

        var fresh = parts.NewTokens();
        var rotate = new RotateRefresh(token, client.ClientId, grant => Narrow(client, grant, form.GetValueOrDefault("scope")), fresh, parts.Now);
        await store.WriteAsync([rotate], context.RequestAborted).ConfigureAwait(false);
        if (rotate.IsTooWide)
        {
            return TokenError.InvalidScope("More is asked for than was granted. Leave scope out to get all of it.");
        }

        if (rotate.Rotated is not var (grant, user))
        {
            return TokenError.InvalidGrant("The refresh token is not valid, is over, was used before, or does not belong to this client.");
        }

        await answers.WriteAsync(context, new GrantedTokens(fresh, grant, user, rotate.Scopes), isFirst: false).ConfigureAwait(false);
        return null;
    }

    // Less is for this access token only: the grant, and the next refresh token, stay as wide as they were (RFC 6749 §6).
    private IReadOnlyList<string>? Narrow(ClientRegistration client, Grant grant, string? scope)
    {
        var asked = (scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToList();
        if (asked.Count == 0)
        {
            return grant.Scopes;
        }

        var granted = client with { Scopes = grant.Scopes };
        return asked.TrueForAll(one => granted.Allows(one, parts.Policy)) ? asked : null;
    }

    /// <summary>What is asked for and registered; more than is registered is left out, nothing in common is refused.</summary>
    private async Task<TokenError?> ServeBackendAsync(HttpContext context, ClientRegistration client, string? requested)
    {
        // A shared secret is not enough to act without a person (SMART App Launch 2.2, Backend Services).
        if (client.Type != ClientType.Jwks)
        {
            return TokenError.UnauthorizedClient("client_credentials is for clients that sign their assertions.");
        }

        var asked = (requested ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (asked.Length == 0)
        {
            return TokenError.InvalidScope("Name the scopes you need, for example system/Observation.rs.");
        }

        var granted = asked.Where(scope => client.AllowsForItself(scope, parts.Policy)).Distinct(StringComparer.Ordinal).ToList();
        if (granted.Count == 0)
        {
            return TokenError.InvalidScope("None of the scopes asked for is registered for this client.");
        }

        var scope = string.Join(' ', granted);
        var token = await tokens.IssueAsync(client.ClientId, scope, context.RequestAborted).ConfigureAwait(false);
        OAuthResponse.NoStore(context.Response);
        await context.Response.WriteAsJsonAsync(new TokenAnswer(token, "bearer", (int)AccessTokens.Lifetime.TotalSeconds, scope), SmartJson.Default.TokenAnswer, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return null;
    }
}

/// <summary>What making tokens needs of its surroundings.</summary>
internal sealed class TokenParts(IndexPolicy policy, IdSource ids, TimeProvider time)
{
    public IndexPolicy Policy => policy;

    public DateTimeOffset Now => time.GetUtcNow();

    public FreshTokens NewTokens() => new(ids.NewSecret(), ids.NewSecret());
}
