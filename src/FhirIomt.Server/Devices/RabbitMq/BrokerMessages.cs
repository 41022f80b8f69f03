using FhirIomt.Core;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Server.Devices.Streaming;
using FhirIomt.Storage;
using RabbitMQ.Client.Events;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>
/// Makes messages of deliveries. Who sent one is proved by a credential in its header, or by what the broker itself vouches for: its user-id, or the topic that only one user
/// may publish to. Which of the two is believed, is configured.
/// </summary>
internal sealed class BrokerMessages(RabbitMqOptions options, SenderCredentials credentials, PayloadReader reader, IStore store)
{
    private const string Credential = "credential";

    /// <summary>Refused when nobody sent it who is known.</summary>
    public async ValueTask<Outcome<StreamMessage>> ReadAsync(BasicDeliverEventArgs delivery, CancellationToken cancellationToken)
    {
        var headers = BrokerHeaders.Read(delivery);
        var topic = TopicOf(headers.GetValueOrDefault(BrokerHeaders.Topic, ""));
        if (await SenderOfAsync(headers, topic, cancellationToken).ConfigureAwait(false) is not { } sender)
        {
            return StreamIssues.NoIdentity();
        }

        // The client's memory is its own again when the handler ends.
        var body = delivery.Body.ToArray();
        var payload = new StreamPayload(topic, body, delivery.BasicProperties.ContentType, [.. headers.Where(header => header.Key is not (Credential or BrokerHeaders.Topic or BrokerHeaders.User or BrokerHeaders.Repeated))]);
        var read = await reader.ReadAsync(sender, address: null, payload, keepsRefused: true, cancellationToken).ConfigureAwait(false);
        return read.TryGetValue(out var message, out var issues)
            ? message with { RepeatKey = StreamMessage.KeyOf(sender, topic, body), IsRepeated = delivery.Redelivered || headers.GetValueOrDefault(BrokerHeaders.Repeated) == "true" || headers.GetValueOrDefault("x-mqtt-dup") == "True", RepeatsKnown = options.RepeatsKnown }
            : Outcome<StreamMessage>.Refused(issues);
    }

    private async ValueTask<Sender?> SenderOfAsync(Dictionary<string, string> headers, string topic, CancellationToken cancellationToken)
    {
        if (headers.TryGetValue(Credential, out var secret))
        {
            return await credentials.FindAsync(secret, cancellationToken).ConfigureAwait(false);
        }

        var name = options.TrustUsers && headers.GetValueOrDefault(BrokerHeaders.User) is { Length: > 0 } user ? user : options.TrustTopics ? MqttTopic.Parse(topic).Tenant : null;
        return name is not null && MappingCatalog.IsName(name) && await store.FindRecordAsync(RecordKind.Vendor, name, cancellationToken).ConfigureAwait(false) is not null ? new Sender.Vendor(name, options.Mapping) : null;
    }

    // AMQP's topics have dots where MQTT's have slashes; the broker's plugin puts one for the other, both ways.
    private static string TopicOf(string routingKey) => string.Create(routingKey.Length, routingKey, static (into, key) =>
    {
        for (var index = 0; index < key.Length; index++)
        {
            into[index] = key[index] switch { '.' => '/', '/' => '.', var other => other };
        }
    });
}
