using System.Buffers;
using System.Text;
using FhirIomt.Ingest.Mqtt;

namespace FhirIomt.Ingest.Tests;

public sealed class MqttTests
{
    [Fact]
    public void A_CONNECT_of_version_5_is_read_with_its_properties_and_will()
    {
        // Section 3.1 by hand: clean start, will QoS 1 retained, user, password; keep-alive 60; session expiry 10, receive maximum 20; will delay 5.
        var packet = Convert.FromHexString("1033" + "00044D515454" + "05" + "EE" + "003C" + "08" + "110000000A" + "210014" + "000164" + "05" + "1800000005" + "000377696C" + "00046C617374" + "000475736572" + "000470617373");
        Assert.Equal(0x33, packet.Length - 2);
        var connect = Assert.IsType<MqttPacket.Connect>(Read(new MqttDecoder(1024), packet));
        Assert.Equal((MqttVersion.V5, "d", true, 60, "user"), (connect.Version, connect.ClientId, connect.CleanStart, connect.KeepAliveSeconds, connect.UserName));
        Assert.NotNull(connect.Secret);
        Assert.DoesNotContain(connect.Secret, connect.ToString(), StringComparison.Ordinal);
        Assert.Equal(((uint?)10, (int?)20), (connect.Properties.SessionExpirySeconds, connect.Properties.ReceiveMaximum));
        Assert.Equal("pass", Encoding.UTF8.GetString(connect.Password!));
        Assert.Equal(("wil", 1, true, 5u), (connect.Will!.Topic, connect.Will.Qos, connect.Will.IsRetained, connect.Will.Properties.WillDelaySeconds));
        Assert.Equal("last", Encoding.UTF8.GetString(connect.Will.Payload));
    }

    [Fact]
    public void A_packet_is_read_whichever_way_it_is_cut()
    {
        var packets = Convert.FromHexString("100D00044D51545404020000000164" + "320B" + "0003612F62" + "0007" + "7B7D2020" + "C000");
        for (var cut = 1; cut < packets.Length; cut++)
        {
            var (decoder, read, held) = (new MqttDecoder(1024), new List<MqttPacket>(), Array.Empty<byte>());
            foreach (var part in new[] { packets[..cut], packets[cut..] })
            {
                var buffer = new ReadOnlySequence<byte>([.. held, .. part]);
                while (!buffer.IsEmpty && decoder.TryRead(ref buffer, out var packet))
                {
                    read.Add(packet);
                }

                held = buffer.ToArray();
            }

            Assert.Empty(held);
            var publish = Assert.IsType<MqttPacket.Publish>(read[1]);
            Assert.Equal(("a/b", 1, 7, "{}  "), (publish.Topic, publish.Qos, publish.Id, Encoding.UTF8.GetString(publish.Payload.Span)));
            Assert.IsType<MqttPacket.Ping>(read[2]);
        }
    }

    [Fact]
    public void Random_bytes_are_refused_and_never_a_bug()
    {
        var random = new Random(17);
        for (var round = 0; round < 20_000; round++)
        {
            var decoder = new MqttDecoder(512);
            Read(decoder, Convert.FromHexString(round % 2 == 0 ? "100E00044D5154540502000000000164" : "100D00044D51545404020000000164"));
            var bytes = new byte[random.Next(2, 40)];
            random.NextBytes(bytes);
            bytes[1] = (byte)(bytes.Length - 2);
            try
            {
                Read(decoder, bytes);
            }
            catch (MqttProtocolException exception)
            {
                Assert.True(exception.Reason >= MqttReason.UnspecifiedError);
            }
        }
    }

    [Theory]
    [InlineData("iomt/v1/t/g/d/s", null, null, "d")]
    [InlineData("iomt/v1/t/g/d/s/x/mapping=cgm/type=csv", "cgm", "text/csv", "d")]
    [InlineData("a/b/mapping=cgm", "cgm", null, null)]
    [InlineData("mapping=cgm", null, null, null)]
    [InlineData("a/type=exe", null, null, null)]
    public void A_topic_says_how_to_read_its_messages(string name, string? mapping, string? type, string? device)
    {
        var topic = MqttTopic.Parse(name);
        Assert.Equal((mapping, type, device), (topic.Mapping, topic.ContentType, topic.Device));
    }

    [Fact]
    public void What_the_transport_knows_stands_over_what_an_envelope_says_of_itself()
    {
        var properties = new EnvelopeProperties(new Dictionary<string, string> { ["topic"] = "t" }, new Dictionary<string, string> { ["iothub-connection-device-id"] = "d" });
        string Envelope(string payload) => Encoding.UTF8.GetString(((MessageEntry.Taken)properties.AddTo(new MessageSplitter(new SplitLimits(1000)).Split(Encoding.UTF8.GetBytes(payload), "application/json").Require())[0]).Reading.Envelope.Span);
        Assert.Equal("""{"Body":{"a":1},"Properties":{"topic":"t"},"SystemProperties":{"iothub-connection-device-id":"d"}}""", Envelope("""{"a":1}"""));
        Assert.Equal("""{"Body":{"a":1.50},"x":2,"Properties":{"own":"p","topic":"t"},"SystemProperties":{"iothub-connection-device-id":"d"}}""",
            Envelope("""{"Body":{"a":1.50},"x":2,"Properties":{"topic":"forged","own":"p"},"SystemProperties":{"iothub-connection-device-id":"forged"}}"""));
    }

    private static MqttPacket? Read(MqttDecoder decoder, byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        return decoder.TryRead(ref buffer, out var packet) ? packet : null;
    }
}
