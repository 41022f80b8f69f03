using System.Collections.Concurrent;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace FhirIomt.Server.Tests.RabbitMq;

/// <summary>Publishes to the broker until it confirms, as a gateway does; over again when it was away.</summary>
internal sealed class BrokerProducer(string uri) : IAsyncDisposable
{
    private IConnection? _connection;
    private IChannel? _channel;

    public ConcurrentDictionary<string, bool> Confirmed { get; } = new(StringComparer.Ordinal);

    public async Task PublishAsync(string device, string body, string? credential, string? user = null, string exchange = "iomt", string? type = null)
    {
        while (true)
        {
            try
            {
                _connection ??= await new ConnectionFactory { Uri = new Uri(uri), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
                _channel ??= await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
                var properties = new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?>(StringComparer.Ordinal), UserId = user, ContentType = type };
                if (credential is not null)
                {
                    properties.Headers["credential"] = credential;
                }

                await _channel.BasicPublishAsync(exchange, $"iomt.v1.ward.gw.{device}", mandatory: true, properties, Encoding.UTF8.GetBytes(body));
                Confirmed[body] = true;
                return;
            }
            catch (Exception exception) when (exception is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException)
            {
                await DisposeAsync();
                (_connection, _channel) = (null, null);
                await Task.Delay(100);
            }
        }
    }

    public async Task<uint> WaitingAsync(string queue)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(uri) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        return await channel.MessageCountAsync(queue);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await (_channel?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It was gone.
        }
    }
}
