using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FhirIomt.Server.Hosting;

/// <summary>Traces, metrics and logs by OTLP; nothing is set up unless an endpoint is configured.</summary>
internal static class OpenTelemetryExport
{
    public static void Add(WebApplicationBuilder builder, TelemetryOptions options)
    {
        if (string.IsNullOrEmpty(options.OtlpEndpoint))
        {
            return;
        }

        var endpoint = new Uri(options.OtlpEndpoint);
        void Export(OtlpExporterOptions exporter) => exporter.Endpoint = endpoint;
        var resource = ResourceBuilder.CreateDefault().AddService("fhiriomt");
        builder.Logging.AddOpenTelemetry(logging => logging.SetResourceBuilder(resource).AddOtlpExporter(Export));
        builder.Services.AddHostedService(_ => new Providers(
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("Microsoft.AspNetCore", Telemetry.Name).AddProcessor(new WithoutAddresses()).AddOtlpExporter(Export).Build(),
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", Telemetry.Name).AddOtlpExporter(Export).Build()));
    }

    /// <summary>Keeps ids out of spans: the route's pattern stays, the path and the query go.</summary>
    private sealed class WithoutAddresses : BaseProcessor<Activity>
    {
        private static readonly string[] Tags = ["url.path", "url.query", "url.full", "http.target", "http.url", "client.address", "network.peer.address"];

        public override void OnEnd(Activity data)
        {
            foreach (var tag in Tags)
            {
                data.SetTag(tag, null);
            }
        }
    }

    /// <summary>Lives as long as the server and flushes at its end.</summary>
    private sealed class Providers(TracerProvider traces, MeterProvider metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces.Dispose();
            metrics.Dispose();
            return Task.CompletedTask;
        }
    }
}
