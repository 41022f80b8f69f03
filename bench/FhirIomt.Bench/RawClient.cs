using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace FhirIomt.Bench;

/// <summary>
/// A load generator that costs little beside the server on the same two cores: requests are bytes made beforehand, answers are read to their end and
/// looked at for the status only.
/// </summary>
internal static class RawClient
{
    /// <summary>Sends from each client its requests one after the other for that long.</summary>
    /// <param name="request">Makes the n-th request of a client.</param>
    /// <param name="expected">The status that counts as success; another one ends the run.</param>
    public static async Task<Load> RunAsync(int port, int clients, TimeSpan duration, Func<int, long, byte[]> request, int expected)
    {
        using var stop = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        var runs = Enumerable.Range(0, clients).Select(client => Task.Run(() => ClientAsync(port, client, request, expected, stop.Token))).ToList();
        await Task.Delay(duration);
        await stop.CancelAsync();
        var latencies = (await Task.WhenAll(runs)).SelectMany(one => one).Order().ToList();
        return new Load(latencies.Count, latencies.Count / clock.Elapsed.TotalSeconds, latencies.Count == 0 ? 0 : latencies[(int)(latencies.Count * 0.99)] * 1000.0 / Stopwatch.Frequency);
    }

    public static byte[] Request(string method, string path, string? credential, string? contentType = null, byte[]? body = null)
    {
        var head = $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n";
        head += credential is null ? "" : $"Authorization: Bearer {credential}\r\n";
        head += body is null ? "\r\n" : $"Content-Type: {contentType}\r\nContent-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body ?? []];
    }

    private static async Task<List<long>> ClientAsync(int port, int client, Func<int, long, byte[]> request, int expected, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        var buffer = new byte[256 * 1024];
        var latencies = new List<long>(100_000);
        for (long number = 0; !stop.IsCancellationRequested; number++)
        {
            var start = Stopwatch.GetTimestamp();
            await SendAsync(socket, request(client, number));
            var status = await ReadAnswerAsync(socket, buffer);
            if (status != expected)
            {
                throw new InvalidOperationException($"status {status} instead of {expected}: {Encoding.UTF8.GetString(buffer, 0, 600)}");
            }

            latencies.Add(Stopwatch.GetTimestamp() - start);
        }

        return latencies;
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    private static async Task<int> ReadAnswerAsync(Socket socket, byte[] buffer)
    {
        var filled = 0;
        int head;
        while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            filled += await ReceiveAsync(socket, buffer.AsMemory(filled));
        }

        var status = ((buffer[9] - '0') * 100) + ((buffer[10] - '0') * 10) + buffer[11] - '0';
        var body = head + 4;
        if (LengthOf(buffer.AsSpan(0, head)) is { } length)
        {
            for (var left = length - (filled - body); left > 0;)
            {
                left -= await ReceiveAsync(socket, buffer.AsMemory(body, Math.Min(left, buffer.Length - body)));
            }

            return status;
        }

        // Chunked: the end is the empty chunk, which may come in pieces. Each receipt is put behind the last bytes of the one before.
        var end = filled;
        while (!EndsHere(buffer.AsSpan(body, end - body)))
        {
            var kept = Math.Min(EmptyChunk.Length, end - body);
            buffer.AsSpan(end - kept, kept).CopyTo(buffer.AsSpan(body));
            end = body + kept;
            end += await ReceiveAsync(socket, buffer.AsMemory(end));
        }

        return status;
    }

    private static ReadOnlySpan<byte> EmptyChunk => "\r\n0\r\n\r\n"u8;

    // The line before it belongs to the chunk that ends there; an answer without any has none.
    private static bool EndsHere(ReadOnlySpan<byte> read) => read.EndsWith(EmptyChunk) || read.SequenceEqual(EmptyChunk[2..]);

    private static async ValueTask<int> ReceiveAsync(Socket socket, Memory<byte> into)
    {
        var received = await socket.ReceiveAsync(into);
        return received > 0 ? received : throw new IOException("the server closed the connection");
    }

    private static int? LengthOf(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        if (at < 0)
        {
            return null;
        }

        var digits = head[(at + 16)..];
        var end = digits.IndexOf((byte)'\r');
        return int.Parse(end < 0 ? digits : digits[..end]);
    }
}

/// <param name="PerSecond">Requests answered in a second.</param>
/// <param name="P99">Milliseconds.</param>
internal readonly record struct Load(long Count, double PerSecond, double P99);
