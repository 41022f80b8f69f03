using System.Text;
using FhirIomt.Core;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>
/// Which nodes are there, as they tell one another through the broker, and which queues are this one's: the nodes in order take the queues in turn, so that each has as many as
/// another, or one more. Two nodes that disagree for a moment harm nothing: a queue has one consumer at a time, whatever they think.
/// </summary>
internal sealed class BrokerNodes(RabbitMqOptions options, IdSource ids, TimeProvider time)
{
    private const string Leaving = "leaving";
    private const int Missed = 3;

    private readonly Dictionary<string, DateTimeOffset> _heard = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public string Id { get; } = ids.NewId();

    /// <summary>The queues of this node, by what is known now.</summary>
    public HashSet<int> Own()
    {
        lock (_lock)
        {
            foreach (var gone in _heard.Where(node => time.GetUtcNow() - node.Value > options.Heartbeat * Missed).Select(node => node.Key).ToList())
            {
                _heard.Remove(gone);
            }

            return QueuesOf(Id, [.. _heard.Keys, Id], options.Queues);
        }
    }

    internal static HashSet<int> QueuesOf(string node, IEnumerable<string> nodes, int queues)
    {
        var all = nodes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return [.. Enumerable.Range(0, queues).Where(queue => all[queue % all.Count] == node)];
    }

    /// <summary>Begins to listen to the others.</summary>
    public async Task ListenAsync(IChannel channel, BrokerTopology topology, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _heard.Clear();
        }

        var queue = await channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        await channel.QueueBindAsync(queue.QueueName, topology.Nodes, "", cancellationToken: cancellationToken).ConfigureAwait(false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, said) =>
        {
            Hear(Encoding.UTF8.GetString(said.Body.Span));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, cancellationToken).ConfigureAwait(false);
    }

    public Task SayAsync(IChannel channel, BrokerTopology topology, bool isLeaving, CancellationToken cancellationToken) =>
        channel.BasicPublishAsync(topology.Nodes, "", Encoding.UTF8.GetBytes(isLeaving ? $"{Id} {Leaving}" : Id), cancellationToken).AsTask();

    private void Hear(string said)
    {
        var words = said.Split(' ');
        lock (_lock)
        {
            if (words is [var gone, Leaving])
            {
                _heard.Remove(gone);
            }
            else if (words is [{ Length: > 0 and <= 100 } node] && _heard.Count < options.Queues)
            {
                _heard[node] = time.GetUtcNow();
            }
        }
    }
}
