using FhirIomt.Core;

namespace FhirIomt.Smart;

/// <summary>Refusals when clients and users are registered, launches announced, keys opened: IOMT-0810 to IOMT-0818 and IOMT-0822 to IOMT-0849.</summary>
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
        Issue.Error(IssueKind.Value, "IOMT-0814", $"'{scope}' cannot be granted to a client that people do not log in to.", "scopes", "Use system/ scopes and rights such as __operator, or register a redirect URI.");

    public static Issue BadRedirectUri(string uri) => Issue.Error(
        IssueKind.Value, "IOMT-0822", $"'{uri}' cannot be a redirect URI.", "redirect-uri", "Give an https URL without fragment (http for a loopback address only), or a scheme of your own such as org.example.app:/done.");

    public static Issue NoRedirectUri() =>
        Issue.Error(IssueKind.Required, "IOMT-0823", "The client has no redirect URI.", "redirect-uri", "Name at least one; only clients of type jwks can do without.");

    public static Issue KeysAndType() =>
        Issue.Error(IssueKind.Required, "IOMT-0824", "A client of type jwks has keys, and no other type has.", "jwks", "Give --jwks with --type jwks, and leave it out otherwise.");

    public static Issue NotForSuchAClient(string scope) =>
        Issue.Error(IssueKind.Value, "IOMT-0825", $"'{scope}' cannot be granted to a client of this type.", "scopes", "system/ scopes and rights need --type jwks (__introspect also takes secret).");

    public static Issue BadLaunchUri(string uri) =>
        Issue.Error(IssueKind.Value, "IOMT-0826", $"'{uri}' cannot be a launch URI.", "launch-uri", "Give an https URL (http for a loopback address only).");

    public static Issue NoSuchClient(string clientId) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0827", $"There is no client '{clientId}'.", "CLIENT_ID", "'fhiriomt client list' shows them.");

    public static Issue NoSuchOrganization(string reference) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0815", $"There is no '{reference}'.", "organization", "Store the Organization first, and name it as 'Organization/ID'.");

    public static Issue NoSecret(string clientId) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0828", $"There is no client '{clientId}' with a secret.", "CLIENT_ID", "'fhiriomt client list' shows the types.");

    public static Issue BadClientName(int longest) =>
        Issue.Error(IssueKind.Value, "IOMT-0829", "This cannot be a client's name: people read it when they are asked to allow it.", "NAME", $"Use 1 to {longest} characters.");

    public static Issue BadUserName() =>
        Issue.Error(IssueKind.Value, "IOMT-0830", "This cannot be a user name.", "NAME", "Use 1 to 64 letters a–z, digits, '.', '-', '_' and '@'.");

    public static Issue UserExists(string name) =>
        Issue.Error(IssueKind.Duplicate, "IOMT-0831", $"There is a user '{name}' already.", "NAME", "Choose another name, or set a new password with 'fhiriomt user password'.");

    public static Issue NoSuchUser(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0832", $"There is no user '{name}'.", "NAME", "'fhiriomt user list' shows them.");

    public static Issue BadFhirUser(string role) => Issue.Error(
        IssueKind.Value, "IOMT-0833", $"A {role} needs a reference to the resource that is this person.", "--fhir-user", "Write Patient/ID for a patient; Practitioner/ID, PractitionerRole/ID, RelatedPerson/ID, Person/ID or Patient/ID otherwise.");

    public static Issue WeakPassword(int shortest, int longest) =>
        Issue.Error(IssueKind.Value, "IOMT-0834", "The password is too short or too long, or is the user name.", "password", $"Use {shortest} to {longest} characters; several words are easier to keep than signs.");

    public static Issue NoSuchLink(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0836", $"The user '{name}' is not linked to that issuer and subject.", "NAME", "Write iss and sub exactly as they were linked.");

    public static Issue BadLaunch() =>
        Issue.Error(IssueKind.Invalid, "IOMT-0840", "The launch is not a JSON object of client_id, user, patient, encounter, intent, fhirContext, need_patient_banner.", fix: "Send application/json with at least client_id and user.");

    public static Issue NoLaunchRight() =>
        Issue.Error(IssueKind.Forbidden, "IOMT-0841", "The token has no right to announce launches.", "Authorization", "Register the EHR's client with the scope __launch and ask for it.");

    public static Issue UnknownLaunchClient() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0842", "There is no such app, it is disabled, or it is not registered for launch.", "client_id", "Give the client_id of an app with a redirect URI and the scope launch.");

    public static Issue UnknownLaunchUser() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0843", "There is no such user, or the account is disabled.", "user", "Give a user name as 'fhiriomt user add' took it, or a sub.");

    public static Issue UnknownLaunchResource(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0844", "There is no such resource.", name, "Give the id of a stored resource; the encounter must be the patient's.");

    public static Issue BadFhirContext() => Issue.Error(
        IssueKind.Value, "IOMT-0845", "fhirContext is not what SMART App Launch 2.2 describes.", "fhirContext", "An array of objects with reference, canonical or identifier; Patient and Encounter only with a role other than launch.");

    public static Issue LaunchTokenInvalid() =>
        Issue.Error(IssueKind.Login, "IOMT-0846", "The request has no valid access token.", "Authorization", "Send 'Authorization: Bearer TOKEN' with a backend token that has the scope __launch.");

    public static Issue KeyRingUnreadable() => Issue.Error(
        IssueKind.Security, "IOMT-0848", "The signing keys in the store are encrypted, and Auth:KeyEncryptionKey does not open them.", "Auth:KeyEncryptionKey", "Configure the key they were encrypted with.");
}
