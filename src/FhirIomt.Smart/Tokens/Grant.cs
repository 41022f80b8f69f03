using System.Text.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Tokens;

/// <summary>Where an app was launched: SMART App Launch 2.2 §4, as the token answer repeats it.</summary>
internal sealed record LaunchContext
{
    public string? Patient { get; init; }

    public string? Encounter { get; init; }

    public string? Intent { get; init; }

    public JsonElement? FhirContext { get; init; }

    public bool NeedPatientBanner { get; init; } = true;
}

/// <summary>
/// What a person allowed a client. Everything that came of it (codes, access tokens, refresh tokens) names it and is over when it is gone: taking back a
/// grant is deleting one record.
/// </summary>
/// <param name="UserStamp">The account's at that time; another password ends the grant.</param>
/// <param name="Session">Where it was granted; online_access ends with that.</param>
internal sealed record Grant(string Id, string ClientId, string UserName, string UserStamp, string Session, IReadOnlyList<string> Scopes, DateTimeOffset AuthTime)
{
    // SMART (g)(10) asks for at least three months without the person; each use begins it anew.
    private static readonly TimeSpan OfflineLifetime = TimeSpan.FromDays(180);

    public string? Nonce { get; init; }

    public LaunchContext Context { get; init; } = new();

    public bool Has(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);

    public bool IsOffline() => Has(ScopeNames.OfflineAccess);

    public bool IsOnline() => !IsOffline() && Has(ScopeNames.OnlineAccess);

    public DateTimeOffset End(DateTimeOffset now) => now + (IsOffline() ? OfflineLifetime : IsOnline() ? Sessions.Lifetime : AccessTokens.PersonLifetime);

    /// <summary>Whether it still counts, given its user's account and, for online access, its session.</summary>
    public bool IsAlive(UserAccount? user, bool hasSession) => user is { Disabled: false } && user.Stamp == UserStamp && (hasSession || !IsOnline());

    public StoredRecord ToRecord(DateTimeOffset end) => Records.Of(RecordKind.Grant, Id, this, Records.Default.Grant, end);

    public static Grant FromRecord(StoredRecord record) => Records.Read(record, Records.Default.Grant);

    /// <summary>The grant with its user inside a transaction; null when it does not count any more.</summary>
    public static (Grant Grant, UserAccount User)? Find(IWriteTransaction transaction, string id)
    {
        if (transaction.FindRecord(RecordKind.Grant, id) is not { } record)
        {
            return null;
        }

        var grant = FromRecord(record);
        var user = transaction.FindRecord(RecordKind.User, grant.UserName) is { } account ? UserAccount.FromRecord(account) : null;
        return grant.IsAlive(user, transaction.FindRecord(RecordKind.Session, grant.Session) is not null) ? (grant, user!) : null;
    }
}

/// <param name="Challenge">PKCE, S256.</param>
/// <param name="Until">It may be redeemed; the record stays longer, so that a second try is known as one.</param>
internal sealed record IssuedCode(string Grant, string ClientId, string RedirectUri, string Challenge, DateTimeOffset Until, bool IsUsed = false);

internal sealed record RefreshToken(string Grant, string ClientId, bool IsUsed = false);

/// <param name="Grant">Null for a backend service's.</param>
internal sealed record AccessTokenBody(string ClientId, string Scope, string? Grant = null, DateTimeOffset? IssuedAt = null);

/// <summary>Endings that caches must hear of.</summary>
internal static class Revocations
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    public static StoredRecord Of(string what, DateTimeOffset now) => new(RecordKind.Revocation, what, Array.Empty<byte>(), now + Kept);

    public static void EndGrant(IWriteTransaction transaction, string grant, DateTimeOffset now)
    {
        transaction.DeleteRecord(RecordKind.Grant, grant);
        transaction.PutRecord(Of(grant, now));
    }
}
