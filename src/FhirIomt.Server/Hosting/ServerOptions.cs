using FhirIomt.Server.Devices.Mllp;
using FhirIomt.Server.Devices.Mqtt;
using FhirIomt.Server.Devices.RabbitMq;
using FhirIomt.Server.Hosting.Guarding;
using FhirIomt.Smart.Issuers;

namespace FhirIomt.Server.Hosting;

/// <summary>
/// Settings of the server. From appsettings.json beside the program, environment variables <c>FHIRIOMT_Section__Key</c>, and the command line, the later
/// ones first. Checked at start: a wrong one stops the server with a message that names its key.
/// </summary>
internal sealed class ServerOptions
{
    /// <summary>Where to listen; several separated by <c>;</c>. Loopback by default: TLS and the outside are a decision.</summary>
    public string Urls { get; set; } = "http://127.0.0.1:8080";

    /// <summary>Folder of the embedded store.</summary>
    public string Data { get; set; } = "data";

    /// <summary>Connection string of a PostgreSQL store, in place of <see cref="Data"/>.</summary>
    public string? Postgres { get; set; }

    /// <summary>How the outside reaches the server, when that differs from <see cref="Urls"/> (proxy, port mapping).</summary>
    public string? PublicUrl { get; set; }

    public bool Demo { get; set; }

    public IngestOptions Ingest { get; set; } = new();

    public AccessOptions Access { get; set; } = new();

    public AuditOptions Audit { get; set; } = new();

    /// <summary>The command that runs, for the audit; null for a server.</summary>
    public string? Command { get; set; }

    public TelemetryOptions Telemetry { get; set; } = new();

    public Smart.SmartOptions Auth { get; set; } = new();

    /// <summary>Authorization servers of others whose tokens are taken; none by default.</summary>
    public List<IssuerOptions> Issuers { get; set; } = [];

    public LimitOptions Limits { get; set; } = new();

    public TlsOptions Tls { get; set; } = new();

    public ProxyOptions Proxies { get; set; } = new();

    public MllpOptions Mllp { get; set; } = new();

    public MqttOptions Mqtt { get; set; } = new();

    public RabbitMqOptions RabbitMq { get; set; } = new();

    public IEnumerable<string> Problems()
    {
        if (PublicUrl is not null && (!Uri.TryCreate(PublicUrl, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/"))
        {
            yield return "PublicUrl must be an http or https address without a path, such as https://fhir.example.org.";
        }

        foreach (var url in Urls.Split(';'))
        {
            if (!Uri.TryCreate(url.Replace("*", "localhost", StringComparison.Ordinal).Replace("+", "localhost", StringComparison.Ordinal), UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            {
                yield return $"Urls: '{url}' is not an http or https address such as http://127.0.0.1:8080.";
            }
        }

        foreach (var problem in Ingest.Problems().Concat(Access.Problems()).Concat(Audit.Problems()).Concat(Telemetry.Problems()).Concat(Auth.Problems()).Concat(Limits.Problems()).Concat(Tls.Problems(Urls)).Concat(Proxies.Problems()).Concat(Mllp.Problems()).Concat(Mqtt.Problems()).Concat(RabbitMq.Problems()).Concat(IssuerProblems()))
        {
            yield return problem;
        }
    }

    private IEnumerable<string> IssuerProblems()
    {
        var policy = new Fhir.Searching.IndexPolicy(Fhir.Definitions.FhirDefinitions.R4);
        var problems = Issuers.SelectMany((issuer, index) => issuer.Problems($"Issuers:{index}", policy));
        return Issuers.Select(issuer => issuer.Issuer).Distinct(StringComparer.Ordinal).Count() == Issuers.Count ? problems : problems.Append("Issuers: each Issuer may be there once.");
    }
}

internal sealed class IngestOptions
{
    /// <summary>Largest body of one POST of device messages, in bytes; 1 kB to 256 MiB. 16 MiB holds 10,000 messages of 1.6 kB.</summary>
    public int MaxBodyBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Most messages in one POST; 1 to 100,000.</summary>
    public int MaxMessages { get; set; } = 10_000;

    /// <summary>How far a device's clock may run ahead before its reading is quarantined; 0 to 1 day. Ten minutes is more than any drift seen on networked devices between two syncs.</summary>
    public TimeSpan MaxFuture { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long receipts answer GET /devices/messages/{id}; 1 hour to 10 years.</summary>
    public TimeSpan ReceiptsKept { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Most messages that wait in quarantine; beyond it such messages are refused, so that their senders keep them. 100 to 100,000,000.</summary>
    public long MaxQuarantined { get; set; } = 100_000;

    /// <summary>Whether values that no body can have wait in quarantine.</summary>
    public bool Plausibility { get; set; } = true;

    /// <summary>Most bytes of messages by MQTT and RabbitMQ that wait for the pipeline; beyond it nothing more is read. 1 MiB to 2 GiB; 64 MiB are a minute of 5,000 messages a second.</summary>
    public int MaxWaitingBytes { get; set; } = 64 * 1024 * 1024;

    public IEnumerable<string> Problems()
    {
        if (MaxQuarantined is < 100 or > 100_000_000)
        {
            yield return "Ingest:MaxQuarantined must be from 100 to 100000000.";
        }

        if (MaxWaitingBytes < 1024 * 1024)
        {
            yield return "Ingest:MaxWaitingBytes must be from 1048576 to 2147483647.";
        }

        if (MaxBodyBytes is < 1024 or > 256 * 1024 * 1024)
        {
            yield return "Ingest:MaxBodyBytes must be from 1024 to 268435456.";
        }

        if (MaxMessages is < 1 or > 100_000)
        {
            yield return "Ingest:MaxMessages must be from 1 to 100000.";
        }

        if (MaxFuture < TimeSpan.Zero || MaxFuture > TimeSpan.FromDays(1))
        {
            yield return "Ingest:MaxFuture must be from 00:00:00 to 1.00:00:00.";
        }

        if (ReceiptsKept < TimeSpan.FromHours(1) || ReceiptsKept > TimeSpan.FromDays(3660))
        {
            yield return "Ingest:ReceiptsKept must be from 01:00:00 to 3660.00:00:00.";
        }
    }
}

internal sealed class TelemetryOptions
{
    /// <summary>OTLP/HTTP or gRPC collector, such as http://127.0.0.1:4317; empty: telemetry is off.</summary>
    public string? OtlpEndpoint { get; set; }

    public IEnumerable<string> Problems()
    {
        if (!string.IsNullOrEmpty(OtlpEndpoint) && !Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out _))
        {
            yield return "Telemetry:OtlpEndpoint must be an absolute address such as http://127.0.0.1:4317.";
        }
    }
}
