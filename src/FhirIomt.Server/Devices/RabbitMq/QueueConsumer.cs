using System.Threading.Channels;
using FhirIomt.Core;
using FhirIomt.Server.Devices.Streaming;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>Empties one queue: in order, acknowledged after the commit, with no more under way than agreed.</summary>
internal sealed class QueueConsumer(int number, IChannel channel, BrokerTopology topology, BrokerMessages messages, MessageIntake intake)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Channel<Delivery> _underWay = Channel.CreateUnbounded<Delivery>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _taking = new(1, 1);
    private Task _acknowledging = Task.CompletedTask;
    private volatile bool _isEnding;

    public async Task StartAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        await channel.BasicQosAsync(0, (ushort)options.Prefetch, global: false, cancellationToken).ConfigureAwait(false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => TakeAsync(delivery);
        _acknowledging = AcknowledgeAsync();
        await channel.BasicConsumeAsync(topology.Queue(number), autoAck: false, consumer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Brings to an end what is under way, and gives the rest back to the queue, where it stands at its old place: the next consumer goes on where this one ended.
    /// </summary>
    public async Task StopAsync()
    {
        _isEnding = true;

        // One that is being taken is under way already: what became of it must be known before the next consumer gets it.
        await _taking.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _underWay.Writer.TryComplete();
        _taking.Release();
        try
        {
            await _acknowledging.ConfigureAwait(false);
            await channel.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (RabbitMqSource.IsBroken(exception))
        {
            // The connection is gone: the broker has given back what was not acknowledged.
        }

        await channel.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
        _taking.Dispose();
    }

    /// <summary>Waits no longer for the store.</summary>
    public void Abandon() => _stopping.Cancel();

    private async Task TakeAsync(BasicDeliverEventArgs delivery)
    {
        await _taking.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_isEnding)
            {
                return;
            }

            var read = await messages.ReadAsync(delivery, _stopping.Token).ConfigureAwait(false);
            var taken = read.TryGetValue(out var message, out var issues)
                ? new Delivery(delivery.DeliveryTag, message, await intake.SubmitAsync(message, number, _stopping.Token).ConfigureAwait(false))
                : new Delivery(delivery.DeliveryTag, null, RefuseAsync(delivery.BasicProperties, delivery.RoutingKey, delivery.Body.ToArray(), issues[0]));
            _underWay.Writer.TryWrite(taken);
        }
        catch (OperationCanceledException)
        {
            _isEnding = true;
        }
        finally
        {
            _taking.Release();
        }
    }

    // As many as are done at once are acknowledged at once; none before those that came before it.
    private async Task AcknowledgeAsync()
    {
        try
        {
            await foreach (var delivery in _underWay.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await FinishAsync(delivery).ConfigureAwait(false);
                if (!_underWay.Reader.TryPeek(out var next) || !next.Done.IsCompleted)
                {
                    await channel.BasicAckAsync(delivery.Tag, multiple: true, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException || RabbitMqSource.IsBroken(exception))
        {
            // What is not acknowledged comes again, here or elsewhere: not before this node has done with it.
            _isEnding = true;
            await foreach (var delivery in _underWay.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await Task.WhenAny(delivery.Done).ConfigureAwait(false);
            }
        }
    }

    private async Task FinishAsync(Delivery delivery)
    {
        var done = delivery.Done;
        while ((await done.ConfigureAwait(false)).Any(receipt => receipt.Issues.Any(issue => issue.Code == "IOMT-0590")))
        {
            // The quarantine is full: the broker keeps the message, and this queue waits for whoever empties it.
            await Task.Delay(Pause, TimeProvider.System, _stopping.Token).ConfigureAwait(false);
            done = await intake.SubmitAsync(delivery.Message! with { IsRepeated = true }, number, _stopping.Token).ConfigureAwait(false);
        }
    }

    // Confirmed before the delivery is acknowledged: it is always in one of the two places.
    private async Task<IReadOnlyList<MessageReceipt>> RefuseAsync(IReadOnlyBasicProperties came, string routingKey, byte[] body, Issue issue)
    {
        var properties = new BasicProperties(came) { Persistent = true, Headers = new Dictionary<string, object?>(came.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal), StringComparer.Ordinal) { ["iomt-issue"] = issue.Code, ["iomt-routing-key"] = routingKey } };
        properties.ClearUserId();
        await channel.BasicPublishAsync("", topology.Refused, mandatory: true, properties, body, _stopping.Token).ConfigureAwait(false);
        return [];
    }

    private sealed record Delivery(ulong Tag, StreamMessage? Message, Task<IReadOnlyList<MessageReceipt>> Done);
}
