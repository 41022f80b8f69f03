using FhirIomt.Fhir.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Jose;

namespace FhirIomt.Smart.Issuers;

/// <summary>
/// The keys of one issuer, from its configured address or from its own discovery document, never from a token. Kept as long as Cache-Control allows, at most five
/// minutes; an unknown kid fetches once more, at most every ten seconds. While the issuer cannot be reached its last keys serve for an hour.
/// </summary>
internal sealed class IssuerKeySet(IssuerOptions issuer, IHttpClientFactory clients, TimeProvider time) : IDisposable
{
    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan LongestKept = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestStale = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _fetching = new(1);
    private Fetched _known = new([], DateTimeOffset.MinValue, DateTimeOffset.MinValue, DateTimeOffset.MinValue);

    /// <summary>The one key with that kid for that algorithm; null when there is none, or more than one.</summary>
    public async ValueTask<IssuerKey?> FindAsync(string kid, string algorithm, CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _known);
        var now = time.GetUtcNow();
        if (known.Until > now && Single(known, kid, algorithm) is { } key)
        {
            return key;
        }

        if (known.Tried + BetweenFetches > now)
        {
            // Asked just now: another answer is not to be had.
            return Single(known, kid, algorithm);
        }

        // One fetch for all who wait.
        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (ReferenceEquals(known, Volatile.Read(ref _known)))
            {
                Volatile.Write(ref _known, await FetchAsync(known, now, cancellationToken).ConfigureAwait(false));
            }
        }
        finally
        {
            _fetching.Release();
        }

        return Single(Volatile.Read(ref _known), kid, algorithm);
    }

    public void Dispose() => _fetching.Dispose();

    private static IssuerKey? Single(Fetched known, string kid, string algorithm)
    {
        IssuerKey? found = null;
        foreach (var key in known.Keys)
        {
            if (key.Kid == kid && key.IsFor(algorithm))
            {
                if (found is not null)
                {
                    return null;
                }

                found = key;
            }
        }

        return found;
    }

    private async Task<Fetched> FetchAsync(Fetched before, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var address = string.IsNullOrEmpty(issuer.Jwks) ? await DiscoverAsync(cancellationToken).ConfigureAwait(false) : issuer.Jwks;
        var (body, kept) = address is null ? default : await GetAsync(address, cancellationToken).ConfigureAwait(false);
        if (body is not null && IssuerKey.ParseSet(body, MaxBytes) is { Count: > 0 } keys)
        {
            return new Fetched(keys, now, now + kept, now);
        }

        return before.Fresh + LongestStale > now ? before with { Tried = now } : new Fetched([], now, DateTimeOffset.MinValue, DateTimeOffset.MinValue);
    }

    // OpenID Connect Discovery §4.3: the document must be this issuer's own.
    private async Task<string?> DiscoverAsync(CancellationToken cancellationToken)
    {
        var (body, _) = await GetAsync($"{issuer.Issuer.TrimEnd('/')}/.well-known/openid-configuration", cancellationToken).ConfigureAwait(false);
        if (body is null || !JsonTree.Parse(body, new JsonLimits(MaxBytes, 16)).TryGetValue(out var tree, out _) || tree.Root["issuer"u8].AsString() != issuer.Issuer)
        {
            return null;
        }

        return tree.Root["jwks_uri"u8].AsString() is { } address && IssuerOptions.IsAddress(address) ? address : null;
    }

    private async Task<(byte[]? Body, TimeSpan Kept)> GetAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            using var client = clients.CreateClient(ClientKeys.HttpClientName);
            using var response = await client.GetAsync(new Uri(address), cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                return default;
            }

            var kept = response.Headers.CacheControl switch
            {
                { NoStore: true } or { NoCache: true } => TimeSpan.Zero,
                { MaxAge: { } age } when age < LongestKept => age,
                _ => LongestKept,
            };
            return (await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), kept);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is (HttpRequestException or TaskCanceledException or InvalidOperationException))
        {
            return default;
        }
    }

    /// <param name="Tried">When it was last asked for, with or without success.</param>
    /// <param name="Fresh">When the keys came.</param>
    private sealed record Fetched(IReadOnlyList<IssuerKey> Keys, DateTimeOffset Tried, DateTimeOffset Until, DateTimeOffset Fresh);
}
