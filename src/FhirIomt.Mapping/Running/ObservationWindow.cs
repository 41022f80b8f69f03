using System.Globalization;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// Puts the readings of an hour, a day or a correlation into Observations: as a rule one, with the connector's identifier. No resource grows without
/// end, and no reading is lost: a window of more than <see cref="MaxSlots"/> slots is cut into chunks, and a reading whose slot is held by another
/// moment stands apart in an Observation of its own. An Observation that the connector wrote for the whole window is carried on whatever its length.
/// </summary>
internal sealed class ObservationWindow(WindowGroup group, ResolvedReading resolved, IWindowShelf shelf)
{
    /// <summary>A thousand tokens are about 4 kB: what one more batch rewrites at most.</summary>
    public const int MaxSlots = 1000;

    // Lengths that people can read and that divide a day.
    private static readonly TimeSpan[] ChunkLengths =
    [
        TimeSpan.FromHours(12), TimeSpan.FromHours(6), TimeSpan.FromHours(4), TimeSpan.FromHours(2), TimeSpan.FromHours(1), TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1),
    ];

    private readonly Dictionary<string, WindowChunk> _open = new(StringComparer.Ordinal);

    public IReadOnlyList<PlacedReading> Place(IEnumerable<ObservationReading> readings)
    {
        var inOrder = readings.OrderBy(reading => reading.Time).ToList();
        if (inOrder[0].Plan.Has(ConnectorDefects.WindowKeepsLast) && inOrder.Exists(reading => HasSeveralOf(reading, inOrder)))
        {
            return [.. inOrder.Select(reading => new PlacedReading(reading, WindowPlace.Refused, default))];
        }

        var placed = new List<PlacedReading>(inOrder.Count);
        foreach (var reading in inOrder)
        {
            var chunk = ChunkOf(reading);
            placed.Add(new PlacedReading(reading, chunk.Take(reading), chunk.Key));
        }

        foreach (var chunk in _open.Values)
        {
            chunk.Save(resolved, shelf);
        }

        return placed;
    }

    // The connector's rule for values that are no SampledData: one of each name in a batch.
    private static bool HasSeveralOf(ObservationReading reading, List<ObservationReading> batch) => Enumerable.Range(-1, reading.Plan.Components.Length + 1).Any(series =>
        (series >= 0 || reading.Plan.Value is not null) && reading.ValueOf(series).Kind != FhirValueKind.Samples
        && batch.DistinctBy(other => other.Time).Count(other => other.Has(series)) > 1);

    private WindowChunk ChunkOf(ObservationReading reading) => group.Correlation is null ? ChunkOfDay(reading) : ChunkOfCorrelation(reading);

    private WindowChunk ChunkOfDay(ObservationReading reading)
    {
        var period = SamplePeriod(reading);
        var (start, end) = (group.Start, group.End);
        if (group.Length.Ticks / period.Ticks > MaxSlots && !reading.Plan.Has(ConnectorDefects.SamplesUnchecked) && !shelf.Find(KeyOf(reading, group.Segment)).Resource.Exists)
        {
            var length = Array.Find(ChunkLengths, candidate => candidate < group.Length && candidate.Ticks / period.Ticks <= MaxSlots);
            length = length == default ? ChunkLengths[^1] : length;
            start += TimeSpan.FromTicks((reading.Time - start).Ticks / length.Ticks * length.Ticks);
            end = start + length - TimeSpan.FromTicks(1);
        }

        return Open(reading, WindowGroup.SegmentOf(start, end), start, end);
    }

    // Chunk 0 reaches MaxSlots forwards and as far back from where the first reading stood; then come chunks of MaxSlots to either side.
    private WindowChunk ChunkOfCorrelation(ObservationReading reading)
    {
        var main = Open(reading, group.Segment, reading.Time, reading.Time);
        var length = SamplePeriod(reading).Ticks * MaxSlots;
        var index = (long)Math.Floor((decimal)(reading.Time.UtcTicks - main.Anchor) / length);
        if (index is 0 or -1 || reading.Plan.Has(ConnectorDefects.SamplesUnchecked) || !IsSampled(reading))
        {
            return main;
        }

        var start = new DateTimeOffset(main.Anchor + (index * length), TimeSpan.Zero);
        return Open(reading, string.Create(CultureInfo.InvariantCulture, $"{group.Segment}.{ObservationJson.Segment(start, withFraction: true)}"), start, start);
    }

    private WindowChunk Open(ObservationReading reading, string segment, DateTimeOffset start, DateTimeOffset end)
    {
        if (!_open.TryGetValue(segment, out var chunk))
        {
            var key = KeyOf(reading, segment);
            chunk = new WindowChunk(key, reading.Plan, shelf.Find(key), start, end, grows: group.Correlation is not null);
            _open.Add(segment, chunk);
        }

        return chunk;
    }

    private SourceKey KeyOf(ObservationReading reading, string segment) => reading.KeyOf(resolved.PatientId, resolved.DeviceId, segment);

    private static bool IsSampled(ObservationReading reading) => SamplePeriod(reading) < TimeSpan.FromDays(36500);

    // The finest of the template's grids; without any, one slot is the whole window.
    private static TimeSpan SamplePeriod(ObservationReading reading) => reading.Plan.Components.Select(component => component.Value).Prepend(reading.Plan.Value?.Value)
        .Where(value => value is { Kind: FhirValueKind.Samples }).Select(value => value!.SamplePeriod).DefaultIfEmpty(TimeSpan.FromDays(36500)).Min();
}
