using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tokens;

/// <summary>What can be asked about a token, and ending one: introspection (RFC 7662), revocation (RFC 7009), userinfo.</summary>
internal sealed class TokenInformation(IStore store, ClientAuthenticator authenticator, AccessTokens tokens, TokenAnswers answers, ServerAddress address, TimeProvider time)
{
    /// <summary>For a client that authenticates, or with a bearer token: about its own tokens, and with the right __introspect about all.</summary>
    public async Task IntrospectAsync(HttpContext context)
    {
        var (form, error) = await FormRequest.ReadAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        if (form is null)
        {
            await OAuthResponse.RefuseAsync(context, error!).ConfigureAwait(false);
            return;
        }

        var (asker, mayAskAll, refused) = await AskerAsync(context, form).ConfigureAwait(false);
        if (refused is not null || !form.TryGetValue("token", out var token))
        {
            await OAuthResponse.RefuseAsync(context, refused ?? TokenError.InvalidRequest("token is missing.")).ConfigureAwait(false);
            return;
        }

        AuditNote.Of(context).ClientId = asker;
        var grant = await tokens.ResolveAsync(token, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, writer => WriteIntrospection(writer, grant is not null && (mayAskAll || grant.Scope.ClientId == asker) ? grant : null)).ConfigureAwait(false);
    }

    /// <summary>Always 200 for a client that is known: whether there was such a token is nobody's business.</summary>
    public async Task RevokeAsync(HttpContext context)
    {
        var (form, error) = await FormRequest.ReadAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        if (form is null)
        {
            await OAuthResponse.RefuseAsync(context, error!).ConfigureAwait(false);
            return;
        }

        var (client, refused) = await authenticator.AuthenticateAsync(context.Request, form, context.RequestAborted).ConfigureAwait(false);
        if (client is null || !form.TryGetValue("token", out var token))
        {
            await OAuthResponse.RefuseAsync(context, refused ?? TokenError.InvalidRequest("token is missing.")).ConfigureAwait(false);
            return;
        }

        AuditNote.Of(context).ClientId = client.ClientId;

        // token_type_hint is only a hint: both kinds are looked for.
        await store.WriteAsync([new RevokeToken(token, client.ClientId, time.GetUtcNow())], context.RequestAborted).ConfigureAwait(false);
        OAuthResponse.NoStore(context.Response);
        context.Response.StatusCode = StatusCodes.Status200OK;
    }

    /// <summary>OpenID Connect Core §5.3.</summary>
    public async Task UserInfoAsync(HttpContext context)
    {
        var grant = Bearer(context.Request) is { } token ? await tokens.ResolveAsync(token, context.RequestAborted).ConfigureAwait(false) : null;
        if (grant?.User is not { } user || !grant.Has(ScopeNames.OpenId))
        {
            var isKnown = grant is not null;
            OAuthResponse.NoStore(context.Response);
            context.Response.StatusCode = isKnown ? StatusCodes.Status403Forbidden : StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = isKnown ? "Bearer error=\"insufficient_scope\", scope=\"openid\"" : context.Request.Headers.Authorization.Count == 0 ? "Bearer" : "Bearer error=\"invalid_token\"";
            await context.Response.WriteAsJsonAsync(
                isKnown ? new ErrorAnswer("insufficient_scope", "The token was not granted openid.") : new ErrorAnswer("invalid_token", "Send a valid access token as Authorization: Bearer."),
                SmartJson.Default.ErrorAnswer, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            return;
        }

        (AuditNote.Of(context).ClientId, AuditNote.Of(context).UserId) = (grant.Scope.ClientId, user.Id);
        await WriteAsync(context, writer => answers.WriteClaims(writer, grant.Has, user)).ConfigureAwait(false);
    }

    internal static string? Bearer(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        return request.Headers.Authorization is [{ Length: <= 8192 } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }

    private async ValueTask<(string? ClientId, bool MayAskAll, TokenError? Refused)> AskerAsync(HttpContext context, Dictionary<string, string> form)
    {
        if (Bearer(context.Request) is { } bearer)
        {
            return await tokens.ResolveAsync(bearer, context.RequestAborted).ConfigureAwait(false) is { } grant
                ? (grant.Scope.ClientId, grant.Has(ScopeNames.IntrospectRight), null)
                : (null, false, TokenError.InvalidClient("The bearer token is not valid."));
        }

        var (client, refused) = await authenticator.AuthenticateAsync(context.Request, form, context.RequestAborted).ConfigureAwait(false);

        // A public client's name is no authentication: anybody could ask.
        return client is null or { Type: ClientType.Public }
            ? (null, false, refused ?? TokenError.InvalidClient("A public client asks with its access token as bearer."))
            : (client.ClientId, client.Scopes.Contains(ScopeNames.IntrospectRight, StringComparer.Ordinal), null);
    }

    private void WriteIntrospection(Utf8JsonWriter writer, TokenGrant? token)
    {
        writer.WriteBoolean("active"u8, token is not null);
        if (token is null)
        {
            return;
        }

        writer.WriteString("scope"u8, string.Join(' ', token.Names));
        writer.WriteString("client_id"u8, token.Scope.ClientId);
        writer.WriteString("token_type"u8, "bearer"u8);
        writer.WriteNumber("exp"u8, token.ExpiresAt.ToUnixTimeSeconds());
        if (token.IssuedAt is { } issued)
        {
            writer.WriteNumber("iat"u8, issued.ToUnixTimeSeconds());
        }

        if (token.Grant is not { } grant)
        {
            return;
        }

        answers.WriteContext(writer, grant);
        if (grant.Has(ScopeNames.OpenId))
        {
            writer.WriteString("iss"u8, address.Issuer);
            answers.WriteClaims(writer, grant.Has, token.User!);
        }
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        OAuthResponse.NoStore(context.Response);
        context.Response.ContentType = "application/json; charset=utf-8";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        await using (writer.ConfigureAwait(false))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
    }
}
