using FhirIomt.Api;
using FhirIomt.Api.Interactions;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Definitions;
using FhirIomt.Repository.Readings;
using FhirIomt.Repository.Searching;
using FhirIomt.Server.Demo;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Life;
using FhirIomt.Server.Devices.Mllp;
using FhirIomt.Server.Devices.Mqtt;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Server.Devices.RabbitMq;
using FhirIomt.Server.Hosting.Guarding;
using FhirIomt.Smart;
using FhirIomt.Storage;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Server.Hosting;

/// <summary>Puts the parts together: the same ones for the server and for the command line.</summary>
internal static class ServerHost
{
    /// <summary>A server that is ready to run.</summary>
    public static WebApplication Build(ServerOptions options, TimeProvider time)
    {
        // Configuration is read once, by ServerOptions; nothing watches files.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseUrls(options.Urls.Split(';'));
        Connections.Configure(builder, options);
        ConfigureLogging(builder);
        builder.Services.AddRoutingCore();
        AddCompression(builder.Services);
        AddParts(builder.Services, options, time);
        builder.Services.AddSingleton(new ServerStart(time.GetUtcNow()));
        builder.Services.AddSingleton<IStore>(services => options.OpenStore(services, serve: true));
        builder.Services.AddSmart().AddFhirApi();
        builder.Services.AddSingleton<DeviceEndpoints>();
        builder.Services.AddSingleton<OperatorGate>();
        builder.Services.AddSingleton<QuarantineEndpoints>();
        builder.Services.AddHostedService(services => services.GetRequiredService<QuarantineCount>());
        builder.Services.AddHostedService(services => services.GetRequiredService<LastSeen>());
        builder.Services.AddSingleton<SilentDevices>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SilentDevices>());
        builder.Services.AddHostedService<DefinitionsRefresh>();
        builder.Services.AddHostedService<ReindexService>();
        builder.Services.AddHostedService<ExpiredRecords>();
        builder.Services.AddHostedService<AuditRetention>();
        builder.Services.AddHostedService<VitalsApp>();
        builder.Services.AddHostedService<DemoService>();
        builder.Services.AddSingleton(options.Mllp);
        builder.Services.AddSingleton<MllpListener>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MllpListener>());
        MqttServices.Add(builder.Services, options.Mqtt);
        RabbitMqServices.Add(builder.Services, options.RabbitMq);
        OpenTelemetryExport.Add(builder, options.Telemetry);
        var app = builder.Build();
        Connections.UseProxies(app, options);
        app.UseMiddleware<RequestGuard>();
        app.UseMiddleware<RateLimits>();
        app.UseMiddleware<CrossOrigin>();
        app.UseResponseCompression();
        Apps.Use(app);
        app.UseRequestDecompression();
        app.UseWebSockets();
        app.UseRouting();
        app.UseRequestTimeouts();
        Health.Map(app);
        Home.Map(app);
        app.MapSmart();
        app.MapFhirApi();
        DeviceEndpoints.Map(app);
        MqttWebSocket.Map(app);
        DemoEhr.Map(app, options);
        return app;
    }

    /// <summary>Everything but the web: what the command line works with too.</summary>
    public static void AddParts(IServiceCollection services, ServerOptions options, TimeProvider time)
    {
        services.AddSingleton(options);
        services.AddSingleton(time);
        services.AddSingleton(IdSource.Random);
        services.AddSingleton(FhirDefinitions.R4);
        services.AddSingleton(new ServerAddress(PublicRoot(options)));
        services.AddSingleton<IndexPolicy>();
        services.AddSingleton(parts => new SearchIndexer(FhirDefinitions.R4, parts.GetRequiredService<ServerAddress>().FhirBase));
        services.AddSingleton<ITerminology>(parts => new SearchTerminology(() => parts.GetRequiredService<ServerDefinitions>().Validator.Terminology));
        services.AddSingleton(parts => new SearchQueryParser(parts.GetRequiredService<IndexPolicy>(), parts.GetRequiredService<ITerminology>(), parts.GetRequiredService<ServerAddress>().FhirBase));
        services.AddSingleton(parts => options.Access.Load(parts.GetRequiredService<IndexPolicy>()));
        services.AddSingleton(parts => new AuditLog(
            parts.GetRequiredService<IStore>(), parts.GetRequiredService<SearchIndexer>(), options.Audit.Settings, time, exception => parts.GetService<ILogger<AuditLog>>()?.NotAudited(exception)));
        services.AddSingleton<AccessResolver>();
        services.AddSingleton<EmergencyAccess>();
        services.AddSingleton<SearchService>();
        services.AddSingleton<LabelSummary>();
        services.AddSingleton<ContainedSearch>();
        services.AddSingleton<GuardAudit>();
        services.AddSingleton<CustomParameters>();
        services.AddSingleton<Reindexing>();
        services.AddSingleton<ServerDefinitions>();
        services.AddSingleton<ResourceRepository>();
        services.AddSingleton(RepositoryOptions.Default);
        services.AddSingleton<ResourceWriter>();
        services.AddSingleton<DeviceDirectory>();
        services.AddSingleton<Repository.Readings.Routes.RouteDirectory>();
        services.AddSingleton<SenderCredentials>();
        services.AddSingleton<MappingCatalog>();
        services.AddSingleton<ReadingResolver>();
        services.AddSingleton(parts => new QuarantineCount(parts.GetRequiredService<IStore>(), time, parts.GetService<ILogger<QuarantineCount>>() ?? Microsoft.Extensions.Logging.Abstractions.NullLogger<QuarantineCount>.Instance));
        services.AddSingleton<IngestPipeline>();
        services.AddSingleton<MessageQuarantine>();
        services.AddSingleton(parts => new LastSeen(parts.GetRequiredService<IStore>(), time, parts.GetService<ILogger<LastSeen>>() ?? Microsoft.Extensions.Logging.Abstractions.NullLogger<LastSeen>.Instance));
        services.AddSingleton<DeviceLife>();
        services.AddSingleton<DeviceState>();
        services.AddSingleton(options.Auth);
        services.AddSingleton(new Smart.Issuers.IssuerList(options.Issuers));
        services.AddSmartDirectories();
        services.AddSingleton<Registrar>();
    }

    private static string PublicRoot(ServerOptions options)
    {
        var url = options.PublicUrl ?? options.Urls.Split(';')[0];
        foreach (var any in (ReadOnlySpan<string>)["0.0.0.0", "[::]", "*", "+"])
        {
            url = url.Replace($"//{any}", "//localhost", StringComparison.Ordinal);
        }

        return url.TrimEnd('/');
    }

    // What is compressed holds nothing that an attacker could choose beside something secret to guess (BREACH). The login pages do, so no page is compressed.
    private static void AddCompression(IServiceCollection services)
    {
        services.AddRequestDecompression();
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = ["application/fhir+json", "application/fhir+xml", "application/json", "text/css", "text/javascript"];
        });

        // A page of 1,000 Observations (1 MB) shrinks to 3 % at the fastest level already; higher levels take several times as long for a few kilobytes.
        services.Configure<Microsoft.AspNetCore.ResponseCompression.BrotliCompressionProviderOptions>(brotli => brotli.Level = System.IO.Compression.CompressionLevel.Fastest);
        services.Configure<Microsoft.AspNetCore.ResponseCompression.GzipCompressionProviderOptions>(gzip => gzip.Level = System.IO.Compression.CompressionLevel.Fastest);
    }

    // ASP.NET's own request lines hold paths and query strings, which hold ids of patients and devices.
    private static void ConfigureLogging(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("System", LogLevel.Warning);

        // A failed start is told by ServeCommand in one line; the host would put its stack trace before it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }
}
