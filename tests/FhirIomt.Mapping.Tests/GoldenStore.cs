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

    /// <summary>False when a reading failed.</summary>
    public static bool Save(GoldenShelf shelf, IEnumerable<MappedReading> batch)
    {
        // Within a batch, the later of two readings of one time wins before anything is written.
        var readings = batch.GroupBy(reading => (reading.Type, reading.DeviceIdentifier, reading.PatientIdentifier, reading.Start)).Select(group => group.Last()).ToList();
        var saved = true;
        foreach (var window in readings.Where(reading => reading.Window is not null).GroupBy(reading => (reading.Window, reading.DeviceIdentifier, reading.PatientIdentifier)))
        {
            var members = window.ToList();
            foreach (var placed in members[0].Place(members, Resolve(members[0], withFraction: true), shelf))
            {
                saved &= placed.Place != WindowPlace.Refused && (placed.Place != WindowPlace.Apart || SaveAlone(shelf.Store, placed.Reading, withFraction: true));
            }
        }

        foreach (var reading in readings.Where(reading => reading.Window is null))
        {
            saved &= SaveAlone(shelf.Store, reading, withFraction: false);
        }

        return saved;
    }

    private static ResolvedReading Resolve(MappedReading reading, bool withFraction)
    {
        var patient = reading.PatientIdentifier is { } named ? Hash("_" + named) : UnnamedPatient;
        var device = Hash("_" + reading.DeviceIdentifier);
        return new ResolvedReading(reading.SourceKey(patient, device, withFraction), patient, device, null, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), Amended: false);
    }

    private static bool SaveAlone(SortedDictionary<string, JsonObject> store, MappedReading reading, bool withFraction)
    {
        var resolved = Resolve(reading, withFraction);
        var stored = store.GetValueOrDefault(resolved.Key.ResourceId);
        if (stored is not null && !IsAt(stored, reading.Start) && !reading.SharesSecond)
        {
            resolved = Resolve(reading, withFraction: true);
            stored = store.GetValueOrDefault(resolved.Key.ResourceId);
        }

        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, resolved with { Amended = stored is not null });
        var written = JsonNode.Parse(buffer.WrittenSpan)!.AsObject();
        if (stored is not null && reading.AbsentStaysAbsent && stored["valueQuantity"] is null && written["valueQuantity"] is not null)
        {
            return false;
        }

        store[resolved.Key.ResourceId] = stored is null ? written : Merge(stored, written);
        return true;
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

        var (was, now) = (stored["effectivePeriod"]!, written["effectivePeriod"]!);
        now["start"] = new[] { (string)was["start"]!, (string)now["start"]! }.Min(StringComparer.Ordinal);
        now["end"] = new[] { (string)was["end"]!, (string)now["end"]! }.Max(StringComparer.Ordinal);
        return written;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>Windows of the recorded cases: a dictionary in place of a store.</summary>
internal sealed class GoldenShelf : IWindowShelf
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _memories = new(StringComparer.Ordinal);

    public SortedDictionary<string, JsonObject> Store { get; } = new(StringComparer.Ordinal);

    public WindowContent Find(in SourceKey key) => new(
        Store.TryGetValue(key.ResourceId, out var stored) ? Fhir.Json.JsonTree.Parse(Encoding.UTF8.GetBytes(stored.ToJsonString())).Require().Root : default,
        IsDeleted: false,
        _memories.GetValueOrDefault(key.ResourceId));

    public void Put(in SourceKey key, Fhir.Json.JsonTree? resource, ReadOnlyMemory<byte> memory)
    {
        _memories[key.ResourceId] = memory;
        if (resource is not null)
        {
            Store[key.ResourceId] = JsonNode.Parse(resource.Utf8.Span)!.AsObject();
        }
    }
}
