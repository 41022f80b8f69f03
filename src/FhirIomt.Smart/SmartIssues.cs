using FhirIomt.Core;

namespace FhirIomt.Smart;

/// <summary>Refusals when clients are registered: IOMT-0810 to IOMT-0819.</summary>
internal static class SmartIssues
{
    public static Issue PrivateKeyInSet() =>
        Issue.Error(IssueKind.Security, "IOMT-0810", "The key set holds a private or symmetric key.", "keys", "Register public keys only, and stop using this key: it has been shown.");

    public static Issue NoUsableKey() =>
        Issue.Error(IssueKind.Value, "IOMT-0811", "The key set holds no key that can be used.", "keys", "Give a JWK Set with an RSA key (2048 bits or more) or an EC P-384 key, each with a kid.");

    public static Issue BadJwksUrl(string url) =>
        Issue.Error(IssueKind.Value, "IOMT-0812", $"'{url}' cannot be a key set's address.", "jwks", "Give an https URL (http is taken for a loopback address only).");

    public static Issue NoScopes() =>
        Issue.Error(IssueKind.Required, "IOMT-0813", "The client has no scope.", "scopes", "Name at least one, for example system/Observation.rs.");

    public static Issue NotASystemScope(string scope) =>
        Issue.Error(IssueKind.Value, "IOMT-0814", $"'{scope}' cannot be granted to a backend service.", "scopes", "Use system/ scopes, or __operator.");
}
