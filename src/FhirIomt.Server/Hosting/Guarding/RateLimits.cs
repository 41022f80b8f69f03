using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.RateLimiting;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Server.Devices;
using FhirIomt.Smart.Tokens;

namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>
/// 429 for whoever asks too often: first by address, before anything is looked up; then, when a token or credential is good, by client, person or sender. Who has a
/// token is nobody else's neighbour: one party's flood leaves the others' share alone.
/// </summary>
internal sealed class RateLimits : IDisposable
{
    /// <summary>Signing in costs a password hash, a token a signature: a stricter measure, and what guesses passwords comes here.</summary>
    private static readonly string[] SignInPaths = ["/auth/login", "/auth/passkey", "/auth/continue", "/auth/token", "/auth/introspect", "/auth/revoke", "/auth/authorize", "/auth/consent", "/auth/patient", "/auth/encounter", "/auth/launches", "/account"];

    private readonly RequestDelegate _next;
    private readonly AccessTokens _tokens;
    private readonly SenderCredentials _senders;
    private readonly GuardAudit _audit;
    private readonly bool _isOn;
    private readonly Meter? _addresses;
    private readonly Meter? _signIns;
    private readonly Meter? _clients;
    private readonly Meter? _users;
    private readonly Meter? _deviceSenders;

    public RateLimits(RequestDelegate next, AccessTokens tokens, SenderCredentials senders, ServerOptions options, GuardAudit audit)
    {
        var limits = options.Limits;
        (_next, _tokens, _senders, _audit, _isOn) = (next, tokens, senders, audit, limits.Enabled);
        (_addresses, _signIns, _clients, _users, _deviceSenders) =
            (Meter.Of(limits.PerAddress), Meter.Of(limits.SignInPerAddress), Meter.Of(limits.PerClient), Meter.Of(limits.PerUser), Meter.Of(limits.PerSender));
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (_isOn && await RefusedForAsync(context).ConfigureAwait(false) is { } refusal)
        {
            if (refusal.IsFirst)
            {
                await _audit.RecordAsync(context, StatusCodes.Status429TooManyRequests, "IOMT-0910").ConfigureAwait(false);
            }

            await RefuseAsync(context, refusal.Wait).ConfigureAwait(false);
            return;
        }

        await _next(context).ConfigureAwait(false);
    }

    public void Dispose()
    {
        foreach (var meter in (ReadOnlySpan<Meter?>)[_addresses, _signIns, _clients, _users, _deviceSenders])
        {
            meter?.Dispose();
        }
    }

    // How long to wait; null when nothing is refused.
    private async ValueTask<LimitRefusal?> RefusedForAsync(HttpContext context)
    {
        var path = context.Request.Path;
        var address = AddressKey(context.Connection.RemoteIpAddress);
        if ((_addresses?.Refuses(address) ?? (IsSignIn(path) ? _signIns?.Refuses(address) : null)) is { } refusal)
        {
            return refusal;
        }

        if (path.StartsWithSegments("/devices", StringComparison.Ordinal))
        {
            if (await _senders.OfAsync(context).ConfigureAwait(false) is not { } sender)
            {
                return null;
            }

            context.Items[DeviceAudit.SenderKey] = sender;
            return _deviceSenders?.Refuses(sender.Id);
        }

        if (!path.StartsWithSegments("/fhir", StringComparison.Ordinal) || BearerToken.Of(context.Request) is not { } token || await CheckedToken.ResolveAsync(context, _tokens, token).ConfigureAwait(false) is not { } grant)
        {
            return null;
        }

        return (grant.Scope.User is { } user ? _users?.Refuses(user.Id) : null) ?? (grant.Scope.ClientId is { } client ? _clients?.Refuses(client) : null);
    }

    private static bool IsSignIn(PathString path) => Array.Exists(SignInPaths, one => path.StartsWithSegments(one, StringComparison.Ordinal));

    // A subscriber of IPv6 has a /64 of addresses: they count as one.
    private static string AddressKey(IPAddress? address)
    {
        if (address is null)
        {
            return "";
        }

        if (address.IsIPv4MappedToIPv6 || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.MapToIPv4().ToString();
        }

        return Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }

    private static async Task RefuseAsync(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
        var issue = LimitIssues.TooMany(seconds);
        var response = context.Response;
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        var isFhir = context.Request.Path.StartsWithSegments("/fhir", StringComparison.Ordinal);
        response.ContentType = isFhir ? "application/fhir+json; charset=utf-8" : "application/json";
        var writer = new Utf8JsonWriter(response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            if (isFhir)
            {
                OperationOutcome.Write(writer, [issue]);
                return;
            }

            writer.WriteStartObject();
            if (context.Request.Path.StartsWithSegments("/devices", StringComparison.Ordinal))
            {
                MessageReceipt.WriteIssues(writer, [issue]);
            }
            else
            {
                // RFC 6749 §4.1.2.1 has the word; the token endpoint has no better one.
                writer.WriteString("error"u8, "temporarily_unavailable"u8);
                writer.WriteString("error_description"u8, $"{issue.Code}: {issue.Message} {issue.Fix}");
            }

            writer.WriteEndObject();
        }
    }

    /// <param name="IsFirst">Nothing of that party was refused within the last second: this one is recorded.</param>
    private readonly record struct LimitRefusal(TimeSpan Wait, bool IsFirst);

    /// <summary>
    /// A token bucket for each party. Parties share 65,536 places, which bounds the memory (about 20 MB when all are in use) whatever is sent; whom one shares a place
    /// with cannot be chosen, because string hashes differ with each start. Idle places are given up by the framework.
    /// </summary>
    private sealed class Meter(int perSecond) : IDisposable
    {
        private const int Places = 65_536;
        private const int Burst = 10;
        private const long RecordedEvery = 1000;

        private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, int>(party => RateLimitPartition.GetTokenBucketLimiter(
            PlaceOf(party),
            _ => new TokenBucketRateLimiterOptions { TokenLimit = perSecond * Burst, TokensPerPeriod = perSecond, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0 }));

        // When the last refusal of a place was recorded, in milliseconds: a flood shall not fill the audit as well.
        private readonly long[] _recorded = new long[Places];

        public static Meter? Of(int perSecond) => perSecond == 0 ? null : new Meter(perSecond);

        public LimitRefusal? Refuses(string party)
        {
            using var lease = _limiter.AttemptAcquire(party);
            return lease.IsAcquired ? null : new LimitRefusal(lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1), IsFirst(PlaceOf(party)));
        }

        private static int PlaceOf(string party) => string.GetHashCode(party, StringComparison.Ordinal) & (Places - 1);

        private bool IsFirst(int place)
        {
            var (now, last) = (Environment.TickCount64, Interlocked.Read(ref _recorded[place]));
            return (last == 0 || now - last >= RecordedEvery) && Interlocked.CompareExchange(ref _recorded[place], now, last) == last;
        }

        public void Dispose() => _limiter.Dispose();
    }
}

/// <summary>Refusals by limits: IOMT-0910 to IOMT-0919.</summary>
internal static class LimitIssues
{
    public static Issue TooMany(int seconds) =>
        Issue.Error(IssueKind.Throttled, "IOMT-0910", "Too many requests have come from this address, client, person or device.", fix: $"Wait {seconds} s (Retry-After), then send more slowly; put many readings into one request.");

    public static Issue TooLong(TimeSpan limit) => Issue.Error(
        IssueKind.Transient, "IOMT-0911", $"The request took longer than {limit.TotalSeconds:0} s and was given up.", fix: "Look whether what it was to write is there before sending it again; ask for less at once.");
}
