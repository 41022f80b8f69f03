using System.Text.Json.Serialization;

namespace FhirIomt.Smart;

internal sealed record TokenAnswer(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] int ExpiresIn,
    [property: JsonPropertyName("scope")] string Scope);

internal sealed record ErrorAnswer(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description);

/// <summary>The conformance document of SMART App Launch 2.2 §8: what is on, nothing more.</summary>
internal sealed record SmartConfiguration(
    [property: JsonPropertyName("issuer")] string Issuer,
    [property: JsonPropertyName("token_endpoint")] string TokenEndpoint,
    [property: JsonPropertyName("grant_types_supported")] string[] GrantTypes,
    [property: JsonPropertyName("token_endpoint_auth_methods_supported")] string[] AuthMethods,
    [property: JsonPropertyName("token_endpoint_auth_signing_alg_values_supported")] string[] SigningAlgorithms,
    [property: JsonPropertyName("scopes_supported")] string[] Scopes,
    [property: JsonPropertyName("response_types_supported")] string[] ResponseTypes,
    [property: JsonPropertyName("code_challenge_methods_supported")] string[] CodeChallengeMethods,
    [property: JsonPropertyName("capabilities")] string[] Capabilities);

[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(SmartConfiguration))]
internal sealed partial class SmartJson : JsonSerializerContext;
