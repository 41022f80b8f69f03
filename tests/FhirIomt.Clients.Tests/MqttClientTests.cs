using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Mqtt;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Clients.Tests;

/// <summary>Clients of MQTT that others wrote.</summary>
public sealed class MqttClientTests : IDisposable
{
    private const string Device = "sensor-1";

    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-mqtt-clients-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task MQTT_js_passes_its_checks()
    {
        var (certificate, key, shown) = MakeCertificate("device");
        var (serverCertificate, serverKey, _) = MakeCertificate("server");
        await using var plain = await TestServer.StartAsync(options => (options.Mqtt.Listen, options.Mqtt.WebSocket) = ("127.0.0.1:0", true));
        await using var secure = await TestServer.StartAsync(options => (options.Mqtt.Listen, options.Mqtt.Certificate, options.Mqtt.Key) = ("127.0.0.1:0", serverCertificate, serverKey));
        var credential = await AddDeviceAsync(plain, null);
        await AddDeviceAsync(secure, shown);
        var world = JsonSerializer.Serialize(new
        {
            tcp = $"mqtt://127.0.0.1:{PortOf(plain)}",
            web = $"{plain.Root.Replace("http:", "ws:", StringComparison.Ordinal)}/mqtt",
            tls = $"mqtts://127.0.0.1:{PortOf(secure)}",
            device = Device,
            credential,
            certificate,
            key,
        });
        var passed = await NodeProgram.RunAsync(Path.Combine(NodeProgram.Root, "tests", "FhirIomt.Clients.Tests", "clients"), "node", ["mqtt.mjs"], world);
        Assert.Equal(15, passed.Count);
    }

    [Theory]
    [InlineData("mqttv311", 0)]
    [InlineData("mqttv311", 1)]
    [InlineData("mqttv311", 2)]
    [InlineData("mqttv5", 1)]
    [InlineData("mqttv5", 2)]
    public async Task Mosquittos_client_publishes_line_by_line(string version, int qos)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mosquitto_pub"), "mosquitto_pub is not installed.");
        await using var server = await TestServer.StartAsync(options => options.Mqtt.Listen = "127.0.0.1:0");
        var credential = await AddDeviceAsync(server, null);
        string[] arguments = ["-h", "127.0.0.1", "-p", $"{PortOf(server)}", "-V", version, "-q", $"{qos}", "-u", "any", "-P", credential, "-i", "m", "-t", $"iomt/v1/t/g/{Device}/hr", "-l"];
        var start = new ProcessStartInfo("/usr/bin/mosquitto_pub", arguments) { RedirectStandardInput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        for (var second = 0; second < 50; second++)
        {
            await process.StandardInput.WriteLineAsync($$"""{"deviceId":"{{Device}}","time":"2026-01-01T00:00:{{second:00}}Z","heartRate":72}""");
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await process.StandardError.ReadToEndAsync());
        var caller = await server.CallerAsync("system/*.rs");
        var stored = 0;

        // With QoS 0 the client is gone before the server has read it all.
        for (var look = 0; look < 600 && stored < 50; look++)
        {
            stored = (await caller.GetAsync($"Observation?device.identifier={Device}&_summary=count")).Json.GetProperty("total").GetInt32();
            await Task.Delay(stored < 50 ? 100 : 0);
        }

        Assert.Equal(50, stored);
    }

    private static int PortOf(TestServer server) => server.Services.GetRequiredService<MqttListener>().EndPoint!.Port;

    private static async Task<string> AddDeviceAsync(TestServer server, X509Certificate2? certificate)
    {
        var patient = await (await server.CallerAsync("system/*.cruds")).CreateAsync("""{"resourceType":"Patient","name":[{"family":"Byron"}]}""");
        var device = new NewDevice("urn:test", Device, null, patient, null, "vitals") { Certificate = certificate };
        return (await server.Services.GetRequiredService<Registrar>().AddDeviceAsync(device, CancellationToken.None)).Require().Secret;
    }

    private (string Certificate, string Key, X509Certificate2 Shown) MakeCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var (certificateFile, keyFile) = (Path.Combine(_folder, $"{name}.pem"), Path.Combine(_folder, $"{name}.key"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile, certificate);
    }
}
