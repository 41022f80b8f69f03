using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace FhirIomt.Server.Devices.Listening;

/// <summary>One connection of a device or gateway.</summary>
/// <param name="Certificate">What the other side proved by TLS to have; null without.</param>
internal sealed record DeviceConnection(Stream Stream, IPAddress? Address, X509Certificate2? Certificate);

/// <summary>Takes connections on a port of its own, with TLS where it is configured, and gives each to a protocol. One connection never costs another.</summary>
internal abstract class DeviceListener(ListenerOptions options, ILogger logger) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(10);

    // A server that stops waits for messages in hand, not for connections that lie idle.
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<Task> _connections = [];
    private readonly Lock _lock = new();
    private TcpListener? _listener;
    private Task? _accepting;
    private (X509Certificate2 Certificate, X509Certificate2Collection Chain)? _certificate;

    /// <summary>Where it listens, once it does: with the port that the system chose for 0.</summary>
    public IPEndPoint? EndPoint => _listener?.LocalEndpoint as IPEndPoint;

    public virtual Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.IsOn)
        {
            _certificate = options.IsTls ? options.Tls.Load() : null;
            _listener = new TcpListener(options.EndPoint);
            _listener.Start();
            _accepting = AcceptAsync(_listener);
        }

        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _listener?.Stop();
        if (_accepting is not null)
        {
            await _accepting.ConfigureAwait(false);
        }

        Task[] connections;
        lock (_lock)
        {
            connections = [.. _connections];
        }

        await Task.WhenAny(Task.WhenAll(connections), Task.Delay(Goodbye, TimeProvider.System, cancellationToken)).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _listener?.Dispose();
        _stopping.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Speaks the protocol until the connection ends or the server stops. Exceptions of the connection end it and nothing else.</summary>
    protected abstract Task ServeAsync(DeviceConnection connection, CancellationToken stopping);

    private async Task AcceptAsync(TcpListener listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of handles, or the caller was gone already: neither ends the listener.
                logger.ConnectionFailed(exception.SocketErrorCode.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            Begin(socket);
        }
    }

    private void Begin(Socket socket)
    {
        lock (_lock)
        {
            if (_connections.Count >= options.MaxConnections)
            {
                socket.Dispose();
                return;
            }

            var connection = Task.Run(() => RunAsync(socket));
            _connections.Add(connection);
            _ = connection.ContinueWith(
                ended =>
                {
                    lock (_lock)
                    {
                        _connections.Remove(ended);
                    }
                },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task RunAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            var address = (socket.RemoteEndPoint as IPEndPoint)?.Address;
            var network = new NetworkStream(socket, ownsSocket: true);
            await using (network.ConfigureAwait(false))
            {
                if (_certificate is null)
                {
                    await ServeAsync(new DeviceConnection(network, address, null), _stopping.Token).ConfigureAwait(false);
                    return;
                }

                var secure = new SslStream(network, leaveInnerStreamOpen: true);
                await using (secure.ConfigureAwait(false))
                {
                    await AuthenticateAsync(secure).ConfigureAwait(false);
                    var certificate = secure.RemoteCertificate as X509Certificate2;
                    await ServeAsync(new DeviceConnection(secure, address, certificate), _stopping.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            // The other side went away, or spoke no TLS: its own affair. It sends again what was not acknowledged.
        }
        catch (Exception exception)
        {
            logger.ConnectionBroken(exception);
        }
    }

    // Who may sign is not asked: a device is known by its very certificate, which was registered. The handshake proves that it has the key.
    private async Task AuthenticateAsync(SslStream stream)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(Handshake);
        var settings = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(_certificate!.Value.Certificate, _certificate.Value.Chain),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = static (_, certificate, _, errors) => certificate is null || (errors & SslPolicyErrors.RemoteCertificateNotAvailable) == 0,
        };
        await stream.AuthenticateAsServerAsync(settings, limit.Token).ConfigureAwait(false);
    }
}

internal static partial class ListenerLog
{
    [LoggerMessage(EventId = 70, Level = LogLevel.Warning, Message = "A connection could not be taken: {Reason}")]
    public static partial void ConnectionFailed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 71, Level = LogLevel.Error, Message = "A connection was ended by a fault of the server")]
    public static partial void ConnectionBroken(this ILogger logger, Exception exception);
}
