using FhirIomt.Server.Devices.Mqtt;
using FhirIomt.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests.Mqtt;

/// <summary>A server that listens to MQTT.</summary>
public sealed class MqttFixture : IAsyncLifetime
{
    private int _second;

    public TestServer Server { get; } = new()
    {
        Configure = options => (options.Mqtt.Listen, options.Mqtt.WebSocket, options.Mqtt.MaxPacketBytes, options.Mqtt.InFlight) = ("127.0.0.1:0", true, 64 * 1024, 20),
    };

    public int Port => Server.Services.GetRequiredService<MqttListener>().EndPoint!.Port;

    public ValueTask InitializeAsync() => Server.InitializeAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    internal MqttLine Line(int version) => MqttLine.To(Port, version);

    /// <summary>A device that is worn, and a connection of its own.</summary>
    internal async Task<(MqttLine Line, string Device, string Credential, string Patient)> ConnectAsync(int version, bool clean = true, uint? expiry = null)
    {
        var (device, credential, patient, _) = await Server.AddWornDeviceAsync();
        var line = Line(version);
        Assert.Equal((0, 0), await line.ConnectAsync(device, credential, clean, expiry));
        return (line, device, credential, patient);
    }

    /// <summary>A reading at a time that no other has.</summary>
    public string Reading(string device, string value = "72") => ReceiptTests.HeartRate(device, value, DateTimeOffset.UnixEpoch.AddYears(56).AddSeconds(Interlocked.Increment(ref _second)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));

    public async Task<int> CountAsync(string device)
    {
        var answer = await Server.GetAsync($"fhir/Observation?device.identifier={device}&_summary=count", await Server.TokenAsync());
        return answer.Json["total"]!.GetValue<int>();
    }

    /// <summary>The messages in quarantine whose payload holds that text.</summary>
    public async Task<IReadOnlyList<string>> QuarantinedAsync(string text) =>
        [.. (await Server.Services.GetRequiredService<IStore>().ListRecordsAsync(RecordKind.Quarantine, CancellationToken.None)).Select(record => System.Text.Encoding.UTF8.GetString(record.Body.Span)).Where(body => body.Contains(text, StringComparison.Ordinal))];
}
