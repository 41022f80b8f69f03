using System.Globalization;
using System.Text;
using FhirIomt.Server.Devices.RabbitMq;
using FhirIomt.Server.Tests.Mqtt;
using FhirIomt.Storage;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace FhirIomt.Server.Tests.RabbitMq;

/// <summary>Messages out of a broker: whose they are, that none is lost or doubled when nodes and the broker die, and that the work is shared.</summary>
public sealed class RabbitMqTests(ITestOutputHelper output)
{
    private const int Devices = 8;
    private const int Readings = 4000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Who_sent_a_message_is_proved_by_a_credential_the_brokers_user_or_its_topic()
    {
        using var broker = await OwnBroker.StartAsync();
        await using var server = new TestServer
        {
            Configure = options => (options.RabbitMq.Uri, options.RabbitMq.TrustUsers, options.RabbitMq.Queues, options.RabbitMq.Mapping) = (broker.Uri, true, 4, "vitals"),
        };
        await server.InitializeAsync();
        await server.AddVendorAsync("guest");
        var (own, credential, _, _) = await server.AddWornDeviceAsync();
        var (vendors, _, _, _) = await server.AddWornDeviceAsync("guest");
        await using var producer = new BrokerProducer(broker.Uri);
        await WaitAsync(async () => await IsReadyAsync(producer, "iomt.messages.3"));

        await producer.PublishAsync(own, ReceiptTests.HeartRate(own, "72", "2026-01-01T00:00:01Z"), credential);
        await producer.PublishAsync(vendors, ReceiptTests.HeartRate(vendors, "72", "2026-01-01T00:00:02Z"), null, user: "guest");
        await producer.PublishAsync(own, ReceiptTests.HeartRate(own, "72", "2026-01-01T00:00:03Z"), "not-a-credential");
        await producer.PublishAsync(own, ReceiptTests.HeartRate(own, "72", "2026-01-01T00:00:04Z"), null);
        await producer.PublishAsync(own, "poison", credential);

        await WaitAsync(async () => await producer.WaitingAsync("iomt.refused") == 2);
        await WaitAsync(async () => await CountAsync(server, own) == 1 && await CountAsync(server, vendors) == 1);
        await WaitAsync(async () => (await server.Services.GetRequiredService<IStore>().ListRecordsAsync(RecordKind.Quarantine, CancellationToken.None)).Any(record => Encoding.UTF8.GetString(record.Body.Span).Contains("poison", StringComparison.Ordinal)));
        foreach (var number in Enumerable.Range(0, 4))
        {
            await WaitAsync(async () => await producer.WaitingAsync($"iomt.messages.{number}") == 0);
        }
    }

    [Fact]
    public async Task A_device_may_speak_MQTT_to_the_broker()
    {
        using var broker = await OwnBroker.StartAsync();
        await using var server = new TestServer { Configure = options => (options.RabbitMq.Uri, options.RabbitMq.TrustTopics, options.RabbitMq.Queues) = (broker.Uri, true, 2) };
        await server.InitializeAsync();
        await server.AddVendorAsync("ward");
        var (device, _, _, _) = await server.AddWornDeviceAsync("ward");
        await using var producer = new BrokerProducer(broker.Uri);
        await WaitAsync(async () => await IsReadyAsync(producer, "iomt.refused"));
        using var line = MqttLine.To(broker.MqttPort, 4);
        await line.SendAsync(MqttLine.Packet(0x10, [.. MqttLine.Text("MQTT"), 4, 0xC2, 0, 60, .. MqttLine.Text("d"), .. MqttLine.Text("guest"), .. MqttLine.Text("guest")]));
        Assert.Equal(0x20, (await line.ReadAsync()).Head);
        await line.SendAsync(line.Publish($"iomt/v1/ward/gw/{device}/mapping=vitals", ReceiptTests.HeartRate(device, "72"), 1, 1));
        Assert.Equal(1, (await line.ReadAsync(0x40)).Id);
        await WaitAsync(async () => await CountAsync(server, device) == 1);
    }

    [Fact]
    public async Task A_restart_of_the_broker_leaves_each_device_in_its_queue()
    {
        using var broker = await OwnBroker.StartAsync();
        await using (var connection = await new ConnectionFactory { Uri = new Uri(broker.Uri) }.CreateConnectionAsync())
        await using (var channel = await connection.CreateChannelAsync())
        {
            await new BrokerTopology(new RabbitMqOptions()).DeclareAsync(channel, CancellationToken.None);
        }

        var counts = new List<uint[]>();
        for (var round = 0; round < 2; round++)
        {
            await using var producer = new BrokerProducer(broker.Uri);
            for (var device = 0; device < 100; device++)
            {
                await producer.PublishAsync($"device-{device}", "{}", null);
            }

            await WaitAsync(async () => (await Task.WhenAll(Enumerable.Range(0, 16).Select(queue => producer.WaitingAsync($"iomt.messages.{queue}")))).Sum(count => count) == 100 * (round + 1));
            counts.Add(await Task.WhenAll(Enumerable.Range(0, 16).Select(queue => producer.WaitingAsync($"iomt.messages.{queue}"))));
            await broker.KillAsync();
            await broker.StartAgainAsync();
        }

        output.WriteLine(string.Join(' ', counts[0]) + " | " + string.Join(' ', counts[1]));
        Assert.Equal(counts[0].Select(count => 2 * count), counts[1]);
    }

    [Fact]
    public void Queues_are_spread_evenly_and_each_has_one_node()
    {
        string[] nodes = ["c", "a", "b"];
        var shares = nodes.Select(node => BrokerNodes.QueuesOf(node, nodes, 16)).ToList();
        Assert.Equal(Enumerable.Range(0, 16), shares.SelectMany(share => share).Order());
        Assert.Equal([5, 5, 6], shares.Select(share => share.Count).Order());
        Assert.Equal(16, BrokerNodes.QueuesOf("a", ["a", "a"], 16).Count);
    }

    [Fact]
    public async Task Three_nodes_lose_and_double_nothing_when_one_is_killed_and_the_broker_restarts()
    {
        using var broker = await OwnBroker.StartAsync();
        var postgres = PostgresCluster.NewSchema();
        var (devices, token) = await PrepareAsync(postgres);
        var data = Directory.CreateTempSubdirectory("fhiriomt-three-").FullName;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_RabbitMq__Uri"] = broker.Uri, ["FHIRIOMT_RabbitMq__Heartbeat"] = "00:00:00.5" };
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ChildProcess.ServeAsync(data, environment, "--postgres", postgres)));
        await using (nodes[0])
        await using (nodes[1])
        await using (nodes[2])
        {
            await using var producer = new BrokerProducer(broker.Uri);
            await WaitAsync(async () => await IsReadyAsync(producer, "iomt.messages.15"));
            var consumers = await ConsumersAsync(broker, 16);
            Assert.Equal(16, consumers);
            var publishing = Enumerable.Range(0, 4).Select(worker => PublishAsync(broker, devices, worker)).ToList();
            await WaitAsync(async () => await StoredAsync(nodes[1], token) > Readings / 8);
            await nodes[0].KillAsync();
            await WaitAsync(async () => await StoredAsync(nodes[1], token) > Readings / 4);
            await broker.KillAsync();
            await broker.StartAgainAsync();
            var confirmed = (await Task.WhenAll(publishing)).Sum();
            Assert.Equal(Readings, confirmed);
            await WaitAsync(async () => await StoredAsync(nodes[1], token) >= Readings);
            await CompareAsync(nodes[2], token);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{confirmed} readings confirmed by the broker, each stored once"));
        }

        Directory.Delete(data, recursive: true);
    }

    private static async Task<(List<(string Name, string Credential)> Devices, string Token)> PrepareAsync(string postgres)
    {
        await using var server = new TestServer { Configure = options => options.Postgres = postgres };
        await server.InitializeAsync();
        var devices = new List<(string, string)>();
        for (var number = 0; number < Devices; number++)
        {
            var (name, credential, _, _) = await server.AddWornDeviceAsync();
            devices.Add((name, credential));
        }

        return (devices, await server.TokenAsync("system/Observation.rs"));
    }

    // Each reading with two values in turn: the later is the one that must be there in the end, because a device's messages keep their order.
    private static async Task<int> PublishAsync(OwnBroker broker, List<(string Name, string Credential)> devices, int worker)
    {
        await using var producer = new BrokerProducer(broker.Uri);
        for (var number = worker; number < Readings; number += 4)
        {
            var (name, credential) = devices[number % Devices];
            var time = Start.AddSeconds(number).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            await producer.PublishAsync(name, ReceiptTests.HeartRate(name, "60", time), credential);
            await producer.PublishAsync(name, ReceiptTests.HeartRate(name, "61", time), credential);
        }

        return producer.Confirmed.Count / 2;
    }

    private static async Task CompareAsync(ChildProcess server, string token)
    {
        using var http = new HttpClient();
        var stored = new Dictionary<string, string>(StringComparer.Ordinal);
        await WaitAsync(async () =>
        {
            stored.Clear();
            await foreach (var resource in FhirSearch.AllAsync(http, server.Base + "/", "Observation?code=8867-4&_count=1000", token))
            {
                // Throws when a time is there twice.
                stored.Add((string)resource["effectiveDateTime"]!, resource["valueQuantity"]!["value"]!.ToJsonString());
            }

            return stored.Values.All(value => value == "61");
        });
        Assert.Equal(Readings, stored.Count);
    }

    private static async Task<int> ConsumersAsync(OwnBroker broker, int queues)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker.Uri) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        var all = 0;
        await WaitAsync(async () =>
        {
            all = 0;
            for (var number = 0; number < queues; number++)
            {
                all += (int)await channel.ConsumerCountAsync($"iomt.messages.{number}");
            }

            return all == queues;
        });
        return all;
    }

    private static async Task<bool> IsReadyAsync(BrokerProducer producer, string queue)
    {
        try
        {
            await producer.WaitingAsync(queue);
            return true;
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
        {
            return false;
        }
    }

    private static async Task<int> StoredAsync(ChildProcess server, string token)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Base + "/fhir/Observation?code=8867-4&_summary=count");
        request.Headers.Authorization = new("Bearer", token);
        using var response = await http.SendAsync(request);
        return System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync())!["total"]!.GetValue<int>();
    }

    private static async Task<int> CountAsync(TestServer server, string device)
    {
        var answer = await server.GetAsync($"fhir/Observation?device.identifier={device}&_summary=count", await server.TokenAsync());
        return answer.Json["total"]!.GetValue<int>();
    }

    private static async Task WaitAsync(Func<Task<bool>> done)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await done())
        {
            await Task.Delay(100, limit.Token);
        }
    }
}
