namespace FhirIomt.Mapping.Tests;

/// <summary>Where we do otherwise than the connector, on purpose. The numbers are those of the list of its defects (docs of the project's facts, §7).</summary>
internal static class GoldenDifferences
{
    /// <summary>Case id → defect number and what we do instead. Defect 0: not on the list, a decision of ours.</summary>
    public static IReadOnlyDictionary<string, (int Defect, string Instead)> All { get; } = new Dictionary<string, (int, string)>(StringComparer.Ordinal)
    {
        ["single Quantity, two readings in one second collide (second overwrites first, period widened)"] = (2, "two Observations; the second is keyed with the fraction"),
        ["Quantity text parsing of '78,5'"] = (3, "refused, IOMT-0428"),
        ["Quantity text parsing of '1,234'"] = (3, "refused, IOMT-0428"),
        ["timestamp \"2019-02-01\" (process TZ=UTC)"] = (7, "refused, IOMT-0424: no time of day, no zone"),
        ["timestamp \"01/02/2019 10:00\" (process TZ=UTC)"] = (7, "refused, IOMT-0424: month or day first, no zone"),
        ["required value 1e3"] = (8, "digits kept: 1e3"),
        ["required value 1e30"] = (8, "digits kept: 1e30"),
        ["required value \"2019-02-01T22:46:01Z\""] = (8, "text kept"),
        ["deviceId \"2019-02-01T22:46:01Z\""] = (8, "text kept"),
        ["array of 3, second invalid: first kept, third lost"] = (9, "first and third kept, one issue for the second"),
        ["value absent first, present later (peer: NotSupportedException)"] = (10, "the later value amends the Observation"),
        ["bad jsonpath fails per message"] = (16, "refused at load, IOMT-0406"),
        ["periodInterval 1 not supported"] = (16, "refused at load, IOMT-0408"),
        ["device/bad-jsonpath-not-detected-at-load"] = (16, "refused at load, IOMT-0406"),
        ["fhir/periodInterval-1-accepted-at-load"] = (16, "refused at load, IOMT-0408"),
        ["two concatenated documents: only first"] = (0, "refused: a message is one JSON value, and the second document is not dropped silently"),
    };
}
