namespace FhirIomt.Ingest.Mqtt;

/// <summary>
/// What a topic says about its message: <c>iomt/v1/{tenant}/{gateway}/{device}/{stream}</c>, or any other. Last levels of the form <c>mapping=NAME</c> and
/// <c>type=json|ndjson|csv|hl7</c> say how to read the payload. Nothing in a topic says who sends: that is known from the connection.
/// </summary>
/// <param name="Levels">Names and values of the levels of our own form, for mappings; empty for other topics.</param>
public sealed record MqttTopic(string Name, string? Mapping, string? ContentType, IReadOnlyList<KeyValuePair<string, string>> Levels)
{
    private const string Own = "iomt/v1/";
    private static readonly string[] LevelNames = ["tenant", "gateway", "device", "stream"];

    /// <summary>The device as the topic calls it; null where the topic is not of our own form.</summary>
    public string? Device => Levels.Count > 2 ? Levels[2].Value : null;

    public string? Tenant => Levels.Count > 0 ? Levels[0].Value : null;

    public static MqttTopic Parse(string topic)
    {
        var rest = topic.AsSpan();
        string? mapping = null;
        string? type = null;
        while (rest.LastIndexOf('/') is var slash and >= 0 && TryHint(rest[(slash + 1)..], ref mapping, ref type))
        {
            rest = rest[..slash];
        }

        return new MqttTopic(topic, mapping, type, rest.StartsWith(Own, StringComparison.Ordinal) ? LevelsOf(rest[Own.Length..]) : []);
    }

    /// <summary>The media type that a word stands for; null for an unknown one.</summary>
    public static string? MediaType(string word) => word switch
    {
        "json" => "application/json",
        "ndjson" => "application/x-ndjson",
        "csv" => "text/csv",
        "hl7" => "application/hl7-v2",
        _ => null,
    };

    // The last name takes all that is left.
    private static KeyValuePair<string, string>[] LevelsOf(ReadOnlySpan<char> path)
    {
        var count = Math.Min(path.Count('/') + 1, LevelNames.Length);
        var levels = new KeyValuePair<string, string>[count];
        for (var index = 0; index < count; index++)
        {
            var end = index == count - 1 ? path.Length : path.IndexOf('/');
            levels[index] = new(LevelNames[index], path[..end].ToString());
            path = path[Math.Min(end + 1, path.Length)..];
        }

        return levels;
    }

    private static bool TryHint(ReadOnlySpan<char> level, ref string? mapping, ref string? type)
    {
        if (level.StartsWith("mapping=", StringComparison.Ordinal))
        {
            mapping ??= level["mapping=".Length..].ToString();
            return true;
        }

        if (level.StartsWith("type=", StringComparison.Ordinal) && MediaType(level["type=".Length..].ToString()) is { } known)
        {
            type ??= known;
            return true;
        }

        return false;
    }
}
