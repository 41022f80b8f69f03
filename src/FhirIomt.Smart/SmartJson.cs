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

internal sealed record LaunchAnswer(
    [property: JsonPropertyName("launch")] string Launch,
    [property: JsonPropertyName("expires_in")] int ExpiresIn);

internal sealed record IssuesAnswer([property: JsonPropertyName("issues")] IssueAnswer[] Issues);

/// <summary>The form that device receipts have too.</summary>
internal sealed record IssueAnswer(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("expression")] string? Expression,
    [property: JsonPropertyName("fix")] string? Fix);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(LaunchAnswer))]
[JsonSerializable(typeof(IssuesAnswer))]
internal sealed partial class SmartJson : JsonSerializerContext;
