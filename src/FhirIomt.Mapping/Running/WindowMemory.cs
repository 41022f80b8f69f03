using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// What a window's Observation cannot say of itself: at which exact moments its readings were taken (its grid shows the slot only), and where a
/// correlation's grid began. Kept beside the resource as JSON: <c>{"anchor":ticks,"moments":[ticks after the anchor, then after each other]}</c>.
/// </summary>
internal sealed class WindowMemory(long anchor)
{
    private readonly SortedSet<long> _moments = [];

    /// <summary>Ticks (UTC) where the grid began; never moves.</summary>
    public long Anchor => anchor;

    public static WindowMemory? Read(ReadOnlyMemory<byte> json)
    {
        if (json.IsEmpty)
        {
            return null;
        }

        var root = JsonTree.Parse(json).Require().Root;
        var moment = Number(root["anchor"u8]);
        var memory = new WindowMemory(moment);
        foreach (var step in root["moments"u8].Children)
        {
            moment += Number(step);
            memory._moments.Add(moment);
        }

        return memory;
    }

    public bool Holds(DateTimeOffset moment) => _moments.Contains(moment.UtcTicks);

    public void Add(DateTimeOffset moment) => _moments.Add(moment.UtcTicks);

    public ReadOnlyMemory<byte> Write()
    {
        var output = new ArrayBufferWriter<byte>(64 + (_moments.Count * 10));
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteNumber("anchor"u8, anchor);
            writer.WriteStartArray("moments"u8);
            var before = anchor;
            foreach (var moment in _moments)
            {
                writer.WriteNumberValue(moment - before);
                before = moment;
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    private static long Number(ResourceNode node) => long.Parse(node.RawSpan, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture);
}
