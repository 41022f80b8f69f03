using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// What a commit of messages made of one patient's record: it goes into the audit's line about the commit, and from there is told as Provenance
/// (docs/adr/0017-provenance-of-readings.md).
/// </summary>
/// <param name="Devices">Whose readings they are, by id.</param>
/// <param name="Versions">What was written, <c>Observation/x/_history/1</c>. What was there already is not among them.</param>
public sealed record ReadingsMade(string Patient, IReadOnlyList<string> Devices, IReadOnlyList<string> Versions)
{
    private const string Usual = "Observation/";
    private const string History = "/_history/";

    /// <summary>For each patient what the operations wrote, once they have run.</summary>
    public static IReadOnlyList<ReadingsMade> Of(IReadOnlyList<IStoredReading> operations)
    {
        // A device that sends for itself has one reading in a line.
        if (operations is [var only])
        {
            return IsWritten(only) ? [new ReadingsMade(only.PatientId, [only.DeviceId], [VersionOf(only)])] : [];
        }

        return
        [
            .. operations.Where(IsWritten).GroupBy(operation => operation.PatientId, StringComparer.Ordinal).Select(group => new ReadingsMade(
                group.Key,
                [.. group.Select(operation => operation.DeviceId).Distinct(StringComparer.Ordinal)],
                [.. group.Select(VersionOf).Distinct(StringComparer.Ordinal)])),
        ];
    }

    /// <summary>As short as a line shall be: the type only where it is not Observation, the version only where it is not the first.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("p"u8, Patient);
        writer.WriteStartArray("d"u8);
        foreach (var device in Devices)
        {
            writer.WriteStringValue(device);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("t"u8);
        foreach (var version in Versions)
        {
            writer.WriteStringValue(Shortened(version));
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static ReadingsMade Read(ResourceNode node) => new(node["p"u8].AsString() ?? "", Texts(node["d"u8]), [.. Texts(node["t"u8]).Select(Lengthened)]);

    private static bool IsWritten(IStoredReading operation) => operation.Status is ReadingStatus.Stored or ReadingStatus.Updated;

    private static string VersionOf(IStoredReading operation) => $"{operation.ResourceType}/{operation.ResourceId}{History}{operation.Version}";

    private static ReadOnlySpan<char> Shortened(ReadOnlySpan<char> version)
    {
        var text = version.StartsWith(Usual, StringComparison.Ordinal) ? version[Usual.Length..] : version;
        return text.EndsWith(History + "1", StringComparison.Ordinal) ? text[..^(History.Length + 1)] : text;
    }

    private static string Lengthened(string text)
    {
        var whole = text.Contains(History, StringComparison.Ordinal) ? text : text + History + "1";
        return whole.IndexOf('/', StringComparison.Ordinal) == whole.IndexOf(History, StringComparison.Ordinal) ? Usual + whole : whole;
    }

    private static List<string> Texts(ResourceNode array)
    {
        var texts = new List<string>();
        foreach (var item in array.Items)
        {
            texts.Add(item.AsString() ?? "");
        }

        return texts;
    }
}
