using RabbitMQ.Client;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>
/// What stands in the broker. Messages come to one exchange, which spreads them over the queues by a hash of their routing key, so that those of one device (its topic) stay
/// together; each queue has one consumer at a time, so that they stay in order. The plugin rabbitmq_consistent_hash_exchange, which comes with RabbitMQ, must be enabled.
/// </summary>
internal sealed class BrokerTopology(RabbitMqOptions options)
{
    // Topics of the MQTT plugin arrive there, with dots in place of slashes.
    private const string Topics = "amq.topic";
    private const int MaxRefused = 100_000;

    public string Exchange => options.Name;

    /// <summary>Where messages go that nobody sent who is known: with the reason, for the operator.</summary>
    public string Refused => $"{options.Name}.refused";

    /// <summary>Where nodes tell one another that they are there.</summary>
    public string Nodes => $"{options.Name}.nodes";

    public string Queue(int number) => $"{options.Name}.messages.{number}";

    /// <summary>Declares everything; what is there already stays as it is.</summary>
    public async Task DeclareAsync(IChannel channel, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(Exchange, "x-consistent-hash", durable: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        await channel.ExchangeBindAsync(Exchange, Topics, "iomt.v1.#", cancellationToken: cancellationToken).ConfigureAwait(false);
        await channel.ExchangeDeclareAsync(Nodes, ExchangeType.Fanout, durable: false, cancellationToken: cancellationToken).ConfigureAwait(false);
        for (var number = 0; number < options.Queues; number++)
        {
            // A quorum queue: on disk before it is confirmed, and in a cluster on more than one.
            var arguments = new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = "quorum", ["x-single-active-consumer"] = true };
            await channel.QueueDeclareAsync(Queue(number), durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellationToken).ConfigureAwait(false);
            await channel.QueueBindAsync(Queue(number), Exchange, "1", cancellationToken: cancellationToken).ConfigureAwait(false);
        }

        var bounded = new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = "quorum", ["x-max-length"] = MaxRefused, ["x-overflow"] = "reject-publish" };
        await channel.QueueDeclareAsync(Refused, durable: true, exclusive: false, autoDelete: false, bounded, cancellationToken: cancellationToken).ConfigureAwait(false);
    }
}
