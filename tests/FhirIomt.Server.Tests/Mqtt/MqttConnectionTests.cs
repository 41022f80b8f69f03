using System.Net.WebSockets;
using FhirIomt.Server.Devices.Mqtt;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests.Mqtt;

/// <summary>The ends of connections: what breaks the protocol, wills, limits, other ways in.</summary>
public sealed class MqttConnectionTests(MqttFixture mqtt) : IClassFixture<MqttFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static TheoryData<string, string, int?> Broken => new()
    {
        { "a second CONNECT", "100C00044D515454050200000000" + "00", 0x82 },
        { "a packet of the server", "40020001", 0x82 },
        { "flags of PINGREQ", "C100", 0x81 },
        { "QoS 3", "36060001740001" + "00", 0x81 },
        { "DUP with QoS 0", "3804000174" + "00", 0x81 },
        { "packet identifier 0", "3206000174" + "0000" + "00", 0x82 },
        { "a wildcard in a topic", "3004000123" + "00", 0x90 },
        { "a topic that is not UTF-8", "3004" + "0001FF" + "00", 0x81 },
        { "a topic with U+0000", "3004" + "000100" + "00", 0x81 },
        { "an empty topic without alias", "3003" + "0000" + "00", 0x90 },
        { "a length of five bytes", "30FFFFFFFF01", 0x81 },
        { "a packet that is too large", "30FFFFFF7F", 0x95 },
        { "a field beyond the end", "3002" + "00FF", 0x81 },
        { "a property twice", "300B" + "000174" + "04" + "01010101" + "7B7D20", 0x82 },
        { "an unknown property", "3006" + "000174" + "02" + "7F00", 0x81 },
        { "a property of another packet", "3009" + "000174" + "05" + "1100000001", 0x82 },
        { "AUTH", "F000", 0x82 },
        { "a subscription without filter", "8203" + "0001" + "00", 0x82 },
        { "a session expiry that CONNECT ruled out", "E007" + "0005" + "1100000009", 0x82 },
        { "bytes after the end", "E003" + "000000", 0x81 },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task What_breaks_the_protocol_ends_the_connection_with_its_reason(string what, string packet, int? reason)
    {
        Assert.NotEmpty(what);
        var (line, _, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        await line.SendAsync(Convert.FromHexString(packet));
        Assert.Equal(reason, await line.EndAsync());
    }

    [Theory]
    [InlineData("C000", null)]
    [InlineData("474554202F20485454502F312E310D0A0D0A", null)]
    [InlineData("101000064D514973647003020000000474657374", 1)]
    [InlineData("100C00044D515454030200000000", 1)]
    [InlineData("100D00044D51545406020000000000", 0x84)]
    [InlineData("100D00044D51545405030000000000", 0x81)]
    [InlineData("100C00044D515454044200000000", null)]
    [InlineData("1011" + "00044D515454050200000415000178" + "0000", 0x8C)]
    public async Task What_is_no_CONNECT_is_not_let_in(string packet, int? code)
    {
        using var line = mqtt.Line(5);
        await line.SendAsync(Convert.FromHexString(packet));
        Assert.Equal(code, await line.EndAsync());
    }

    [Fact]
    public async Task More_publishes_under_way_than_agreed_end_the_connection()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        for (var id = 1; id <= 21; id++)
        {
            await line.SendAsync(line.Publish("t", mqtt.Reading(device), 2, id));
        }

        Assert.Equal(0x93, await line.EndAsync());
    }

    [Fact]
    public async Task A_connection_of_version_311_that_floods_is_read_no_faster_than_it_is_stored_and_loses_nothing()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(4);
        using var _ = line;
        var all = Enumerable.Range(1, 400).SelectMany(id => line.Publish("t", mqtt.Reading(device), 1, id)).ToArray();
        var sending = line.SendAsync(all);
        for (var id = 1; id <= 400; id++)
        {
            Assert.Equal((id, 0), await line.ReadAsync(0x40));
        }

        await sending;
        Assert.Equal(400, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task A_connection_that_is_silent_for_longer_than_agreed_is_ended()
    {
        var (_, credential, _, _) = await mqtt.Server.AddWornDeviceAsync();
        using var line = mqtt.Line(5);
        Assert.Equal((0, 0), await line.ConnectAsync("silent", credential, keepAlive: 1));
        Assert.Equal(0x8D, await line.EndAsync());
    }

    [Fact]
    public async Task A_will_is_a_reading_only_where_its_topic_maps()
    {
        var (device, credential, _, _) = await mqtt.Server.AddWornDeviceAsync();
        foreach (var topic in (string[])["gone", "gone/mapping=vitals"])
        {
            using var line = mqtt.Line(4);
            await line.ConnectAsync(device, credential, will: [.. MqttLine.Text(topic), .. MqttLine.Text(mqtt.Reading(device))], willFlags: 8);
        }

        await WaitAsync(async () => await mqtt.CountAsync(device) > 0);
        Assert.Equal(1, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task Who_says_goodbye_leaves_no_will()
    {
        var (device, credential, _, _) = await mqtt.Server.AddWornDeviceAsync();
        using (var line = mqtt.Line(4))
        {
            await line.ConnectAsync(device, credential, will: [.. MqttLine.Text("t/mapping=vitals"), .. MqttLine.Text(mqtt.Reading(device))], willFlags: 8);
            await line.SendAsync([0xE0, 0]);
            Assert.Null(await line.ReadOrEndAsync());
        }

        // A will that is left behind after it says that this one's time has passed.
        var (other, second, _, _) = await mqtt.Server.AddWornDeviceAsync();
        using (var line = mqtt.Line(4))
        {
            await line.ConnectAsync(other, second, will: [.. MqttLine.Text("t/mapping=vitals"), .. MqttLine.Text(mqtt.Reading(other))], willFlags: 8);
        }

        await WaitAsync(async () => await mqtt.CountAsync(other) > 0);
        Assert.Equal(0, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task Sessions_that_are_not_kept_go_with_their_connection()
    {
        var sessions = mqtt.Server.Services.GetRequiredService<MqttSessions>();
        var (line, _, _, _) = await mqtt.ConnectAsync(5);
        var before = sessions.Count;
        line.Dispose();
        await WaitAsync(() => Task.FromResult(sessions.Count < before));
    }

    [Fact]
    public async Task The_same_is_spoken_over_WebSocket()
    {
        var (device, credential, _, _) = await mqtt.Server.AddWornDeviceAsync();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new Uri($"ws://{mqtt.Server.Http.BaseAddress!.Authority}/mqtt"), CancellationToken.None);
        Assert.Equal("mqtt", socket.SubProtocol);
        using var line = new MqttLine(WebSocketStream.Create(socket, WebSocketMessageType.Binary), 5);
        Assert.Equal((0, 0), await line.ConnectAsync(device, credential));
        var packet = line.Publish("t", mqtt.Reading(device), 1, 1);
        await line.SendAsync(packet[..5]);
        await line.SendAsync(packet[5..]);
        Assert.Equal((1, 0), await line.ReadAsync(0x40));
        Assert.Equal(1, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task Without_the_subprotocol_there_is_no_WebSocket() => Assert.Equal(426, (await mqtt.Server.GetAsync("mqtt", null)).Status);

    private static async Task WaitAsync(Func<Task<bool>> done)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await done())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
