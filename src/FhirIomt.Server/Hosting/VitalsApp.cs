using FhirIomt.Smart;
using FhirIomt.Smart.Clients;

namespace FhirIomt.Server.Hosting;

/// <summary>The vitals app's registration: made before the server answers, and made again when the server's address has changed.</summary>
internal sealed class VitalsApp(ClientDirectory clients, ServerAddress address) : IHostedService
{
    /// <summary>Known to the app's own pages (src/FhirIomt.Web/vitals/src/app.ts).</summary>
    public const string ClientId = "fhiriomt-vitals";

    private const string Scopes = "openid fhirUser launch launch/patient online_access patient/Patient.rs patient/Observation.rs patient/Device.rs";

    public static string LaunchUri(ServerAddress address) => $"{address.Root}/apps/vitals/launch.html";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var app = new NewClient("Vitals", ClientType.Public, Scopes) { RedirectUris = [$"{address.Root}/apps/vitals/index.html"], LaunchUri = LaunchUri(address) };

        // Without its files there is nothing to launch, and over plain HTTP on another machine no browser would run it.
        return Directory.Exists(Apps.Folder) && clients.CanRegister(app) ? clients.EnsureAsync(ClientId, app, cancellationToken) : Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
