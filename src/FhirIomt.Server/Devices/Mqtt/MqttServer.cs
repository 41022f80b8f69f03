using System.Net.WebSockets;
using FhirIomt.Core;
using FhirIomt.Server.Devices.Listening;
using FhirIomt.Smart;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>What the connections of MQTT share, whichever way they come.</summary>
internal sealed class MqttServer(MqttGate gate, MqttSessions sessions, MqttPublisher publisher, IdSource ids, TimeProvider time)
{
    public MqttGate Gate => gate;

    public MqttSessions Sessions => sessions;

    public MqttPublisher Publisher => publisher;

    public IdSource Ids => ids;

    public TimeProvider Time => time;

    public async Task ServeAsync(MqttOptions options, DeviceConnection connection, CancellationToken stopping)
    {
        using var served = new MqttConnection(options, this, connection);
        await served.RunAsync(stopping).ConfigureAwait(false);
    }
}

/// <summary>MQTT on a port of its own, with TLS where it is configured.</summary>
internal sealed class MqttListener(MqttOptions options, MqttServer server, ILogger<MqttListener> logger) : DeviceListener(options, logger)
{
    protected override Task ServeAsync(DeviceConnection connection, CancellationToken stopping) => server.ServeAsync(options, connection, stopping);
}

/// <summary>MQTT over WebSocket (MQTT 5.0, 6) on the server's HTTP addresses.</summary>
internal sealed class MqttWebSocket(MqttOptions options, MqttServer server, IHostApplicationLifetime lifetime)
{
    public static void Map(WebApplication app)
    {
        if (app.Services.GetRequiredService<MqttOptions>().WebSocket)
        {
            app.Map<MqttWebSocket>("GET", "/mqtt", (endpoint, context) => endpoint.ServeAsync(context)).DisableRequestTimeout();
        }
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains("mqtt", StringComparer.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "websocket";
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt").ConfigureAwait(false);

        // A page in a browser would send the browser's certificate along without anybody's will: such a connection has its password only.
        var certificate = context.Request.Headers.Origin.Count == 0 ? context.Connection.ClientCertificate : null;
        var stream = WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: false);
        await using (stream.ConfigureAwait(false))
        {
            await server.ServeAsync(options, new DeviceConnection(stream, context.Connection.RemoteIpAddress, certificate), lifetime.ApplicationStopping).ConfigureAwait(false);
        }
    }
}

internal static partial class MqttLog
{
    [LoggerMessage(EventId = 95, Level = LogLevel.Error, Message = "A will could not be taken")]
    public static partial void WillNotTaken(this ILogger logger, Exception exception);
}
