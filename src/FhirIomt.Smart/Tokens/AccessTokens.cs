using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Tokens;

/// <summary>What a token lets its bearer do.</summary>
/// <param name="IsOperator">It carries <see cref="ClientRegistration.OperatorScope"/>.</param>
public sealed record TokenGrant(AccessScope Scope, bool IsOperator, DateTimeOffset ExpiresAt);

/// <summary>
/// Opaque access tokens: 256 random bits, kept as a hash. What a token stands for is remembered until the store's generation moves, so a change to a
/// client acts at once here and within a second elsewhere.
/// </summary>
public sealed class AccessTokens(IStore store, IndexPolicy policy, IdSource ids, TimeProvider time)
{
    /// <summary>SMART Backend Services: at most five minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const int MaxRemembered = 20_000;

    private readonly GenerationCache<TokenGrant> _grants = new(store, MaxRemembered);

    /// <summary>Makes a token; it is durable before it is answered.</summary>
    public async Task<string> IssueAsync(string clientId, string scope, CancellationToken cancellationToken)
    {
        var token = ids.NewSecret();
        var expires = time.GetUtcNow() + Lifetime;
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = clientId, ["scope"] = scope });
        await store.WriteAsync([new PutRecord(new StoredRecord(RecordKind.Token, Hash(token), body, expires))], cancellationToken).ConfigureAwait(false);
        return token;
    }

    /// <summary>What the token stands for, or null when it is unknown, expired, or its client is gone.</summary>
    public async ValueTask<TokenGrant?> ResolveAsync(string token, CancellationToken cancellationToken)
    {
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
        var record = await store.FindRecordAsync(RecordKind.Token, Hash(token), cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            return null;
        }

        var root = JsonTree.Parse(record.Body).Require().Root;
        var clientId = root["client_id"u8].AsString()!;
        if (await store.FindRecordAsync(RecordKind.Client, clientId, cancellationToken).ConfigureAwait(false) is not { } registration)
        {
            return null;
        }

        // What the registration no longer covers, the token no longer grants.
        var client = ClientRegistration.FromRecord(registration);
        var names = root["scope"u8].AsString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(name => client.Allows(name, policy)).ToList();
        var scopes = names.Where(name => name != ClientRegistration.OperatorScope).Select(name => SmartScope.Parse(name, policy).Require()).ToList();
        return new TokenGrant(new AccessScope { Actor = $"client/{clientId}", ClientId = clientId, Scopes = scopes }, names.Contains(ClientRegistration.OperatorScope), record.ExpiresAt!.Value);
    }

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private sealed class PutRecord(StoredRecord record) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => transaction.PutRecord(record);
    }
}
