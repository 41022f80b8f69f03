using System.Globalization;
using System.Text;
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
        var headers = HeadersOf(delivery);
        var topic = TopicOf(delivery.RoutingKey);
        if (await SenderOfAsync(headers, delivery.BasicProperties.UserId, topic, cancellationToken).ConfigureAwait(false) is not { } sender)
        {
            return StreamIssues.NoIdentity();
        }

        // The client's memory is its own again when the handler ends.
        var body = delivery.Body.ToArray();
        var payload = new StreamPayload(topic, body, delivery.BasicProperties.ContentType, [.. headers.Where(header => header.Key != Credential)]);
        var read = await reader.ReadAsync(sender, address: null, payload, keepsRefused: true, cancellationToken).ConfigureAwait(false);
        return read.TryGetValue(out var message, out var issues)
            ? message with { RepeatKey = StreamMessage.KeyOf(sender, topic, body), IsRepeated = delivery.Redelivered || headers.Any(header => header is { Key: "x-mqtt-dup", Value: "True" }), RepeatsKnown = options.RepeatsKnown }
            : Outcome<StreamMessage>.Refused(issues);
    }

    private async ValueTask<Sender?> SenderOfAsync(List<KeyValuePair<string, string>> headers, string? user, string topic, CancellationToken cancellationToken)
    {
        if (headers.Find(header => header.Key == Credential).Value is { } secret)
        {
            return await credentials.FindAsync(secret, cancellationToken).ConfigureAwait(false);
        }

        var name = options.TrustUsers && !string.IsNullOrEmpty(user) ? user : options.TrustTopics ? MqttTopic.Parse(topic).Tenant : null;
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

    private static List<KeyValuePair<string, string>> HeadersOf(BasicDeliverEventArgs delivery)
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in delivery.BasicProperties.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal))
        {
            if (value is byte[] or string or bool or int or long)
            {
                headers.Add(new(name, value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(value, CultureInfo.InvariantCulture)!));
            }
        }

        return headers;
    }
}
