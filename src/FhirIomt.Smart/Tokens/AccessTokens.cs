using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Issuers;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Tokens;

/// <summary>What a token lets its bearer do.</summary>
/// <param name="Names">All scopes it carries, those that are no FHIR scopes too.</param>
public sealed record TokenGrant(AccessScope Scope, IReadOnlyList<string> Names, DateTimeOffset ExpiresAt)
{
    /// <summary>It carries <see cref="ScopeNames.OperatorRight"/>.</summary>
    public bool IsOperator => Has(ScopeNames.OperatorRight);

    internal DateTimeOffset? IssuedAt { get; init; }

    internal Grant? Grant { get; init; }

    internal UserAccount? User { get; init; }

    internal bool Has(string scope) => Names.Contains(scope, StringComparer.Ordinal);
}

/// <summary>
/// Opaque access tokens: 256 random bits, kept as a hash. What a token stands for is remembered until the store's generations move, so a change to a
/// client, a user or a grant acts at once here and within a second elsewhere.
/// </summary>
public sealed class AccessTokens(IStore store, IndexPolicy policy, ExternalTokens external, IdSource ids, TimeProvider time)
{
    /// <summary>SMART Backend Services: at most five minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>SMART App Launch: at most an hour.</summary>
    public static readonly TimeSpan PersonLifetime = TimeSpan.FromHours(1);

    private const int MaxRemembered = 20_000;

    // Clients and users are configuration, the end of a grant or session is access: what a token stands for hangs on both. Adding loses nothing: both only grow,
    // and the second number's steps are beyond what the first can reach.
    private readonly GenerationCache<TokenGrant> _grants = new(() => store.Generation + (store.AccessGeneration << 32), MaxRemembered);

    /// <summary>Makes a backend service's token; it is durable before it is answered.</summary>
    public async Task<string> IssueAsync(string clientId, string scope, CancellationToken cancellationToken)
    {
        var token = ids.NewSecret();
        var now = time.GetUtcNow();
        var record = Records.Of(RecordKind.Token, Secrets.Hash(token), new AccessTokenBody(clientId, scope, IssuedAt: now), Records.Default.AccessTokenBody, now + Lifetime);
        await store.WriteAsync([new Change([record])], cancellationToken).ConfigureAwait(false);
        return token;
    }

    /// <summary>What the token stands for, or null when it is unknown, expired or taken back, or its client or user is gone.</summary>
    public async ValueTask<TokenGrant?> ResolveAsync(string token, CancellationToken cancellationToken)
    {
        // Ours hold no dot; a JWT holds two.
        if (token.Contains('.', StringComparison.Ordinal))
        {
            return await external.ResolveAsync(token, cancellationToken).ConfigureAwait(false) is { } stranger && stranger.ExpiresAt > time.GetUtcNow() ? stranger : null;
        }

        var remembered = _grants.Now();
        if (!remembered.TryGet(token, out var grant))
        {
            grant = await LookUpAsync(token, cancellationToken).ConfigureAwait(false);
            if (grant is null)
            {
                return null;
            }

            remembered.Remember(token, grant);
        }

        return grant.ExpiresAt > time.GetUtcNow() ? grant : null;
    }

    private async ValueTask<TokenGrant?> LookUpAsync(string token, CancellationToken cancellationToken)
    {
        if (await store.FindRecordAsync(RecordKind.Token, Secrets.Hash(token), cancellationToken).ConfigureAwait(false) is not { } record)
        {
            return null;
        }

        var body = Records.Read(record, Records.Default.AccessTokenBody);
        if (await store.FindRecordAsync(RecordKind.Client, body.ClientId, cancellationToken).ConfigureAwait(false) is not { } registration
            || ClientRegistration.FromRecord(registration) is var client && client.IsDisabled)
        {
            return null;
        }

        var (grant, user) = body.Grant is null ? default : await FindGrantAsync(body.Grant, cancellationToken).ConfigureAwait(false);
        if (body.Grant is not null && grant is null)
        {
            return null;
        }

        // What the registration no longer covers, the token no longer grants.
        var names = body.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(name => client.Allows(name, policy)).ToList();
        return new TokenGrant(Scope(record.Id[^32..], client, names, grant, user), names, EndOf(record, grant)) { IssuedAt = body.IssuedAt, Grant = grant, User = user };
    }

    private AccessScope Scope(string reference, ClientRegistration client, List<string> names, Grant? grant, UserAccount? user) => new()
    {
        Actor = user is null ? $"client/{client.ClientId}" : $"user/{user.Id}",
        ClientId = client.ClientId,
        TokenReference = reference,
        User = user?.ToAccessUser() is { } person ? person with { AuthenticatedAt = grant!.AuthTime } : null,
        Scopes = [.. names.Where(name => !ScopeNames.IsForPeople(name) && !ScopeNames.IsRight(name)).Select(name => SmartScope.Parse(name, policy).Require())],
        Patient = grant?.Context.Patient,
        Encounter = grant?.Context.Encounter,
        ReadableSelf = user is not null && names.Contains(ScopeNames.FhirUser) ? user.FhirUser : null,
    };

    // The generation does not move when a session runs out; so a token of online access ends with it at the latest.
    private static DateTimeOffset EndOf(StoredRecord token, Grant? grant)
    {
        var end = token.ExpiresAt!.Value;
        return grant is not null && grant.IsOnline() && grant.AuthTime + Sessions.Lifetime < end ? grant.AuthTime + Sessions.Lifetime : end;
    }

    private async ValueTask<(Grant? Grant, UserAccount? User)> FindGrantAsync(string id, CancellationToken cancellationToken)
    {
        if (await store.FindRecordAsync(RecordKind.Grant, id, cancellationToken).ConfigureAwait(false) is not { } record)
        {
            return default;
        }

        var grant = Grant.FromRecord(record);
        var account = await store.FindRecordAsync(RecordKind.User, grant.UserName, cancellationToken).ConfigureAwait(false);
        var user = account is null ? null : UserAccount.FromRecord(account);
        var hasSession = await store.FindRecordAsync(RecordKind.Session, grant.Session, cancellationToken).ConfigureAwait(false) is not null;
        return grant.IsAlive(user, hasSession) ? (grant, user) : default;
    }
}
