using System.Text;

namespace FhirIomt.Server.Tests.Mqtt;

/// <summary>Devices that publish: what is acknowledged is stored, once, and who sends is known from the connection.</summary>
public sealed class MqttTests(MqttFixture mqtt) : IClassFixture<MqttFixture>
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_reading_is_acknowledged_at_each_quality_of_service_and_stored(int version)
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(version);
        using var _ = line;
        await line.SendAsync(line.Publish("anything", mqtt.Reading(device), 1, 7));
        Assert.Equal((7, 0), await line.ReadAsync(0x40));
        await line.SendAsync(line.Publish("anything", mqtt.Reading(device), 2, 8));
        Assert.Equal((8, 0), await line.ReadAsync(0x50));
        await line.SendAsync(MqttLine.Release(8));
        Assert.Equal((8, 0), await line.ReadAsync(0x70));
        Assert.Equal(2, await mqtt.CountAsync(device));

        // Nothing answers QoS 0; the acknowledgement of the next says that it is stored, because one connection keeps its order.
        await line.SendAsync(line.Publish("anything", mqtt.Reading(device), 0, 0));
        await line.SendAsync(line.Publish("anything", mqtt.Reading(device), 1, 9));
        Assert.Equal((9, 0), await line.ReadAsync(0x40));
        Assert.Equal(4, await mqtt.CountAsync(device));
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 0x86)]
    public async Task A_password_that_is_no_credential_is_refused(int version, int code)
    {
        using var line = mqtt.Line(version);
        Assert.Equal((0, code), await line.ConnectAsync("x", "not-a-credential"));
        Assert.Null(await line.ReadOrEndAsync());
    }

    [Theory]
    [InlineData(4, 5)]
    [InlineData(5, 0x87)]
    public async Task Without_password_and_certificate_nobody_comes_in(int version, int code)
    {
        using var line = mqtt.Line(version);
        Assert.Equal((0, code), await line.ConnectAsync("x", null));
        Assert.Null(await line.ReadOrEndAsync());
    }

    [Fact]
    public async Task Who_sends_is_the_connection_and_never_the_payload_or_the_topic()
    {
        var (other, _, _, _) = await mqtt.Server.AddWornDeviceAsync();
        var (line, _, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        await line.SendAsync(line.Publish($"iomt/v1/t/g/{other}/s", mqtt.Reading(other), 1, 1));
        Assert.Equal((1, 0x87), await line.ReadAsync(0x40));
        Assert.Equal(0, await mqtt.CountAsync(other));
    }

    [Fact]
    public async Task What_version_311_cannot_be_told_is_refused_waits_in_quarantine()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(4);
        using var _ = line;
        await line.SendAsync(line.Publish("t", $"no json at all from {device}", 1, 1));
        Assert.Equal((1, 0), await line.ReadAsync(0x40));
        Assert.Contains("IOMT-0500", Assert.Single(await mqtt.QuarantinedAsync($"no json at all from {device}")), StringComparison.Ordinal);
        await line.SendAsync(line.Publish("t/mapping=no-such-mapping", $$"""{"from":"{{device}}","n":2}""", 2, 2));
        Assert.Equal((2, 0), await line.ReadAsync(0x50));
        Assert.Contains("IOMT-0531", Assert.Single(await mqtt.QuarantinedAsync($"\"from\":\"{device}\"")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_5_is_told_why_a_message_is_refused()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        foreach (var (topic, payload, reason, code) in new[] { ("t", "no json", 0x99, "IOMT-0500"), ("t/mapping=no-such", "{}", 0x90, "IOMT-0531") })
        {
            await line.SendAsync(line.Publish(topic, payload, 1, 1));
            var (head, body) = await line.ReadAsync();
            Assert.Equal((0x40, reason), (head, body[2]));
            Assert.Contains(code, Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        }

        Assert.Equal(0, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task What_waits_in_quarantine_is_acknowledged_and_does_not_wait_twice_when_it_comes_again()
    {
        var (line, device, credential, _) = await mqtt.ConnectAsync(5);
        var payload = $$"""{"nobody":"maps this of {{device}}"}""";
        await line.SendAsync(line.Publish("t", payload, 1, 3));
        var (head, body) = await line.ReadAsync();
        Assert.Equal((0x40, 0), (head, body[2]));
        Assert.Contains("IOMT-0430", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        line.Dispose();
        using var again = mqtt.Line(5);
        await again.ConnectAsync(device, credential);
        await again.SendAsync(again.Publish("t", payload, 1, 3, again: true));
        Assert.Equal(3, (await again.ReadAsync(0x40)).Id);
        Assert.Single(await mqtt.QuarantinedAsync(payload));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_session_that_is_kept_knows_its_publishes_of_quality_2(int version)
    {
        var (line, device, credential, _) = await mqtt.ConnectAsync(version, clean: false, expiry: 60);
        var reading = mqtt.Reading(device);
        await line.SendAsync(line.Publish("t", reading, 2, 5));
        Assert.Equal((5, 0), await line.ReadAsync(0x50));
        line.Dispose();

        using var again = mqtt.Line(version);
        Assert.Equal((1, 0), await again.ConnectAsync(device, credential, clean: false, expiry: 60));
        await again.SendAsync(again.Publish("t", reading, 2, 5, again: true));
        Assert.Equal((5, 0), await again.ReadAsync(0x50));
        await again.SendAsync(MqttLine.Release(5));
        Assert.Equal((5, 0), await again.ReadAsync(0x70));
        await again.SendAsync(MqttLine.Release(5));
        Assert.Equal((5, version == 5 ? 0x92 : 0), await again.ReadAsync(0x70));
        Assert.Equal(1, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task A_clean_start_or_another_credential_has_no_session()
    {
        var (line, device, credential, _) = await mqtt.ConnectAsync(5, clean: false, expiry: 60);
        line.Dispose();
        var (_, other, _, _) = await mqtt.Server.AddWornDeviceAsync();
        using var stranger = mqtt.Line(5);
        Assert.Equal((0, 0), await stranger.ConnectAsync(device, other, clean: false, expiry: 60));
        using var clean = mqtt.Line(5);
        Assert.Equal((0, 0), await clean.ConnectAsync(device, credential, clean: true));
    }

    [Fact]
    public async Task A_second_connection_of_the_same_client_takes_the_session_over()
    {
        var (line, device, credential, _) = await mqtt.ConnectAsync(5, clean: false, expiry: 60);
        using var _ = line;
        using var second = mqtt.Line(5);
        Assert.Equal((1, 0), await second.ConnectAsync(device, credential, clean: false, expiry: 60));
        Assert.Equal(0x8E, await line.EndAsync());
        await second.SendAsync(second.Publish("t", mqtt.Reading(device), 1, 1));
        Assert.Equal((1, 0), await second.ReadAsync(0x40));
    }

    [Fact]
    public async Task Another_message_under_an_identifier_that_is_not_released_is_no_repetition()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        await line.SendAsync(line.Publish("t", mqtt.Reading(device), 2, 5));
        Assert.Equal((5, 0), await line.ReadAsync(0x50));
        await line.SendAsync(line.Publish("t", mqtt.Reading(device), 2, 5));
        Assert.Equal((5, 0x91), await line.ReadAsync(0x50));
    }

    [Theory]
    [InlineData(4, 0x80)]
    [InlineData(5, 0x87)]
    public async Task Nothing_can_be_subscribed_to(int version, int code)
    {
        var (line, _, _, _) = await mqtt.ConnectAsync(version);
        using var _ = line;
        await line.SendAsync(MqttLine.Packet(0x82, [0, 9, .. version == 5 ? new byte[] { 0 } : [], .. MqttLine.Text("#"), 1, .. MqttLine.Text("a/b"), 0]));
        var (head, body) = await line.ReadAsync();
        Assert.Equal(0x90, head);
        Assert.Equal([(byte)code, (byte)code], body[^2..]);
        await line.SendAsync([0xC0, 0]);
        Assert.Equal(0xD0, (await line.ReadAsync()).Head);
    }

    [Fact]
    public async Task A_topic_alias_stands_for_its_topic()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        await line.SendAsync(line.Publish("t/mapping=vitals", mqtt.Reading(device), 1, 1, properties: [0x23, 0, 3]));
        Assert.Equal((1, 0), await line.ReadAsync(0x40));
        await line.SendAsync(line.Publish("", mqtt.Reading(device), 1, 2, properties: [0x23, 0, 3]));
        Assert.Equal((2, 0), await line.ReadAsync(0x40));
        await line.SendAsync(line.Publish("t", mqtt.Reading(device), 1, 3, properties: [0x23, 0, 200]));
        Assert.Equal(0x94, await line.EndAsync());
        Assert.Equal(2, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task The_retained_flag_is_said_to_count_for_nothing()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        await line.SendAsync(line.Publish("t", mqtt.Reading(device), 1, 1, retain: true));
        var (_, body) = await line.ReadAsync();
        Assert.Equal(0, body[2]);
        Assert.Contains("IOMT-0945", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        Assert.Equal(1, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task A_payload_says_in_its_property_or_topic_what_it_is()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        var two = $"{mqtt.Reading(device)}\n{mqtt.Reading(device)}";
        await line.SendAsync(line.Publish("t/type=ndjson", two, 1, 1));
        Assert.Equal((1, 0), await line.ReadAsync(0x40));
        await line.SendAsync(line.Publish("t", $"{mqtt.Reading(device)}\n{mqtt.Reading(device)}", 1, 2, properties: [0x03, .. MqttLine.Text("application/x-ndjson")]));
        Assert.Equal((2, 0), await line.ReadAsync(0x40));
        await line.SendAsync(line.Publish("t", "[]", 1, 3, properties: [0x03, .. MqttLine.Text("text/plain")]));
        Assert.Equal((3, 0x99), await line.ReadAsync(0x40));
        Assert.Equal(4, await mqtt.CountAsync(device));
    }

    [Fact]
    public async Task Topic_and_user_properties_stand_in_the_envelope()
    {
        var (line, device, _, _) = await mqtt.ConnectAsync(5);
        using var _ = line;
        var name = mqtt.Server.Name("envelope");
        await line.SendAsync(line.Publish($"iomt/v1/clinic/gw-1/{device}/a/b", $$"""{"marker":"{{name}}"}""", 1, 1, properties: [0x26, .. MqttLine.Text("firmware"), .. MqttLine.Text("1.2")]));
        await line.ReadAsync(0x40);
        var waiting = Assert.Single(await mqtt.QuarantinedAsync(name));
        Assert.Contains($$"""
            "Properties":{"firmware":"1.2","tenant":"clinic","gateway":"gw-1","device":"{{device}}","stream":"a/b","topic":"iomt/v1/clinic/gw-1/{{device}}/a/b"}
            """.Trim(), waiting, StringComparison.Ordinal);
        Assert.Contains($"\"iothub-connection-device-id\":\"{device}\"", waiting, StringComparison.Ordinal);
    }
}
