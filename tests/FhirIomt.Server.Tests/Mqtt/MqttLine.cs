using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace FhirIomt.Server.Tests.Mqtt;

/// <summary>A client of MQTT that is written down byte by byte, so that it can also say what no good client says.</summary>
internal sealed class MqttLine(Stream stream, int version) : IDisposable
{
    public static MqttLine To(int port, int version)
    {
        var client = new TcpClient("127.0.0.1", port) { NoDelay = true };
        return new MqttLine(client.GetStream(), version);
    }

    /// <summary>Connects, and answers the flags and the code of CONNACK.</summary>
    public async Task<(int Flags, int Code)> ConnectAsync(string client, string? password, bool clean = true, uint? expiry = null, int keepAlive = 60, byte[]? will = null, int willFlags = 0)
    {
        await SendAsync(Connect(version, client, password, clean, expiry, keepAlive, will, willFlags));
        var (type, body) = await ReadAsync();
        Assert.Equal(0x20, type);
        return (body[0], body[1]);
    }

    public static byte[] Connect(int version, string client, string? password, bool clean = true, uint? expiry = null, int keepAlive = 60, byte[]? will = null, int willFlags = 0)
    {
        var flags = (clean ? 2 : 0) | (password is null ? 0 : version == 4 ? 0xC0 : 0x40) | (will is null ? 0 : 4 | willFlags);
        byte[] properties = version == 4 ? [] : expiry is { } seconds ? [5, 0x11, (byte)(seconds >> 24), (byte)(seconds >> 16), (byte)(seconds >> 8), (byte)seconds] : [0];
        byte[] user = password is null ? [] : version == 4 ? [.. Text("any"), .. Text(password)] : Text(password);
        return Packet(0x10, [.. Text("MQTT"), (byte)version, (byte)flags, (byte)(keepAlive >> 8), (byte)keepAlive, .. properties, .. Text(client), .. will ?? [], .. user]);
    }

    public byte[] Publish(string topic, string payload, int qos, int id, bool again = false, bool retain = false, params byte[] properties) =>
        Publish(topic, Encoding.UTF8.GetBytes(payload), qos, id, again, retain, properties);

    public byte[] Publish(string topic, byte[] payload, int qos, int id, bool again = false, bool retain = false, params byte[] properties) => Packet(
        0x30 | (qos << 1) | (again ? 8 : 0) | (retain ? 1 : 0),
        [.. Text(topic), .. qos == 0 ? [] : Short(id), .. version == 4 ? [] : (byte[])[(byte)properties.Length, .. properties], .. payload]);

    public static byte[] Release(int id) => Packet(0x62, Short(id));

    public static byte[] Packet(int head, byte[] body)
    {
        var length = new List<byte>();
        var left = body.Length;
        do
        {
            length.Add((byte)((left & 0x7F) | (left > 0x7F ? 0x80 : 0)));
            left >>= 7;
        }
        while (left > 0);
        return [(byte)head, .. length, .. body];
    }

    public static byte[] Text(string text) => [.. Short(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Short(int value) => [(byte)(value >> 8), (byte)value];

    public async Task SendAsync(byte[] bytes) => await stream.WriteAsync(bytes);

    /// <summary>The next packet: the first byte and what follows the length.</summary>
    public async Task<(int Head, byte[] Body)> ReadAsync() => await ReadOrEndAsync() ?? throw new InvalidOperationException("The connection ended.");

    public async Task<(int Head, byte[] Body)?> ReadOrEndAsync()
    {
        try
        {
            var head = new byte[1];
            if (await stream.ReadAsync(head) == 0)
            {
                return null;
            }

            var (length, shift, one) = (0, 0, new byte[1]);
            do
            {
                await stream.ReadExactlyAsync(one);
                length |= (one[0] & 0x7F) << shift;
                shift += 7;
            }
            while ((one[0] & 0x80) != 0);
            var body = new byte[length];
            await stream.ReadExactlyAsync(body);
            return (head[0], body);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Reads an acknowledgement of that type and answers its identifier and reason (0 where none is written).</summary>
    public async Task<(int Id, int Reason)> ReadAsync(int head)
    {
        var (type, body) = await ReadAsync();
        Assert.Equal(head, type);
        return (BinaryPrimitives.ReadUInt16BigEndian(body), body.Length > 2 ? body[2] : 0);
    }

    /// <summary>Whether the connection ends, and with which reason its DISCONNECT comes first, if one does.</summary>
    public async Task<int?> EndAsync()
    {
        int? reason = null;
        while (await ReadOrEndAsync() is { } packet)
        {
            reason = packet.Head == 0xE0 ? packet.Body[0] : packet.Head == 0x20 ? packet.Body[1] : reason;
        }

        return reason;
    }

    public void Dispose() => stream.Dispose();
}
