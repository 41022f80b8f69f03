using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>The readings that share a window: those of one type and one hour, day or correlation id.</summary>
/// <param name="Start">Of the hour or day; the zero time for a correlation.</param>
/// <param name="Length">Of the hour or day; zero for a correlation, whose end nobody knows.</param>
internal sealed record WindowGroup(string Type, DateTimeOffset Start, TimeSpan Length, string? Correlation)
{
    /// <summary>The last tick of the window.</summary>
    public DateTimeOffset End => Start + Length - TimeSpan.FromTicks(1);

    /// <summary>Last part of the source key: <c>start.end</c> to the second, or the correlation id.</summary>
    public string Segment => Correlation ?? SegmentOf(Start, End);

    public static string SegmentOf(DateTimeOffset start, DateTimeOffset end) =>
        string.Concat(ObservationJson.Segment(start, withFraction: false), ".", ObservationJson.Segment(end, withFraction: false));

    public static WindowGroup Of(ObservationReading reading)
    {
        var period = reading.Plan.Fhir!.Period;
        if (period == ReadingPeriod.Correlation)
        {
            return new WindowGroup(reading.Type, default, TimeSpan.Zero, reading.CorrelationId);
        }

        var length = period == ReadingPeriod.Hourly ? TimeSpan.FromHours(1) : TimeSpan.FromDays(1);
        var ticks = reading.Time.UtcTicks;
        return new WindowGroup(reading.Type, new DateTimeOffset(ticks - (ticks % length.Ticks), TimeSpan.Zero), length, null);
    }
}
