using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;

namespace FhirIomt.Smart.Issuers;

/// <summary>Settings of one authorization server of somebody else (section <c>Issuers:0</c>, <c>Issuers:1</c>, …) whose JWT access tokens are taken, and how far it is trusted.</summary>
public sealed class IssuerOptions
{
    /// <summary>Exactly what its tokens say in iss.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What aud must say; the FHIR base when empty.</summary>
    public string? Audience { get; set; }

    /// <summary>Where its keys are; empty: where its OpenID discovery document says.</summary>
    public string? Jwks { get; set; }

    /// <summary>The most that its tokens can grant, separated by spaces; scopes beyond it are left out of a token.</summary>
    public string AllowedScopes { get; set; } = "";

    /// <summary>Whether its patient claim counts. Otherwise patient/ scopes work for patients only, on their own record.</summary>
    public bool MayAssertPatient { get; set; }

    /// <summary>The claim with the reference of the person's own resource; empty: people are known by 'fhiriomt user link' alone.</summary>
    public string? FhirUserClaim { get; set; } = "fhirUser";

    /// <summary>Of RS256, RS384, ES256 and ES384 those that it signs with.</summary>
    public string Algorithms { get; set; } = "RS256 RS384 ES256 ES384";

    public IEnumerable<string> Problems(string section, IndexPolicy policy)
    {
        if (!IsAddress(Issuer))
        {
            yield return $"{section}:Issuer must be an https address (http for a loopback address only), written exactly as its tokens have it.";
        }

        if (!string.IsNullOrEmpty(Jwks) && !IsAddress(Jwks))
        {
            yield return $"{section}:Jwks must be an https address (http for a loopback address only).";
        }

        if (Words(Algorithms).Count == 0 || Words(Algorithms).Any(one => one is not ("RS256" or "RS384" or "ES256" or "ES384")))
        {
            yield return $"{section}:Algorithms must be of RS256, RS384, ES256 and ES384.";
        }

        if (Words(AllowedScopes).Count == 0)
        {
            yield return $"{section}:AllowedScopes must name the scopes that its tokens may grant, such as 'patient/*.rs user/Observation.rs'.";
        }

        foreach (var scope in Words(AllowedScopes).Where(scope => scope != ScopeNames.FhirUser && !SmartScope.Parse(scope, policy).Succeeded))
        {
            yield return $"{section}:AllowedScopes: '{scope}' is neither a FHIR scope nor fhirUser; rights of this server are not for others to give.";
        }
    }

    internal static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback));

    internal static List<string> Words(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}

/// <summary>Those that are trusted; nobody else is.</summary>
public sealed record IssuerList(IReadOnlyList<IssuerOptions> Issuers);
