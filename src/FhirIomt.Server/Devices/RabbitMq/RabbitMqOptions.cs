namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>Settings of section <c>RabbitMq</c>: a broker whose queues this node helps to empty. Every node of one store has the same ones.</summary>
internal sealed class RabbitMqOptions
{
    /// <summary>Such as <c>amqp://user:password@broker:5672/vhost</c> or <c>amqps://…</c>; empty: off.</summary>
    public string? Uri { get; set; }

    /// <summary>Begin of the names of what is declared: the exchange, its queues, the place of what nobody sent.</summary>
    public string Name { get; set; } = "iomt";

    /// <summary>Queues that the devices are spread over; 1 to 256. Several for each node, so that they spread evenly, whichever number of nodes there is. The same for good: another number moves devices to other queues.</summary>
    public int Queues { get; set; } = 16;

    /// <summary>Messages of one queue that are under way at once; 1 to 10,000. Half a chunk of the pipeline: while one commits the next is there.</summary>
    public int Prefetch { get; set; } = 250;

    /// <summary>The broker's user of a message (its property user-id, which the broker checks) is the vendor of the same name.</summary>
    public bool TrustUsers { get; set; }

    /// <summary>The tenant of a topic <c>iomt/v1/{tenant}/…</c> is the vendor of the same name: only where the broker's topic permissions let nobody else publish there.</summary>
    public bool TrustTopics { get; set; }

    /// <summary>Mapping of messages that name none, from vendors that are known by user or topic.</summary>
    public string? Mapping { get; set; }

    /// <summary>How often nodes tell one another that they are there; 100 milliseconds to 1 minute. One that was not heard three times is gone, and its queues are shared out.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a message that waits in quarantine is known when it is delivered again; 1 minute to 30 days.</summary>
    public TimeSpan RepeatsKnown { get; set; } = TimeSpan.FromDays(7);

    public bool IsOn => !string.IsNullOrEmpty(Uri);

    public IEnumerable<string> Problems()
    {
        if (!IsOn)
        {
            yield break;
        }

        if (!System.Uri.TryCreate(Uri, UriKind.Absolute, out var address) || address.Scheme is not ("amqp" or "amqps"))
        {
            yield return "RabbitMq:Uri must be an address such as amqps://user:password@broker:5671/.";
        }

        if (Name.Length is 0 or > 100 || !Name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.'))
        {
            yield return "RabbitMq:Name must be 1 to 100 letters, digits, '-', '_' and '.'.";
        }

        if (Queues is < 1 or > 256)
        {
            yield return "RabbitMq:Queues must be from 1 to 256.";
        }

        if (Prefetch is < 1 or > 10_000)
        {
            yield return "RabbitMq:Prefetch must be from 1 to 10000.";
        }

        if (Heartbeat < TimeSpan.FromMilliseconds(100) || Heartbeat > TimeSpan.FromMinutes(1))
        {
            yield return "RabbitMq:Heartbeat must be from 00:00:00.1 to 00:01:00.";
        }

        if (RepeatsKnown < TimeSpan.FromMinutes(1) || RepeatsKnown > TimeSpan.FromDays(30))
        {
            yield return "RabbitMq:RepeatsKnown must be from 00:01:00 to 30.00:00:00.";
        }
    }
}
