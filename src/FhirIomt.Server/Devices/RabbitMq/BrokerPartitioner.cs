using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>
/// Puts what came to the inbox into the queue of its device, in order. One node does it at a time, whichever the broker chose; the others stand by. The hash is our own: the broker's hash
/// exchange gives a key another queue after a restart, and with it the order of what was published before and after would be lost.
/// </summary>
internal sealed class BrokerPartitioner(IChannel channel, BrokerTopology topology, Func<Task> failed)
{
    // What a commit of the broker takes together; more would only be sent twice when this node dies.
    private const ushort Prefetch = 1000;

    // iomt.v1.tenant.gateway.device: what follows (stream, mapping) does not move a device to another queue.
    private const int DeviceLevels = 5;

    private readonly Lock _lock = new();
    private readonly SortedSet<ulong> _confirmed = [];
    private ulong _done;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        channel.BasicAcksAsync += (_, confirmed) => ConfirmAsync(confirmed.DeliveryTag, confirmed.Multiple);
        channel.BasicNacksAsync += (_, _) => failed();

        // A queue that somebody has deleted: made again with the next connection.
        channel.BasicReturnAsync += (_, _) => failed();
        await channel.BasicQosAsync(0, Prefetch, global: false, cancellationToken).ConfigureAwait(false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => PassOnAsync(delivery);
        await channel.BasicConsumeAsync(topology.Inbox, autoAck: false, consumer, cancellationToken).ConfigureAwait(false);
    }

    internal static int QueueOf(string routingKey, int queues)
    {
        var levels = routingKey.Split('.');
        var device = levels is ["iomt", "v1", ..] ? string.Join('.', levels.Take(DeviceLevels)) : routingKey;
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(device))) % (uint)queues);
    }

    // Each delivery is one publish on the same channel, so both have the same number: what is confirmed up to there can be acknowledged up to there.
    private async Task PassOnAsync(BasicDeliverEventArgs delivery)
    {
        try
        {
            var properties = new BasicProperties(delivery.BasicProperties) { Persistent = true, Headers = BrokerHeaders.PassedOn(delivery) };
            properties.ClearUserId();
            properties.ClearExpiration();
            await channel.BasicPublishAsync("", topology.Queue(QueueOf(delivery.RoutingKey, topology.Queues)), mandatory: true, properties, delivery.Body, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (RabbitMqSource.IsBroken(exception))
        {
            await failed().ConfigureAwait(false);
        }
    }

    private async Task ConfirmAsync(ulong number, bool multiple)
    {
        ulong before;
        ulong done;
        lock (_lock)
        {
            before = _done;
            if (multiple)
            {
                _done = Math.Max(_done, number);
                _confirmed.RemoveWhere(one => one <= _done);
            }
            else
            {
                _confirmed.Add(number);
            }

            while (_confirmed.Remove(_done + 1))
            {
                _done++;
            }

            done = _done;
        }

        if (done > before && channel.IsOpen)
        {
            await channel.BasicAckAsync(done, multiple: true, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
