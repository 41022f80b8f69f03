using System.Text;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Jose;

namespace FhirIomt.Smart.Clients;

/// <summary>A client to register. Everything is checked here that can be, so that a mistake shows now and not at the first request.</summary>
/// <param name="Scopes">Separated by spaces.</param>
public sealed record NewClient(string Name, ClientType Type, string Scopes)
{
    private const int MaxNameLength = 100;

    /// <summary>A JWK Set, or the address of one.</summary>
    public string? Keys { get; init; }

    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    public string? LaunchUri { get; init; }

    public AssertionAudience AssertionAudience { get; init; }

    /// <summary>Whose it is: <c>Organization/1</c>, which must be stored.</summary>
    public string? Organization { get; init; }

    internal Outcome<ClientRegistration> Check(string clientId, IndexPolicy policy)
    {
        var scopes = Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToList();
        List<Issue> issues = [.. CheckNames(), .. CheckUris(), .. CheckScopes(scopes, policy)];
        var registration = new ClientRegistration(clientId, Name, Type, scopes) { RedirectUris = RedirectUris, LaunchUri = LaunchUri, AssertionAudience = AssertionAudience, Organization = Organization };
        if (Type == ClientType.Jwks && CheckKeys(registration).TryGetValue(out registration!, out var keyIssues) is false)
        {
            issues.AddRange(keyIssues);
        }

        return issues.Count > 0 ? Outcome<ClientRegistration>.Refused(issues) : registration;
    }

    private IEnumerable<Issue> CheckNames()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > MaxNameLength || Name.Any(char.IsControl))
        {
            yield return SmartIssues.BadClientName(MaxNameLength);
        }

        if (Type == ClientType.Jwks != Keys is not null)
        {
            yield return SmartIssues.KeysAndType();
        }
    }

    private IEnumerable<Issue> CheckUris()
    {
        foreach (var uri in RedirectUris.Where(uri => !RedirectUri.IsAcceptable(uri)))
        {
            yield return SmartIssues.BadRedirectUri(uri);
        }

        if (Type != ClientType.Jwks && RedirectUris.Count == 0)
        {
            yield return SmartIssues.NoRedirectUri();
        }

        if (LaunchUri is not null && (!RedirectUri.IsAcceptable(LaunchUri) || RedirectUri.Origin(LaunchUri) is null))
        {
            yield return SmartIssues.BadLaunchUri(LaunchUri);
        }
    }

    private IEnumerable<Issue> CheckScopes(List<string> scopes, IndexPolicy policy)
    {
        if (scopes.Count == 0)
        {
            yield return SmartIssues.NoScopes();
        }

        foreach (var scope in scopes)
        {
            if (ScopeNames.IsRight(scope))
            {
                if (Type == ClientType.Public || (Type == ClientType.Secret && scope != ScopeNames.IntrospectRight))
                {
                    yield return SmartIssues.NotForSuchAClient(scope);
                }
            }
            else if (ScopeNames.IsForPeople(scope))
            {
                if (RedirectUris.Count == 0)
                {
                    yield return SmartIssues.NotASystemScope(scope);
                }
            }
            else if (CheckFhirScope(scope, policy) is { } issue)
            {
                yield return issue;
            }
        }
    }

    private Issue? CheckFhirScope(string scope, IndexPolicy policy)
    {
        if (!SmartScope.Parse(scope, policy).TryGetValue(out var parsed, out var issues))
        {
            return issues[0];
        }

        if (parsed.Context == ScopeContext.System)
        {
            return Type == ClientType.Jwks ? null : SmartIssues.NotForSuchAClient(scope);
        }

        return RedirectUris.Count > 0 ? null : SmartIssues.NotASystemScope(scope);
    }

    private Outcome<ClientRegistration> CheckKeys(ClientRegistration client)
    {
        if (Uri.TryCreate(Keys, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
        {
            return uri.UserInfo.Length == 0 && (uri.Scheme == "https" || uri.IsLoopback) ? client with { JwksUri = uri } : SmartIssues.BadJwksUrl(Keys!);
        }

        return SigningKey.ParseSet(Encoding.UTF8.GetBytes(Keys ?? "")).TryGetValue(out _, out var issues)
            ? client with { Jwks = Keys }
            : Outcome<ClientRegistration>.Refused(issues);
    }
}
