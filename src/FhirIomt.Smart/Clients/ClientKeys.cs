using System.Collections.Concurrent;
using FhirIomt.Smart.Jose;

namespace FhirIomt.Smart.Clients;

/// <summary>
/// A client's public keys, from its registration or from its address. Fetched sets are kept as long as the answer's Cache-Control allows, at most five
/// minutes; an unknown kid fetches once more, at most every ten seconds for one address.
/// </summary>
internal sealed class ClientKeys(IHttpClientFactory clients, TimeProvider time)
{
    public const string HttpClientName = "jwks";

    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan LongestKept = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Uri, Fetched> _fetched = new();

    /// <summary>The one key with that kid and algorithm; null when there is none or more than one.</summary>
    public async ValueTask<SigningKey?> FindAsync(ClientRegistration client, string kid, string algorithm, CancellationToken cancellationToken)
    {
        if (client.JwksUri is not { } uri)
        {
            return Single(SigningKey.ParseSet(System.Text.Encoding.UTF8.GetBytes(client.Jwks!)).Require(), kid, algorithm);
        }

        var now = time.GetUtcNow();
        var known = _fetched.GetValueOrDefault(uri);
        if (known is null || known.Until <= now)
        {
            known = _fetched[uri] = await FetchAsync(uri, now, cancellationToken).ConfigureAwait(false);
        }

        if (Single(known.Keys, kid, algorithm) is { } key)
        {
            return key;
        }

        if (known.At + BetweenFetches > now)
        {
            return null;
        }

        // A fetch that fails keeps what is still good: anybody can send an unknown kid, and must not shut the client out by it.
        var again = await FetchAsync(uri, now, cancellationToken).ConfigureAwait(false);
        known = _fetched[uri] = again.Keys.Count > 0 ? again : known with { At = now };
        return Single(known.Keys, kid, algorithm);
    }

    private static SigningKey? Single(IReadOnlyList<SigningKey> keys, string kid, string algorithm)
    {
        SigningKey? found = null;
        foreach (var key in keys.Where(key => key.Kid == kid && key.Algorithm == algorithm))
        {
            if (found is not null)
            {
                return null;
            }

            found = key;
        }

        return found;
    }

    private async Task<Fetched> FetchAsync(Uri uri, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            using var client = clients.CreateClient(HttpClientName);
            using var response = await client.GetAsync(uri, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                return Fetched.Nothing(now);
            }

            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            var kept = response.Headers.CacheControl switch
            {
                { NoStore: true } or { NoCache: true } => TimeSpan.Zero,
                { MaxAge: { } age } when age < LongestKept => age,
                _ => LongestKept,
            };
            return SigningKey.ParseSet(body).TryGetValue(out var keys, out _) ? new Fetched(keys, now, now + kept) : Fetched.Nothing(now);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is (HttpRequestException or TaskCanceledException or InvalidOperationException))
        {
            return Fetched.Nothing(now);
        }
    }

    /// <summary>No redirects (they could lead inside), a short time, a small body.</summary>
    public static void Configure(HttpClient client)
    {
        client.Timeout = TimeSpan.FromSeconds(5);
        client.MaxResponseContentBufferSize = MaxBytes;
    }

    private sealed record Fetched(IReadOnlyList<SigningKey> Keys, DateTimeOffset At, DateTimeOffset Until)
    {
        public static Fetched Nothing(DateTimeOffset now) => new([], now, now + BetweenFetches);
    }
}
