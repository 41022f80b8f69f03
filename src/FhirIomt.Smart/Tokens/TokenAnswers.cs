using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Keys;
using FhirIomt.Smart.Users;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tokens;

internal sealed record GrantedTokens(FreshTokens Fresh, Grant Grant, UserAccount User, IReadOnlyList<string> Scopes);

/// <summary>What the token endpoint and introspection say about a grant, and id tokens.</summary>
internal sealed class TokenAnswers(ServerAddress address, IssuerKeys keys, TimeProvider time)
{
    /// <param name="isFirst">With an id token; a refresh gets none, since nobody logged in again.</param>
    public async Task WriteAsync(HttpContext context, GrantedTokens granted, bool isFirst)
    {
        var grant = granted.Grant;
        var note = AuditNote.Of(context);
        (note.UserId, note.FhirUser, note.Patient) = (granted.User.Id, granted.User.FhirUser, grant.Context.Patient);
        var idToken = isFirst && grant.Has(ScopeNames.OpenId) ? await IdTokenAsync(grant, granted.User, context.RequestAborted).ConfigureAwait(false) : null;
        OAuthResponse.NoStore(context.Response);
        context.Response.ContentType = "application/json; charset=utf-8";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        await using (writer.ConfigureAwait(false))
        {
            writer.WriteStartObject();
            writer.WriteString("access_token"u8, granted.Fresh.Access);
            writer.WriteString("token_type"u8, "bearer"u8);
            writer.WriteNumber("expires_in"u8, (int)AccessTokens.PersonLifetime.TotalSeconds);
            writer.WriteString("scope"u8, string.Join(' ', granted.Scopes));
            if (grant.IsOffline() || grant.IsOnline())
            {
                writer.WriteString("refresh_token"u8, granted.Fresh.Refresh);
            }

            if (idToken is not null)
            {
                writer.WriteString("id_token"u8, idToken);
            }

            WriteContext(writer, grant);
            writer.WriteEndObject();
        }
    }

    /// <summary>The launch context, the same in the token answer, after each refresh, and in introspection.</summary>
    public void WriteContext(Utf8JsonWriter writer, Grant grant)
    {
        var context = grant.Context;
        WriteIfAny(writer, "patient", context.Patient);
        WriteIfAny(writer, "encounter", context.Encounter);
        WriteIfAny(writer, "intent", context.Intent);
        if (context.FhirContext is { } fhirContext)
        {
            writer.WritePropertyName("fhirContext"u8);
            fhirContext.WriteTo(writer);
        }

        if (context.Patient is not null)
        {
            writer.WriteBoolean("need_patient_banner"u8, context.NeedPatientBanner);
        }

        writer.WriteString("smart_style_url"u8, address.SmartStyle);
    }

    public string? FhirUser(UserAccount user) => user.FhirUser is null ? null : $"{address.FhirBase}/{user.FhirUser}";

    /// <summary>The claims about the person that these scopes let a client have.</summary>
    public void WriteClaims(Utf8JsonWriter writer, Func<string, bool> has, UserAccount user)
    {
        writer.WriteString("sub"u8, user.Id);
        if (has(ScopeNames.FhirUser))
        {
            WriteIfAny(writer, "fhirUser", FhirUser(user));
        }

        // SMART's older way to say fhirUser was a claim "profile"; under the scope of that name clients look for both.
        if (has(ScopeNames.Profile))
        {
            WriteIfAny(writer, "profile", FhirUser(user));
            writer.WriteString("preferred_username"u8, user.Name);
        }
    }

    private async ValueTask<string> IdTokenAsync(Grant grant, UserAccount user, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("iss"u8, address.Issuer);
            WriteClaims(writer, grant.Has, user);
            writer.WriteString("aud"u8, grant.ClientId);
            writer.WriteNumber("iat"u8, now);
            writer.WriteNumber("exp"u8, now + (long)AccessTokens.PersonLifetime.TotalSeconds);
            writer.WriteNumber("auth_time"u8, grant.AuthTime.ToUnixTimeSeconds());
            WriteIfAny(writer, "nonce", grant.Nonce);
            writer.WriteEndObject();
        }

        return await keys.SignAsync(stream.ToArray(), cancellationToken).ConfigureAwait(false);
    }

    private static void WriteIfAny(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
