using System.Globalization;
using System.Text;
using RabbitMQ.Client.Events;

namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>What is kept of a message when it is put from the inbox into its queue. What a sender writes under these names is always written over.</summary>
internal static class BrokerHeaders
{
    public const string Topic = "iomt-topic";
    public const string User = "iomt-user";
    public const string Repeated = "iomt-repeated";

    public static Dictionary<string, object?> PassedOn(BasicDeliverEventArgs delivery)
    {
        var headers = new Dictionary<string, object?>(delivery.BasicProperties.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal), StringComparer.Ordinal)
        {
            [Topic] = delivery.RoutingKey,
            [User] = delivery.BasicProperties.UserId ?? "",
            [Repeated] = delivery.Redelivered ? "true" : "false",
        };
        return headers;
    }

    /// <summary>Those that are a text, a number or yes and no, as texts.</summary>
    public static Dictionary<string, string> Read(BasicDeliverEventArgs delivery)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in delivery.BasicProperties.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal))
        {
            if (value is byte[] or string or bool or int or long)
            {
                headers[name] = value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
            }
        }

        return headers;
    }
}
