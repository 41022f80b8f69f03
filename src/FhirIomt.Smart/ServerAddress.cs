namespace FhirIomt.Smart;

/// <summary>
/// The address that the outside knows the server by. Configured, never taken from a request: a forged Host header must not reach a link, an issuer
/// or an audience.
/// </summary>
/// <param name="Root">Without a trailing slash, for example <c>http://127.0.0.1:8080</c>.</param>
public sealed record ServerAddress(string Root)
{
    public string FhirBase => $"{Root}/fhir";

    public string Issuer => FhirBase;

    public string TokenEndpoint => $"{Root}/auth/token";

    public string AuthorizationEndpoint => $"{Root}/auth/authorize";

    public string UserInfoEndpoint => $"{Root}/auth/userinfo";

    public string IntrospectionEndpoint => $"{Root}/auth/introspect";

    public string RevocationEndpoint => $"{Root}/auth/revoke";

    /// <summary>Where a person sees and ends what apps may do.</summary>
    public string Account => $"{Root}/account";

    public string JwksUri => $"{Root}/auth/jwks";

    public string SmartStyle => $"{Root}/auth/smart-style.json";

    public string DeviceMessages => $"{Root}/devices/messages";
}
