using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Keys;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart;

/// <summary>
/// What is on, nothing more: the conformance document of SMART App Launch 2.2 §8, OpenID Connect Discovery, and RFC 8414, which say the same about the same
/// server. JSON whatever is accepted.
/// </summary>
internal sealed class Discovery(ServerAddress address, IssuerKeys keys)
{
    private static readonly string[] Capabilities =
    [
        "launch-standalone", "launch-ehr", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect",
        "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter",
        "permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2",
    ];

    private static readonly string[] Scopes =
    [
        .. ScopeNames.ForPeople, "patient/*.rs", "patient/*.cruds", "patient/Patient.rs", "patient/Observation.rs", "patient/Device.rs", "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
        "user/*.rs", "user/*.cruds", "user/Patient.rs", "user/Observation.rs", "system/*.cruds", "system/*.rs", "system/Patient.rs", "system/Device.rs", "system/Observation.rs",
    ];

    public Task SmartAsync(HttpContext context) => WriteAsync(context, writer =>
    {
        WriteShared(writer);
        WriteTexts(writer, "capabilities", Capabilities);
    });

    public Task OpenIdAsync(HttpContext context) => WriteAsync(context, writer =>
    {
        WriteShared(writer);
        writer.WriteString("userinfo_endpoint"u8, address.UserInfoEndpoint);
        WriteTexts(writer, "response_modes_supported", ["query"]);
        WriteTexts(writer, "subject_types_supported", ["public"]);
        WriteTexts(writer, "id_token_signing_alg_values_supported", ["RS256"]);
        WriteTexts(writer, "claims_supported", ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser", "profile", "preferred_username"]);
        WriteTexts(writer, "prompt_values_supported", ["none", "login", "consent", "select_account"]);
        writer.WriteBoolean("claims_parameter_supported"u8, value: false);
        writer.WriteBoolean("request_parameter_supported"u8, value: false);
        writer.WriteBoolean("request_uri_parameter_supported"u8, value: false);
    });

    public async Task KeysAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";

        // A new key signs at once: who does not find a kid fetches again, the others may keep the set this long.
        context.Response.Headers.CacheControl = "public, max-age=300";
        await context.Response.BodyWriter.WriteAsync(await keys.PublicSetAsync(context.RequestAborted).ConfigureAwait(false), context.RequestAborted).ConfigureAwait(false);
    }

    private void WriteShared(Utf8JsonWriter writer)
    {
        writer.WriteString("issuer"u8, address.Issuer);
        writer.WriteString("jwks_uri"u8, address.JwksUri);
        writer.WriteString("authorization_endpoint"u8, address.AuthorizationEndpoint);
        writer.WriteString("token_endpoint"u8, address.TokenEndpoint);
        writer.WriteString("introspection_endpoint"u8, address.IntrospectionEndpoint);
        writer.WriteString("revocation_endpoint"u8, address.RevocationEndpoint);
        writer.WriteString("management_endpoint"u8, address.Account);
        WriteTexts(writer, "grant_types_supported", ["authorization_code", "refresh_token", "client_credentials"]);
        WriteTexts(writer, "response_types_supported", ["code"]);
        WriteTexts(writer, "code_challenge_methods_supported", ["S256"]);
        foreach (var endpoint in (ReadOnlySpan<string>)["token", "introspection", "revocation"])
        {
            WriteTexts(writer, endpoint + "_endpoint_auth_methods_supported", endpoint == "introspection" ? ["client_secret_basic", "client_secret_post", "private_key_jwt"] : ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
            WriteTexts(writer, endpoint + "_endpoint_auth_signing_alg_values_supported", ["RS384", "ES384"]);
        }

        WriteTexts(writer, "scopes_supported", Scopes);
        writer.WriteBoolean("authorization_response_iss_parameter_supported"u8, value: true);
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, ReadOnlySpan<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        await using (writer.ConfigureAwait(false))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
    }
}
