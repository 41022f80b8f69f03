using FhirIomt.Server.Devices.Streaming;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>Takes device messages from a broker's queues, together with the other nodes; connects again for as long as the server runs.</summary>
internal sealed class RabbitMqSource(RabbitMqOptions options, BrokerNodes nodes, BrokerMessages messages, MessageIntake intake, ILogger<RabbitMqSource> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly BrokerTopology _topology = new(options);
    private readonly Dictionary<int, QueueConsumer> _consumers = [];

    public static bool IsBroken(Exception exception) => exception is RabbitMQClientException or IOException or ObjectDisposedException or System.Net.Sockets.SocketException or TimeoutException;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.IsOn)
        {
            return;
        }

        var pause = FirstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var connection = await ConnectAsync(stoppingToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    pause = FirstPause;
                    await WorkAsync(connection, stoppingToken).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (IsBroken(exception) || exception is OperationCanceledException)
            {
                logger.BrokerGone(exception.Message);
            }

            await Task.WhenAny(Task.Delay(pause, TimeProvider.System, stoppingToken)).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        // What the client would declare again by itself is this service's own affair: which queues are whose may have changed meanwhile.
        var factory = new ConnectionFactory { Uri = new Uri(options.Uri!), AutomaticRecoveryEnabled = false, TopologyRecoveryEnabled = false, ClientProvidedName = $"fhiriomt {nodes.Id}", RequestedHeartbeat = TimeSpan.FromSeconds(10) };
        return factory.CreateConnectionAsync(cancellationToken);
    }

    private async Task WorkAsync(IConnection connection, CancellationToken stopping)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        connection.ConnectionShutdownAsync += (_, _) => broken.CancelAsync();
        var control = await connection.CreateChannelAsync(cancellationToken: stopping).ConfigureAwait(false);
        try
        {
            await _topology.DeclareAsync(control, stopping).ConfigureAwait(false);
            await nodes.ListenAsync(control, _topology, stopping).ConfigureAwait(false);
            logger.BrokerThere(nodes.Id);
            while (!broken.IsCancellationRequested)
            {
                await nodes.SayAsync(control, _topology, isLeaving: false, broken.Token).ConfigureAwait(false);
                await Task.WhenAny(Task.Delay(options.Heartbeat, TimeProvider.System, broken.Token)).ConfigureAwait(false);
                await ShareAsync(connection, broken).ConfigureAwait(false);
            }
        }
        finally
        {
            await LeaveAsync(control, stopping.IsCancellationRequested).ConfigureAwait(false);
        }
    }

    // First gives what is another's, then takes what is its own.
    private async Task ShareAsync(IConnection connection, CancellationTokenSource broken)
    {
        var own = nodes.Own();
        var given = _consumers.Where(consumer => !own.Contains(consumer.Key)).ToList();
        await Task.WhenAll(given.Select(consumer => consumer.Value.StopAsync())).ConfigureAwait(false);
        foreach (var (number, _) in given)
        {
            _consumers.Remove(number);
        }

        foreach (var number in own.Where(number => !_consumers.ContainsKey(number)))
        {
            var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), broken.Token).ConfigureAwait(false);
            channel.ChannelShutdownAsync += (_, reason) => reason.Initiator == ShutdownInitiator.Application ? Task.CompletedTask : broken.CancelAsync();
            var consumer = new QueueConsumer(number, channel, _topology, messages, intake);
            _consumers.Add(number, consumer);
            await consumer.StartAsync(options, broken.Token).ConfigureAwait(false);
        }

        if (given.Count > 0 || own.Count > 0)
        {
            logger.Shared(own.Count, options.Queues);
        }
    }

    private async Task LeaveAsync(IChannel control, bool inOrder)
    {
        // In order: what is under way is stored and acknowledged. Otherwise nothing of it can be acknowledged any more.
        if (!inOrder)
        {
            foreach (var consumer in _consumers.Values)
            {
                consumer.Abandon();
            }
        }

        await Task.WhenAll(_consumers.Values.Select(consumer => consumer.StopAsync())).ConfigureAwait(false);
        _consumers.Clear();
        try
        {
            if (inOrder && control.IsOpen)
            {
                await nodes.SayAsync(control, _topology, isLeaving: true, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            // The others will miss it.
        }

        await control.DisposeAsync().ConfigureAwait(false);
    }
}

internal static partial class RabbitMqLog
{
    [LoggerMessage(EventId = 97, Level = LogLevel.Warning, Message = "The broker of RabbitMq:Uri cannot be used, and is tried again: {Reason}")]
    public static partial void BrokerGone(this ILogger logger, string reason);

    [LoggerMessage(EventId = 98, Level = LogLevel.Information, Message = "Connected to the broker as node {Node}")]
    public static partial void BrokerThere(this ILogger logger, string node);

    [LoggerMessage(EventId = 99, Level = LogLevel.Debug, Message = "This node empties {Own} of {All} queues")]
    public static partial void Shared(this ILogger logger, int own, int all);
}
