using FhirIomt.Core;
using FhirIomt.Ingest;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Server.Hosting;

namespace FhirIomt.Server.Devices.Streaming;

/// <summary>What a transport carried, before anybody has looked into it.</summary>
/// <param name="Properties">What the sender said beside it: names and values.</param>
/// <param name="ContentType">A media type or one of the words json, ndjson, csv and hl7; null where the sender said nothing.</param>
internal sealed record StreamPayload(string Topic, ReadOnlyMemory<byte> Payload, string? ContentType, IReadOnlyList<KeyValuePair<string, string>> Properties);

/// <summary>Makes messages of payloads: which mapping, which format, and the envelope with what the transport knows.</summary>
internal sealed class PayloadReader(MappingCatalog mappings, ServerOptions options, TimeProvider time)
{
    private readonly MessageSplitter _splitter = new(new SplitLimits(options.Ingest.MaxBodyBytes) { MaxMessages = options.Ingest.MaxMessages });

    /// <summary>
    /// A payload that cannot be cut into messages, or names a mapping that is not there, is refused; or, where nobody can be told (<paramref name="keepsRefused"/>), becomes a
    /// message that will wait in quarantine as it came.
    /// </summary>
    public async ValueTask<Outcome<StreamMessage>> ReadAsync(Sender sender, string? address, StreamPayload payload, bool keepsRefused, CancellationToken cancellationToken)
    {
        var topic = MqttTopic.Parse(payload.Topic);
        var name = NamedMapping(topic, payload.Properties) ?? (IsHl7(topic, payload) ? MappingCatalog.Hl7 : sender.DefaultMapping);
        var mapping = name is null ? null : await mappings.FindAsync(name, cancellationToken).ConfigureAwait(false);
        if (mapping is null && !keepsRefused)
        {
            return name is null ? DeviceIssues.NoMapping() : DeviceIssues.UnknownMapping(name);
        }

        var envelope = new EnvelopeProperties(PropertiesOf(topic, payload.Properties), SystemOf(topic));
        if (!Split(topic, payload).TryGetValue(out var entries, out var issues))
        {
            if (!keepsRefused)
            {
                return Outcome<StreamMessage>.Refused(issues);
            }

            entries = [envelope.Keep(0, payload.Payload, issues[0])];
        }

        entries = envelope.AddTo(entries);
        if (keepsRefused && entries.Any(static entry => entry is MessageEntry.Refused))
        {
            entries = [.. entries.Select(entry => entry is MessageEntry.Refused refused ? envelope.Keep(refused.Index, refused.Payload, refused.Issue) : entry)];
        }

        return new StreamMessage(sender, address, mapping ?? MissingMapping.Named(name), entries, payload.Payload.Length) { KeepsRefused = keepsRefused };
    }

    /// <summary>The mapping that a message names itself; null where the sender's default counts.</summary>
    public static string? NamedMapping(MqttTopic topic, IReadOnlyList<KeyValuePair<string, string>> properties) => properties.LastOrDefault(property => property.Key == "mapping").Value ?? topic.Mapping;

    private static bool IsHl7(MqttTopic topic, StreamPayload payload) => (payload.ContentType ?? topic.ContentType)?.Contains("hl7", StringComparison.OrdinalIgnoreCase) == true;

    private Outcome<IReadOnlyList<MessageEntry>> Split(MqttTopic topic, StreamPayload payload)
    {
        var type = payload.ContentType is { Length: > 0 } said ? MqttTopic.MediaType(said) ?? said : topic.ContentType ?? "application/json";
        return DeviceEndpoints.IsMessageType(type) ? _splitter.Split(payload.Payload, type) : StreamIssues.UnknownContentType(type);
    }

    // What the server knows of the topic comes last: a property of the same name does not count.
    private static Dictionary<string, string> PropertiesOf(MqttTopic topic, IReadOnlyList<KeyValuePair<string, string>> properties)
    {
        var all = new Dictionary<string, string>(properties.Count + topic.Levels.Count + 1, StringComparer.Ordinal);
        foreach (var (name, value) in properties)
        {
            all[name] = value;
        }

        foreach (var (name, value) in topic.Levels)
        {
            all[name] = value;
        }

        all["topic"] = topic.Name;
        return all;
    }

    // The names of IoT Hub, so that mappings written for it run unchanged. Whose device it is, is decided by the credential all the same.
    private Dictionary<string, string> SystemOf(MqttTopic topic)
    {
        var system = new Dictionary<string, string>(2, StringComparer.Ordinal) { ["iothub-enqueuedtime"] = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture) };
        if (topic.Device is { Length: > 0 } device)
        {
            system["iothub-connection-device-id"] = device;
        }

        return system;
    }
}
