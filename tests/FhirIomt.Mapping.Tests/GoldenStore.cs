using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping.Tests;

/// <summary>As much of the pipeline as the recorded cases need: resource ids as the recording assigned them, equal times within a batch, amended updates.</summary>
internal static class GoldenStore
{
    /// <summary>The recording's patient for messages that name none.</summary>
    private const string UnnamedPatient = "23403034e6382b27c55020911c653a1070f1ac239668c342aaa2523c793a0ecc";

    public static void Save(SortedDictionary<string, JsonObject> store, IEnumerable<MappedReading> batch)
    {
        // Within a batch, the later of two readings of one time wins before anything is written.
        foreach (var reading in batch.GroupBy(reading => (reading.Type, reading.DeviceIdentifier, reading.PatientIdentifier, reading.Start)).Select(group => group.Last()))
        {
            var patient = reading.PatientIdentifier is { } named ? Hash("_" + named) : UnnamedPatient;
            var device = Hash("_" + reading.DeviceIdentifier);
            var key = reading.SourceKey(patient, device, withFraction: false);
            var stored = store.GetValueOrDefault(key.ResourceId);
            if (stored is not null && !IsAt(stored, reading.Start))
            {
                key = reading.SourceKey(patient, device, withFraction: true);
                stored = store.GetValueOrDefault(key.ResourceId);
            }

            var buffer = new ArrayBufferWriter<byte>();
            reading.Write(buffer, new ResolvedReading(key, patient, device, null, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), stored is not null));
            var written = JsonNode.Parse(buffer.WrittenSpan)!.AsObject();
            store[key.ResourceId] = stored is null ? written : Merge(stored, written);
        }
    }

    /// <summary>Without issued, and with numbers compared by value: the recording printed 78 as 78.0.</summary>
    public static string Comparable(JsonObject observation)
    {
        var copy = observation.DeepClone().AsObject();
        copy.Remove("issued");
        return Normalise(copy)!.ToJsonString();
    }

    private static JsonNode? Normalise(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Normalise(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Normalise)]),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number =>
            JsonValue.Create((decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture) / 1.000000000000000000m).ToString(CultureInfo.InvariantCulture)),
        _ => node?.DeepClone(),
    };

    private static bool IsAt(JsonObject observation, DateTimeOffset time) =>
        DateTimeOffset.Parse((string)observation["effectivePeriod"]!["start"]!, CultureInfo.InvariantCulture) == time;

    // A component that the new reading lacks stays.
    private static JsonObject Merge(JsonObject stored, JsonObject written)
    {
        if (stored["component"] is JsonArray before && written["component"] is JsonArray after)
        {
            var texts = after.Select(component => (string)component!["code"]!["text"]!).ToHashSet(StringComparer.Ordinal);
            var merged = before.Select(component => texts.Contains((string)component!["code"]!["text"]!)
                ? after.First(other => (string)other!["code"]!["text"]! == (string)component["code"]!["text"]!)!.DeepClone()
                : component.DeepClone());
            written["component"] = new JsonArray([.. merged]);
        }

        return written;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
