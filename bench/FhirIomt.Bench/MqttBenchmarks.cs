using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Storage;

namespace FhirIomt.Bench;

/// <summary>
/// 5,000 devices that are connected at the same time and publish with QoS 1: at a steady rate, where the time to the acknowledgement counts, and as fast as each is answered,
/// where the rate counts. Once with a credential for each device, once all with their vendor's.
/// </summary>
internal static class MqttBenchmarks
{
    private const int Devices = 5000;

    public static async Task RunAsync(Report report, string binary, Workspace workspace, string engine, bool quick)
    {
        var store = BenchStore.Make(engine, workspace, "mqtt");
        var world = World.Create(binary, store, workspace);
        var mqtt = Workspace.FreePort();
        Environment.SetEnvironmentVariable("FHIRIOMT_Mqtt__Listen", $"127.0.0.1:{mqtt}");
        var duration = TimeSpan.FromSeconds(quick ? 5 : 20);
        using (var first = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]))
        {
            await world.RegisterAsync(first.Port, Devices);
        }

        await GiveCredentialsAsync(store);
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]);
        var idle = server.ResidentBytes;
        foreach (var (who, secret) in new (string, Func<int, string>)[] { ("own credentials", Secret), ("their vendor's credential", _ => world.Vendor) })
        {
            using var fleet = await Fleet.ConnectAsync(mqtt, Devices, secret);
            report.Add($"{store.Name}: memory of {Devices} connections, {who}", "kB each", [(server.ResidentBytes - idle) / 1024.0 / Devices]);
            var first = await fleet.OnceAsync();
            report.Add($"{store.Name}: the first message of each of {Devices} devices, {who}", "messages/s", [first.PerSecond]);

            // Not counted: the compiler works on the server's hot paths for half a minute, on one of the two cores.
            await fleet.FastAsync(TimeSpan.FromSeconds(quick ? 3 : 10));
            await fleet.SteadyAsync(5000, TimeSpan.FromSeconds(quick ? 3 : 30));
            var (steady, own) = (new List<Load>(), new List<double>());
            for (var run = 0; run < (quick ? 1 : 3); run++)
            {
                var clock = new CpuClock(server);
                steady.Add(await fleet.SteadyAsync(5000, duration));
                own.Add(clock.Elapsed().Server / steady[^1].Count);
            }

            report.Add($"{store.Name}: MQTT QoS 1, {Devices} devices, 5,000/s, {who}", "messages/s", [.. steady.Select(load => load.PerSecond)], budget: "≥ 5,000/s");
            report.Add($"{store.Name}: its acknowledgement, p99", "ms", [.. steady.Select(load => load.P99)], budget: "< 250");
            report.Add($"{store.Name}: its CPU of the server", "µs each", own);
            var fast = await fleet.FastAsync(duration);
            report.Add($"{store.Name}: MQTT QoS 1, {Devices} devices, as fast as answered, {who}", "messages/s", [fast.PerSecond]);
            report.Add($"{store.Name}: its acknowledgement, p99", "ms", [fast.P99]);
        }
    }

    private static string Secret(int device) => $"bench-secret-{device:00000}-0123456789abcdef0123456789abcdef";

    private static async Task GiveCredentialsAsync(BenchStore store)
    {
        await using var open = store.Open();
        await open.WriteAsync([new PutCredentials()], CancellationToken.None);
    }

    // As 'fhiriomt device add' writes them, five thousand in one go.
    private sealed class PutCredentials : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            for (var device = 0; device < Devices; device++)
            {
                var id = Hash($"https://fhiriomt.org/vendors/bench/devices_device-{device}");
                var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?> { ["device"] = id, ["vendor"] = null, ["mapping"] = "bench", ["patients"] = null });
                transaction.PutRecord(new StoredRecord(RecordKind.Credential, Hash(Secret(device)), body));
            }
        }

        private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private sealed class Fleet(List<Sensor> sensors) : IDisposable
    {
        private const int Pacers = 4;
        private static long _second;

        public static async Task<Fleet> ConnectAsync(int port, int devices, Func<int, string> secret)
        {
            var sensors = new List<Sensor>();
            foreach (var part in Enumerable.Range(0, devices).Chunk(100))
            {
                sensors.AddRange(await Task.WhenAll(part.Select(device => Sensor.ConnectAsync(port, device, secret(device)))));
            }

            return new Fleet(sensors);
        }

        /// <summary>Each device at its own moment of the second; one that is not answered yet when its next moment comes leaves it out.</summary>
        public async Task<Load> SteadyAsync(int perSecond, TimeSpan duration)
        {
            var latencies = new ConcurrentBag<long>();
            var period = TimeSpan.FromSeconds((double)sensors.Count / perSecond);
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, Pacers).Select(pacer => Task.Run(async () =>
            {
                for (var number = (long)pacer; ; number += Pacers)
                {
                    var due = period * ((double)number / sensors.Count);
                    while (clock.Elapsed < due)
                    {
                        await Task.Delay(1);
                    }

                    if (due > duration)
                    {
                        return;
                    }

                    sensors[(int)(number % sensors.Count)].Publish(Interlocked.Increment(ref _second), latencies.Add);
                }
            })));
            await DrainAsync();
            return Measure(latencies, clock.Elapsed);
        }

        /// <summary>One message of each, all at once: after a start the server has yet to look up every device.</summary>
        public Task<Load> OnceAsync() => FastAsync(TimeSpan.Zero);

        public async Task<Load> FastAsync(TimeSpan duration)
        {
            var latencies = new ConcurrentBag<long>();
            var clock = Stopwatch.StartNew();
            foreach (var sensor in sensors)
            {
                void Again(long latency)
                {
                    latencies.Add(latency);
                    if (clock.Elapsed < duration)
                    {
                        sensor.Publish(Interlocked.Increment(ref _second), Again);
                    }
                }

                sensor.Publish(Interlocked.Increment(ref _second), Again);
            }

            await Task.Delay(duration);
            await DrainAsync();
            return Measure(latencies, clock.Elapsed);
        }

        public void Dispose() => sensors.ForEach(sensor => sensor.Dispose());

        private async Task DrainAsync()
        {
            while (sensors.Exists(sensor => sensor.IsWaiting))
            {
                await Task.Delay(5);
            }
        }

        private static Load Measure(ConcurrentBag<long> latencies, TimeSpan elapsed)
        {
            var sorted = latencies.Order().ToList();
            return new Load(sorted.Count, sorted.Count / elapsed.TotalSeconds, sorted[(int)(sorted.Count * 0.99)] * 1000.0 / Stopwatch.Frequency);
        }
    }

    /// <summary>One device: a socket, a message under way, and who wants to know how long it took.</summary>
    private sealed class Sensor(Socket socket, int device) : IDisposable
    {
        private long _sent;
        private Action<long>? _acknowledged;

        public bool IsWaiting => Volatile.Read(ref _acknowledged) is not null;

        public static async Task<Sensor> ConnectAsync(int port, int device, string secret)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", port);
            byte[] body = [.. Text("MQTT"), 4, 0xC2, 0, 0, .. Text($"device-{device}"), .. Text("bench"), .. Text(secret)];
            await socket.SendAsync((byte[])[0x10, (byte)(0x80 | (body.Length & 0x7F)), (byte)(body.Length >> 7), .. body]);
            var answer = new byte[4];
            for (var read = 0; read < 4;)
            {
                read += await socket.ReceiveAsync(answer.AsMemory(read));
            }

            if (answer[3] != 0)
            {
                throw new InvalidOperationException($"CONNACK {answer[3]}");
            }

            var sensor = new Sensor(socket, device);
            _ = sensor.ListenAsync();
            return sensor;
        }

        public void Publish(long second, Action<long> acknowledged)
        {
            if (Interlocked.CompareExchange(ref _acknowledged, acknowledged, null) is not null)
            {
                return;
            }

            var payload = Encoding.UTF8.GetBytes($$"""{"device":"device-{{device}}","patient":"patient-{{device}}","at":"{{DateTimeOffset.UnixEpoch.AddYears(30).AddSeconds(second):yyyy-MM-ddTHH:mm:ssZ}}","hr":{{60 + (second % 40)}}}""");
            byte[] body = [.. Text($"iomt/v1/bench/gw/device-{device}/hr/mapping=bench"), 0, 1, .. payload];
            _sent = Stopwatch.GetTimestamp();
            socket.Send([0x32, (byte)(0x80 | (body.Length & 0x7F)), (byte)(body.Length >> 7), .. body]);
        }

        public void Dispose() => socket.Dispose();

        private async Task ListenAsync()
        {
            var answer = new byte[4];
            try
            {
                while (true)
                {
                    for (var read = 0; read < 4;)
                    {
                        read += await socket.ReceiveAsync(answer.AsMemory(read)) is var some and > 0 ? some : throw new SocketException((int)SocketError.ConnectionReset);
                    }

                    var acknowledged = Interlocked.Exchange(ref _acknowledged, null);
                    acknowledged?.Invoke(Stopwatch.GetTimestamp() - _sent);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The run is over.
            }
        }

        private static byte[] Text(string text) => [(byte)(text.Length >> 8), (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];
    }
}
