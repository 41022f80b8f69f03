using System.Net.Security;
using System.Security.Authentication;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using System.Text.Json;

namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>How connections are taken: TLS, whom to believe about the caller's address, and how long a request may take.</summary>
internal static class Connections
{
    public static void Configure(WebApplicationBuilder builder, ServerOptions options)
    {
        builder.WebHost.ConfigureKestrel(kestrel => Limit(kestrel.Limits, options));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.WebHost.UseKestrelHttpsConfiguration();
        if (!string.IsNullOrEmpty(options.Tls.Certificate))
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => Secure(https, options.Tls)));
        }

        builder.Services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy
        {
            Timeout = options.Limits.RequestTime,
            TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
            WriteTimeoutResponse = context => AnswerTooLongAsync(context, options.Limits.RequestTime),
        });
    }

    /// <summary>Only what a known proxy says about the address counts; of Host and scheme nothing ever does, because the server's own address is configured.</summary>
    public static void UseProxies(WebApplication app, ServerOptions options)
    {
        var networks = options.Proxies.Networks();
        if (networks.Count == 0)
        {
            return;
        }

        // No limit on hops: the list is walked from its end for as long as a known proxy speaks.
        var headers = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var network in networks)
        {
            headers.KnownIPNetworks.Add(network);
        }

        app.UseForwardedHeaders(headers);
    }

    private static void Limit(KestrelServerLimits limits, ServerOptions options)
    {
        // The larger of what the FHIR API and the device endpoint take; each checks its own smaller limit.
        limits.MaxRequestBodySize = Math.Max(Fhir.Json.JsonLimits.Default.MaxBytes, options.Ingest.MaxBodyBytes);

        // Kestrel's defaults: 8 kB request line, 32 kB of headers, 30 s for the headers, 240 bytes/s of body after 5 s of grace.
        limits.MaxConcurrentConnections = 20_000;
    }

    private static void Secure(HttpsConnectionAdapterOptions https, TlsOptions tls)
    {
        // ServerOptions.Problems has looked: the files are there.
        (https.ServerCertificate, https.ServerCertificateChain) = tls.Load()!.Value;

        // TLS 1.0 and 1.1 are out of use (RFC 8996), whatever the operating system allows.
        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        if (!tls.DeviceCertificates)
        {
            return;
        }

        // Who may sign is not asked: a device is known by its very certificate, which was registered. The handshake proves that the device has the key.
        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        https.ClientCertificateValidation = static (_, _, errors) => (errors & SslPolicyErrors.RemoteCertificateNotAvailable) == 0;
    }

    private static async Task AnswerTooLongAsync(HttpContext context, TimeSpan limit)
    {
        context.Response.ContentType = "application/fhir+json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            OperationOutcome.Write(writer, [LimitIssues.TooLong(limit)]);
        }
    }
}
