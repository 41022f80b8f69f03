using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;

namespace FhirIomt.Smart.Authorize;

/// <summary>An authorization request that was checked, until the person has decided. The browser carries only its id.</summary>
/// <param name="Scopes">What may be granted at most: asked for, registered, and possible here.</param>
/// <param name="Challenge">PKCE, S256.</param>
internal sealed record PendingAuthorization(string ClientId, string ClientName, string RedirectUri, string Challenge, IReadOnlyList<string> Scopes, DateTimeOffset At)
{
    /// <summary>Time for a login and a thought.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    public string? State { get; init; }

    public string? Nonce { get; init; }

    public bool IsSilent { get; init; }

    /// <summary>prompt=login.</summary>
    public bool WantsLogin { get; init; }

    public long? MaxAge { get; init; }

    public string? LoginHint { get; init; }

    public string? Languages { get; init; }

    /// <summary>Record of the EHR's launch; null when the app was started by itself.</summary>
    public string? Launch { get; init; }

    /// <summary>The user name that the launch is for.</summary>
    public string? LaunchUser { get; init; }

    public LaunchContext Context { get; init; } = new();

    /// <summary>Hash of the browser's secret, from its first page on: the address alone is no use in another browser.</summary>
    public string? Browser { get; init; }

    /// <summary>The patient for whom the person goes on without an encounter: for another one it is asked again.</summary>
    public string? WithoutEncounterOf { get; init; }

    /// <summary>An encounter is a patient's, so whoever asks for one gets that patient first.</summary>
    public bool NeedsPatient() => Launch is null && Scopes.Any(scope => scope is ScopeNames.LaunchPatient or ScopeNames.LaunchEncounter || scope.StartsWith("patient/", StringComparison.Ordinal));

    public bool NeedsEncounter() => Launch is null && Scopes.Contains(ScopeNames.LaunchEncounter, StringComparer.Ordinal);

    /// <summary>Whether this login is recent enough for prompt=login and max_age.</summary>
    public bool Accepts(Session session, DateTimeOffset now) =>
        (!WantsLogin || session.AuthTime >= At) && (MaxAge is not { } seconds || session.AuthTime >= At || now - session.AuthTime <= TimeSpan.FromSeconds(seconds));
}

/// <summary>A launch that an EHR announced (SMART App Launch 2.2 §2.1): for one client and one user, once, within five minutes.</summary>
internal sealed record LaunchTicket(string ClientId, string UserName, LaunchContext Context, DateTimeOffset Until, bool IsUsed = false)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>The record outlives it, so that a login may take its time after the launch was shown.</summary>
    public static readonly TimeSpan Kept = Lifetime + PendingAuthorization.Lifetime;
}
