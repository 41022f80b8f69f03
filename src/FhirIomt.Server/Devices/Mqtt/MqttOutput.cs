using System.Net.Sockets;
using FhirIomt.Ingest.Mqtt;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>What a connection says: one packet after the other, and none after the last word.</summary>
internal sealed class MqttOutput(Stream stream) : IDisposable
{
    private const int MostDiscarded = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _isClosed;

    /// <summary>A connection that is gone is no fault: its reader will find out.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> packets, bool isLast = false)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (!_isClosed)
            {
                _isClosed = isLast;
                await stream.WriteAsync(packets, CancellationToken.None).ConfigureAwait(false);
                await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or System.Net.WebSockets.WebSocketException)
        {
            _isClosed = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Lets the last word arrive: to close while bytes of the other side lie unread would reset the connection, and take it away again.</summary>
    public async ValueTask LingerAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            (stream as NetworkStream)?.Socket.Shutdown(SocketShutdown.Send);
            var (buffer, left) = (new byte[4096], MostDiscarded);
            while (left > 0 && await stream.ReadAsync(buffer, limit.Token).ConfigureAwait(false) is var read and > 0)
            {
                left -= read;
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or System.Net.WebSockets.WebSocketException)
        {
            // It is gone already, or will not go: either way nothing more is to be said.
        }
    }

    public void Dispose() => _turn.Dispose();
}
