using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Jose;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Tokens;

/// <summary>
/// private_key_jwt (RFC 7523, SMART App Launch 2.2 "Asymmetric"): an ordered list of checks, each with its own answer where the answer tells the
/// client's developer something and an attacker nothing.
/// </summary>
internal sealed class AssertionAuthenticator(IStore store, ClientDirectory clients, ClientKeys keys, ServerAddress address, TimeProvider time)
{
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    // SMART: exp no more than five minutes ahead. The skew is for clocks of the two machines.
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private const int MaxIdLength = 256;

    /// <summary>The same words whether the client is unknown, the key is, or the signature is wrong.</summary>
    private static readonly TokenError NotVerified = TokenError.InvalidClient("The client assertion could not be verified with a key registered for this client.");

    public async ValueTask<(ClientRegistration? Client, TokenError? Error)> AuthenticateAsync(string assertion, string? claimedClientId, CancellationToken cancellationToken)
    {
        if (CompactJws.TryParse(assertion) is not { } jws)
        {
            return (null, TokenError.InvalidClient("client_assertion is not a compact signed JWT."));
        }

        if ((CheckHeader(jws.Header) ?? CheckClaims(jws.Payload, claimedClientId)) is { } malformed)
        {
            return (null, malformed);
        }

        if (await clients.FindEnabledAsync(jws.Payload["iss"u8].AsString()!, cancellationToken).ConfigureAwait(false) is not { Type: ClientType.Jwks } client)
        {
            return (null, NotVerified);
        }

        var key = await keys.FindAsync(client, jws.Header["kid"u8].AsString()!, jws.Header["alg"u8].AsString()!, cancellationToken).ConfigureAwait(false);
        if (key is null || !key.Verifies(jws.Signed, jws.Signature))
        {
            return (null, NotVerified);
        }

        if (!IsAudienceOf(client, jws.Payload["aud"u8].AsString()))
        {
            return (null, TokenError.InvalidClient("This client is registered for another aud: the issuer or the token endpoint."));
        }

        // Last, so that only a genuine assertion uses up its id; decided in the store, so that of two at once one wins on any node.
        var use = new UseOnce(AssertionKey(client.ClientId, jws.Payload["jti"u8].AsString()!), time.GetUtcNow() + LongestLife + Skew + Skew);
        await store.WriteAsync([use], cancellationToken).ConfigureAwait(false);
        return use.WasFirst ? (client, null) : (null, TokenError.InvalidClient("This client assertion was used before. Make a new one, with a new jti, for each request."));
    }

    private static TokenError? CheckHeader(ResourceNode header)
    {
        if (header["alg"u8].AsString() is not ("RS384" or "ES384"))
        {
            return TokenError.InvalidClient("The assertion's alg must be RS384 or ES384.");
        }

        if (header["typ"u8].AsString() is not ("JWT" or "client-authentication+jwt"))
        {
            return TokenError.InvalidClient("The assertion's typ must be JWT.");
        }

        if (header["crit"u8].Exists || header["b64"u8].Exists)
        {
            return TokenError.InvalidClient("The assertion's header uses an extension (crit) that is not known here.");
        }

        // Keys come from the registration only; jwk, x5c and x5u in the header are not looked at, and jku only from a client registered with it.
        return header["kid"u8].AsString() is { Length: > 0 and <= MaxIdLength } ? null : TokenError.InvalidClient("The assertion's header has no kid.");
    }

    private TokenError? CheckClaims(ResourceNode claims, string? claimedClientId)
    {
        var issuer = claims["iss"u8].AsString();
        if (string.IsNullOrEmpty(issuer) || issuer.Length > MaxIdLength || issuer != claims["sub"u8].AsString() || (claimedClientId is not null && claimedClientId != issuer))
        {
            return TokenError.InvalidClient("iss and sub must both be the client_id.");
        }

        // One string: an array could carry our address along with another server's (RFC 10070).
        var audience = claims["aud"u8].AsString();
        if (audience != address.TokenEndpoint && audience != address.Issuer)
        {
            return TokenError.InvalidClient($"aud must be the string {address.TokenEndpoint}.");
        }

        if (claims["jti"u8].AsString() is not { Length: > 0 and <= MaxIdLength })
        {
            return TokenError.InvalidClient("jti must be a unique text of at most 256 characters.");
        }

        return CheckTimes(claims);
    }

    private bool IsAudienceOf(ClientRegistration client, string? audience) => client.AssertionAudience switch
    {
        AssertionAudience.Issuer => audience == address.Issuer,
        AssertionAudience.TokenEndpoint => audience == address.TokenEndpoint,
        _ => true,
    };

    private TokenError? CheckTimes(ResourceNode claims)
    {
        var now = time.GetUtcNow();
        if (Seconds(claims["exp"u8]) is not { } expires || expires <= now - Skew || expires > now + LongestLife + Skew)
        {
            return TokenError.InvalidClient("exp must be a number of seconds in the future, at most five minutes ahead.");
        }

        foreach (var claim in (ReadOnlySpan<ResourceNode>)[claims["nbf"u8], claims["iat"u8]])
        {
            if (claim.Exists && (Seconds(claim) is not { } from || from > now + Skew))
            {
                return TokenError.InvalidClient("nbf and iat must be numbers of seconds that are not in the future.");
            }
        }

        return null;
    }

    // Whole seconds only: fractions, exponents and numbers beyond the calendar are refused.
    private static DateTimeOffset? Seconds(ResourceNode claim) =>
        claim.Exists && claim.Kind == NodeKind.Number && long.TryParse(claim.RawSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static string AssertionKey(string clientId, string jti) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{clientId.Length}:{clientId}{jti}")));

    private sealed class UseOnce(string id, DateTimeOffset until) : WriteOperation
    {
        public bool WasFirst { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            WasFirst = transaction.FindRecord(RecordKind.AssertionId, id) is null;
            if (WasFirst)
            {
                transaction.PutRecord(new StoredRecord(RecordKind.AssertionId, id, Array.Empty<byte>(), until));
            }
        }
    }
}
