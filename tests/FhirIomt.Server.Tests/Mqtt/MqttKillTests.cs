using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests.Mqtt;

/// <summary>Power cuts in the middle of publishes: what was acknowledged is there, and everything once.</summary>
public sealed class MqttKillTests(ITestOutputHelper output) : IDisposable
{
    private const int Cuts = 3;
    private const int Devices = 6;

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-mqtt-kill-").FullName;

    private readonly string? _postgres = TestServer.OnPostgreSql ? PostgresCluster.NewSchema() : null;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task Every_acknowledged_publish_survives_kill_9_exactly_once()
    {
        var (devices, token) = await PrepareAsync();
        var acknowledged = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var clients = devices.Select((device, index) => new Sensor(device.Name, device.Credential, index % 3 == 0 ? 1 : 2, acknowledged)).ToList();
        for (var cut = 0; cut < Cuts; cut++)
        {
            var port = ChildProcess.FreePort();
            await using (var server = await ChildProcess.ServeAsync(_data, new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_Mqtt__Listen"] = $"127.0.0.1:{port}" }, StoreArguments))
            {
                var before = acknowledged.Count;
                var publishing = clients.Select(client => client.PublishAsync(port)).ToArray();
                while (acknowledged.Count < before + 600 + (cut * 170))
                {
                    Assert.All(publishing, client => Assert.False(client.IsCompleted, client.Exception?.ToString() ?? server.Errors));
                    await Task.Delay(1);
                }

                await server.KillAsync();
                await Task.WhenAll(publishing);
            }

            await using var again = await ChildProcess.ServeAsync(_data, StoreArguments);
            await CompareAsync(again, token, acknowledged);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Cuts} cuts, {acknowledged.Count} publishes acknowledged"));
    }

    private string[] StoreArguments => _postgres is null ? [] : ["--postgres", _postgres];

    private async Task<(List<(string Name, string Credential)> Devices, string Token)> PrepareAsync()
    {
        await using var server = new TestServer { Configure = options => (options.Data, options.Postgres) = (_data, _postgres) };
        await server.InitializeAsync();
        var devices = new List<(string, string)>();
        for (var number = 0; number < Devices; number++)
        {
            var (name, credential, _, _) = await server.AddWornDeviceAsync();
            devices.Add((name, credential));
        }

        return (devices, await server.TokenAsync("system/Observation.rs"));
    }

    private static async Task CompareAsync(ChildProcess server, string token, ConcurrentDictionary<string, bool> acknowledged)
    {
        using var http = new HttpClient();
        var stored = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var resource in FhirSearch.AllAsync(http, server.Base + "/", "Observation?code=8867-4&_count=1000", token))
        {
            Assert.True(stored.Add($"{(string)resource["device"]!["reference"]!} {(string)resource["effectiveDateTime"]!}"));
        }

        // Each device has its own seconds, so the time alone names a publish.
        var times = stored.Select(one => one.Split(' ')[1]).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(stored.Count, times.Count);
        Assert.DoesNotContain(acknowledged.Keys, time => !times.Contains(time));
    }

    /// <summary>Publishes as fast as it is acknowledged, ten at a time; what was not when the server died it sends again, as the protocol has it.</summary>
    private sealed class Sensor(string device, string credential, int qos, ConcurrentDictionary<string, bool> acknowledged)
    {
        private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private static int _second;

        private readonly Dictionary<int, string> _underWay = [];
        private readonly HashSet<int> _received = [];
        private int _id;

        public async Task PublishAsync(int port)
        {
            try
            {
                using var line = MqttLine.To(port, 4);
                await line.ConnectAsync(device, credential, clean: false);
                foreach (var (id, time) in _underWay)
                {
                    await line.SendAsync(_received.Contains(id) ? MqttLine.Release(id) : Packet(line, id, time, again: true));
                }

                while (true)
                {
                    while (_underWay.Count < 10)
                    {
                        var time = Start.AddSeconds(Interlocked.Increment(ref _second)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                        _id = (_id % 60_000) + 1;
                        _underWay.Add(_id, time);
                        await line.SendAsync(Packet(line, _id, time, again: false));
                    }

                    var (head, body) = await line.ReadAsync();
                    var done = (body[0] << 8) | body[1];
                    if (head == 0x50)
                    {
                        acknowledged[_underWay[done]] = true;
                        _received.Add(done);
                        await line.SendAsync(MqttLine.Release(done));
                        continue;
                    }

                    acknowledged[_underWay[done]] = true;
                    _underWay.Remove(done);
                    _received.Remove(done);
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or InvalidOperationException)
            {
                // The server was killed.
            }
        }

        private byte[] Packet(MqttLine line, int id, string time, bool again) => line.Publish($"iomt/v1/t/g/{device}/hr", ReceiptTests.HeartRate(device, "72", time), qos, id, again);
    }
}
