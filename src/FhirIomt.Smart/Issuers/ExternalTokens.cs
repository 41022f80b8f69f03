using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Jose;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Issuers;

/// <summary>
/// JWT access tokens of other issuers (RFC 9068). An ordered list of checks: what it is, whose it says it is, only then a key, the signature, and last what it
/// says; then what is beyond the issuer's trust is left out. Nothing is fetched for an issuer that is not configured.
/// </summary>
public sealed class ExternalTokens : IDisposable
{
    private const int MaxRemembered = 20_000;
    private const int MaxText = 256;

    // Clocks of two machines that are kept in time differ by less than a second; RFC 7519 speaks of a few minutes at most.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    // A key that the issuer has withdrawn is not believed for longer than that.
    private static readonly TimeSpan VerifiedFor = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, Trusted> _issuers;
    private readonly IStore _store;
    private readonly IndexPolicy _policy;
    private readonly ServerAddress _address;
    private readonly TimeProvider _time;
    private readonly GenerationCache<Verified> _verified;

    public ExternalTokens(IssuerList issuers, IHttpClientFactory clients, IStore store, IndexPolicy policy, ServerAddress address, TimeProvider time)
    {
        (_store, _policy, _address, _time) = (store, policy, address, time);
        _issuers = issuers.Issuers.ToDictionary(issuer => issuer.Issuer, issuer => new Trusted(issuer, new IssuerKeySet(issuer, clients, time)), StringComparer.Ordinal);
        _verified = new GenerationCache<Verified>(store, MaxRemembered);
    }

    public void Dispose()
    {
        foreach (var issuer in _issuers.Values)
        {
            issuer.Keys.Dispose();
        }
    }

    /// <summary>What the token stands for here, or null when it is not to be believed.</summary>
    internal async ValueTask<TokenGrant?> ResolveAsync(string token, CancellationToken cancellationToken)
    {
        if (_issuers.Count == 0)
        {
            return null;
        }

        var remembered = _verified.Now();
        if (remembered.TryGet(token, out var known) && known.Until > _time.GetUtcNow())
        {
            return known.Grant;
        }

        if (await VerifyAsync(token, cancellationToken).ConfigureAwait(false) is not { } verified)
        {
            return null;
        }

        remembered.Remember(token, verified);
        return verified.Grant;
    }

    private async ValueTask<Verified?> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        if (CompactJws.TryParse(token) is not { } jws || !IsAccessToken(jws) || Text(jws.Payload["iss"u8]) is not { } issuer || !_issuers.TryGetValue(issuer, out var trusted))
        {
            return null;
        }

        if (Text(jws.Header["alg"u8]) is not { } algorithm || !trusted.Algorithms.Contains(algorithm) || Text(jws.Header["kid"u8]) is not { } kid)
        {
            return null;
        }

        if (await trusted.Keys.FindAsync(kid, algorithm, cancellationToken).ConfigureAwait(false) is not { } key || !key.Verifies(algorithm, jws.Signed, jws.Signature))
        {
            return null;
        }

        if (!IsForUs(jws.Payload["aud"u8], trusted.Options.Audience) || EndOf(jws.Payload) is not { } end || Text(jws.Payload["sub"u8]) is not { } subject)
        {
            return null;
        }

        var (isKnown, user) = await PersonAsync(trusted, subject, jws.Payload, cancellationToken).ConfigureAwait(false);
        var check = _time.GetUtcNow() + VerifiedFor;
        return isKnown ? new Verified(Grant(trusted, Secrets.Hash(token)[^32..], subject, user, jws.Payload, end), check < end ? check : end) : null;
    }

    // Never an id token, a refresh token, a logout token or an assertion, though the same keys sign them (RFC 9068 §4, RFC 8725 §3.11).
    private static bool IsAccessToken(CompactJws jws)
    {
        var type = jws.Header["typ"u8].AsString();
        var isNamed = string.Equals(type, "at+jwt", StringComparison.OrdinalIgnoreCase) || string.Equals(type, "application/at+jwt", StringComparison.OrdinalIgnoreCase);
        var claims = jws.Payload;
        var isOther = claims["nonce"u8].Exists || claims["at_hash"u8].Exists || claims["c_hash"u8].Exists || claims["events"u8].Exists || claims["typ"u8].AsString() is not (null or "Bearer");
        return !jws.Header["crit"u8].Exists && !jws.Header["b64"u8].Exists && (isNamed || (type == "JWT" && !isOther));
    }

    private bool IsForUs(ResourceNode audience, string? configured)
    {
        var wanted = string.IsNullOrEmpty(configured) ? _address.FhirBase : configured;
        if (!audience.IsArray)
        {
            return audience.AsString() == wanted;
        }

        foreach (var one in audience.Items)
        {
            if (one.AsString() == wanted)
            {
                return true;
            }
        }

        return false;
    }

    // Null when a time is missing, no whole number, over, or not yet.
    private DateTimeOffset? EndOf(ResourceNode claims)
    {
        var now = _time.GetUtcNow();
        foreach (var claim in (ReadOnlySpan<ResourceNode>)[claims["nbf"u8], claims["iat"u8]])
        {
            if (claim.Exists && (Seconds(claim) is not { } from || from > now + Skew))
            {
                return null;
            }
        }

        return Seconds(claims["exp"u8]) is { } end && end + Skew > now ? end + Skew : null;
    }

    // A registered link comes before what the token says; a disabled account is nobody at all.
    private async ValueTask<(bool IsKnown, AccessUser? User)> PersonAsync(Trusted trusted, string subject, ResourceNode claims, CancellationToken cancellationToken)
    {
        var login = Seconds(claims["auth_time"u8]) is { } at && at <= _time.GetUtcNow() + Skew ? at : (DateTimeOffset?)null;
        if (await _store.FindRecordAsync(RecordKind.UserLink, UserLink.IdOf(trusted.Options.Issuer, subject), cancellationToken).ConfigureAwait(false) is { } link)
        {
            var account = await _store.FindRecordAsync(RecordKind.User, Records.Read(link, Records.Default.UserLink).User, cancellationToken).ConfigureAwait(false);
            return account is not null && UserAccount.FromRecord(account) is { Disabled: false } user ? (true, user.ToAccessUser() with { AuthenticatedAt = login }) : (false, null);
        }

        if (string.IsNullOrEmpty(trusted.Options.FhirUserClaim) || claims[System.Text.Encoding.UTF8.GetBytes(trusted.Options.FhirUserClaim)].AsString() is not { Length: <= MaxText } claimed)
        {
            return (true, null);
        }

        var reference = claimed.StartsWith(_address.FhirBase + "/", StringComparison.Ordinal) ? claimed[(_address.FhirBase.Length + 1)..] : claimed;
        if (!UserDirectory.IsFhirUser(reference))
        {
            return (true, null);
        }

        // Who is a patient, or acts for one, has a patient's role; nobody becomes an operator by a claim.
        var role = reference.StartsWith("Practitioner", StringComparison.Ordinal) ? UserRole.Clinician : UserRole.Patient;
        return (true, new AccessUser("ext-" + UserLink.IdOf(trusted.Options.Issuer, subject)[..32], role, reference) { AuthenticatedAt = login });
    }

    private TokenGrant Grant(Trusted trusted, string reference, string subject, AccessUser? user, ResourceNode claims, DateTimeOffset end)
    {
        var options = trusted.Options;
        var client = Text(claims["client_id"u8]) ?? Text(claims["azp"u8]) ?? Text(claims["appid"u8]);
        var isClientItself = user is null && client is not null && client == subject;
        var names = Scopes(claims).Where(scope => trusted.Ceiling.Allows(scope, _policy) && IsPossible(scope, user, isClientItself)).Distinct(StringComparer.Ordinal).ToList();

        // Of one name at two issuers each is another client.
        var clientId = client is null ? null : $"{options.Issuer}#{client}";
        var scope = new AccessScope
        {
            Actor = user is not null ? $"user/{user.Id}" : $"client/{clientId ?? options.Issuer}",
            ClientId = clientId,
            User = user,
            TokenReference = reference,
            Scopes = [.. names.Where(name => !ScopeNames.IsForPeople(name)).Select(name => SmartScope.Parse(name, _policy).Require())],
            Patient = PatientOf(options, user, claims),
            ReadableSelf = names.Contains(ScopeNames.FhirUser) ? user?.FhirUser : null,
        };
        return new TokenGrant(scope, names, end);
    }

    // Without a known person patient/ and user/ mean nobody (abuse case 59), and a person's token is never a client's own (system/).
    private static bool IsPossible(string scope, AccessUser? user, bool isClientItself) => scope.StartsWith("system/", StringComparison.Ordinal) ? isClientItself : user is not null;

    private static string? PatientOf(IssuerOptions options, AccessUser? user, ResourceNode claims)
    {
        if (options.MayAssertPatient && Text(claims["patient"u8]) is { } patient)
        {
            return patient.StartsWith("Patient/", StringComparison.Ordinal) ? patient["Patient/".Length..] : patient;
        }

        return user is { Role: UserRole.Patient, FhirUser: { } self } && self.StartsWith("Patient/", StringComparison.Ordinal) ? self["Patient/".Length..] : null;
    }

    // RFC 9068 has scope, Entra and Okta have scp.
    private static List<string> Scopes(ResourceNode claims)
    {
        var (scope, scp) = (claims["scope"u8], claims["scp"u8]);
        if (scope.AsString() is { } text || (!scope.Exists && scp.AsString() is { } other && (text = other) is not null))
        {
            return IssuerOptions.Words(text);
        }

        var scopes = new List<string>();
        foreach (var one in scp.Items)
        {
            scopes.AddRange(IssuerOptions.Words(one.AsString() ?? ""));
        }

        return scopes;
    }

    private static string? Text(ResourceNode claim) => claim.AsString() is { Length: > 0 and <= MaxText } text ? text : null;

    // Whole seconds only: fractions, exponents and numbers beyond the calendar are refused. A year is left for the skew.
    private static DateTimeOffset? Seconds(ResourceNode claim) =>
        claim.Exists && claim.Kind == NodeKind.Number && long.TryParse(claim.RawSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_370_764_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private sealed record Trusted(IssuerOptions Options, IssuerKeySet Keys)
    {
        public HashSet<string> Algorithms { get; } = IssuerOptions.Words(Options.Algorithms).ToHashSet(StringComparer.Ordinal);

        /// <summary>Compared as the registration of a client is.</summary>
        public ClientRegistration Ceiling { get; } = new(Options.Issuer, Options.Issuer, ClientType.Public, IssuerOptions.Words(Options.AllowedScopes));
    }

    /// <param name="Until">Then it is verified again.</param>
    private sealed record Verified(TokenGrant Grant, DateTimeOffset Until);
}
