namespace FhirIomt.Smart.Tokens;

/// <summary>A refusal of the token endpoint (RFC 6749 §5.2). Never 403: only 400 and 401 exist there.</summary>
internal sealed record TokenError(int Status, string Error, string Description)
{
    public static TokenError InvalidRequest(string description) => new(400, "invalid_request", description);

    public static TokenError InvalidScope(string description) => new(400, "invalid_scope", description);

    /// <summary>The same words for a code or refresh token that never was, is over, was used, or belongs to somebody else.</summary>
    public static TokenError InvalidGrant(string description) => new(400, "invalid_grant", description);

    public static TokenError UnauthorizedClient(string description) => new(400, "unauthorized_client", description);

    public static TokenError UnsupportedGrantType() => new(400, "unsupported_grant_type", "Use authorization_code, refresh_token or client_credentials.");

    /// <summary>SMART App Launch 2.2 asks for <c>invalid_client</c> on every failure to authenticate.</summary>
    public static TokenError InvalidClient(string description) => new(401, "invalid_client", description);
}
