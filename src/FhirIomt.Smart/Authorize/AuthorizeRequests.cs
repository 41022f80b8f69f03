using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Tokens;
using FhirIomt.Storage;
using Microsoft.Extensions.Primitives;

namespace FhirIomt.Smart.Authorize;

/// <summary>Checks an authorization request: an ordered list. First what decides whether the client may be told anything at all, then what the client is told.</summary>
internal sealed class AuthorizeRequests(ClientDirectory clients, IStore store, ServerAddress address, IndexPolicy policy, TimeProvider time)
{
    // It comes back in an address, which some proxies cut at 8 kB.
    private const int LongestState = 4096;
    private const int LongestText = 1024;

    public async ValueTask<AuthorizeVerdict> CheckAsync(IReadOnlyList<KeyValuePair<string, StringValues>> parameters, CancellationToken cancellationToken)
    {
        if (parameters.FirstOrDefault(parameter => parameter.Value.Count != 1) is { Key: not null } repeated)
        {
            return new AuthorizeVerdict.ShowError(AuthorizeIssues.Repeated(repeated.Key));
        }

        var given = parameters.Where(parameter => parameter.Value[0] is { Length: > 0 }).ToDictionary(parameter => parameter.Key, parameter => parameter.Value[0]!, StringComparer.Ordinal);
        var client = await clients.FindEnabledAsync(given.GetValueOrDefault("client_id") ?? "", cancellationToken).ConfigureAwait(false);
        if (client is null)
        {
            return new AuthorizeVerdict.ShowError(AuthorizeIssues.UnknownClient());
        }

        if (given.GetValueOrDefault("redirect_uri") is not { } redirectUri || !RedirectUri.Matches(client, redirectUri))
        {
            return new AuthorizeVerdict.ShowError(AuthorizeIssues.BadRedirectUri());
        }

        if (!IsHere(given.GetValueOrDefault("aud")) || (given.TryGetValue("resource", out var resource) && !IsHere(resource)))
        {
            return new AuthorizeVerdict.ShowError(AuthorizeIssues.BadAudience(address.FhirBase));
        }

        var state = given.GetValueOrDefault("state");
        if (state?.Length > LongestState)
        {
            return new AuthorizeVerdict.ShowError(AuthorizeIssues.StateTooLong(LongestState));
        }

        return CheckForm(given) is var (error, description)
            ? new AuthorizeVerdict.SendBack(redirectUri, state, error, description)
            : await AcceptAsync(client, redirectUri, given, cancellationToken).ConfigureAwait(false);
    }

    private static (string Error, string Description)? CheckForm(Dictionary<string, string> given)
    {
        if (given.ContainsKey("request"))
        {
            return ("request_not_supported", "Send the parameters themselves.");
        }

        if (given.ContainsKey("request_uri"))
        {
            return ("request_uri_not_supported", "Send the parameters themselves.");
        }

        if (given.GetValueOrDefault("response_type") is not { } responseType)
        {
            return ("invalid_request", "response_type is missing.");
        }

        if (responseType != "code")
        {
            return ("unsupported_response_type", "Only response_type=code is offered.");
        }

        if (given.GetValueOrDefault("response_mode") is not (null or "query"))
        {
            return ("invalid_request", "Only response_mode=query is offered.");
        }

        // Left out, the method would mean plain (RFC 7636 §4.3), which is no protection.
        if (given.GetValueOrDefault("code_challenge_method") != "S256" || given.GetValueOrDefault("code_challenge") is not { } challenge || !IsChallenge(challenge))
        {
            return ("invalid_request", "PKCE is needed: code_challenge_method=S256 and code_challenge of 43 characters, base64url without padding.");
        }

        return CheckOpenId(given);
    }

    private static (string Error, string Description)? CheckOpenId(Dictionary<string, string> given)
    {
        var prompts = Words(given.GetValueOrDefault("prompt"));
        if (!prompts.TrueForAll(prompt => prompt is "none" or "login" or "consent" or "select_account") || (prompts.Contains("none") && prompts.Count > 1))
        {
            return ("invalid_request", "prompt is none, or of login, consent and select_account.");
        }

        if (given.TryGetValue("max_age", out var age) && !long.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return ("invalid_request", "max_age is a number of seconds.");
        }

        return given.GetValueOrDefault("nonce")?.Length > LongestText || given.GetValueOrDefault("launch")?.Length > LongestText
            ? ("invalid_request", $"nonce and launch have at most {LongestText} characters.")
            : null;
    }

    private async ValueTask<AuthorizeVerdict> AcceptAsync(ClientRegistration client, string redirectUri, Dictionary<string, string> given, CancellationToken cancellationToken)
    {
        var state = given.GetValueOrDefault("state");
        AuthorizeVerdict Back(string error, string description) => new AuthorizeVerdict.SendBack(redirectUri, state, error, description);
        var asked = Words(given.GetValueOrDefault("scope")).Distinct(StringComparer.Ordinal).ToList();
        if (asked.Find(scope => IsFhirScope(scope) && !SmartScope.Parse(scope, policy).Succeeded) is not null)
        {
            return Back("invalid_scope", "A scope is not of the form context/Type.cruds, or narrows by something that is not offered.");
        }

        var launchValue = given.GetValueOrDefault("launch");
        if (launchValue is not null != asked.Contains(ScopeNames.Launch))
        {
            return Back("invalid_request", "The scope launch and the parameter launch belong together; an app that starts by itself asks for launch/patient.");
        }

        var launch = launchValue is null ? null : await FindLaunchAsync(client, launchValue, cancellationToken).ConfigureAwait(false);
        if (launchValue is not null && launch is null)
        {
            return Back("invalid_request", "The launch is not known, not for this app, over, or was used.");
        }

        var scopes = asked.Where(scope => client.AllowsForPerson(scope, policy) && IsPossible(scope, launch)).ToList();
        if (!scopes.Exists(scope => scope == ScopeNames.OpenId || IsFhirScope(scope)))
        {
            return Back("invalid_scope", "None of the scopes asked for is registered for this app and possible here.");
        }

        var prompts = Words(given.GetValueOrDefault("prompt"));
        return new AuthorizeVerdict.Accept(new PendingAuthorization(client.ClientId, client.Name, redirectUri, given["code_challenge"], scopes, time.GetUtcNow())
        {
            State = state,
            Nonce = given.GetValueOrDefault("nonce"),
            IsSilent = prompts.Contains("none"),
            WantsLogin = prompts.Contains("login") || prompts.Contains("select_account"),
            MaxAge = given.TryGetValue("max_age", out var age) ? Math.Min(long.Parse(age, CultureInfo.InvariantCulture), int.MaxValue) : null,
            LoginHint = given.GetValueOrDefault("login_hint") is { Length: <= 64 } hint ? hint : null,
            Languages = given.GetValueOrDefault("ui_locales") is { Length: <= 200 } languages ? languages : null,
            Launch = launch is null ? null : Secrets.Hash(launchValue!),
            LaunchUser = launch?.UserName,
            Context = launch?.Context ?? new LaunchContext(),
        });
    }

    private async ValueTask<LaunchTicket?> FindLaunchAsync(ClientRegistration client, string value, CancellationToken cancellationToken) =>
        await store.FindRecordAsync(RecordKind.Launch, Secrets.Hash(value), cancellationToken).ConfigureAwait(false) is { } record
            && Records.Read(record, Records.Default.LaunchTicket) is { IsUsed: false } ticket && ticket.ClientId == client.ClientId && ticket.Until > time.GetUtcNow()
            ? ticket
            : null;

    // An EHR's launch brings its patient or none: then nothing about one patient can be granted.
    private static bool IsPossible(string scope, LaunchTicket? launch) =>
        launch?.Context is not { Patient: null } || (scope != ScopeNames.LaunchPatient && !scope.StartsWith("patient/", StringComparison.Ordinal));

    private bool IsHere(string? audience) => audience is not null && (audience == address.FhirBase || audience == address.FhirBase + "/");

    // Extension scopes are absolute addresses (SMART App Launch 2.2 §3.5); they are not known here and left out.
    private static bool IsFhirScope(string scope) =>
        scope.Contains('/', StringComparison.Ordinal) && !scope.StartsWith("launch/", StringComparison.Ordinal) && !scope.StartsWith("http://", StringComparison.Ordinal) && !scope.StartsWith("https://", StringComparison.Ordinal);

    // S256 makes 32 bytes, which are 43 characters; the grammar allows up to 128.
    private static bool IsChallenge(string text) => text.Length is >= 43 and <= 128 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '~');

    private static List<string> Words(string? text) => [.. (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}
