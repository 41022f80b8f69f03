using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Tests;

/// <summary>Where we do otherwise than the connector, on purpose. The numbers are those of the list of its defects (docs of the project's facts, §7).</summary>
internal static class GoldenDifferences
{
    private static readonly (int Defect, string Id, string Instead)[] List =
    [
        (2, "single Quantity, two readings in one second collide (second overwrites first, period widened)", "two Observations; the second is keyed with the fraction"),
        (3, "Quantity text parsing of '78,5'", "refused, IOMT-0428"),
        (3, "Quantity text parsing of '1,234'", "refused, IOMT-0428"),
        (7, "timestamp \"2019-02-01\" (process TZ=UTC)", "refused, IOMT-0424: no time of day, no zone"),
        (7, "timestamp \"01/02/2019 10:00\" (process TZ=UTC)", "refused, IOMT-0424: month or day first, no zone"),
        (8, "required value 1e3", "digits kept: 1e3"),
        (8, "required value 1e30", "digits kept: 1e30"),
        (8, "required value \"2019-02-01T22:46:01Z\"", "text kept"),
        (8, "deviceId \"2019-02-01T22:46:01Z\"", "text kept"),
        (9, "array of 3, second invalid: first kept, third lost", "first and third kept, one issue for the second"),
        (10, "value absent first, present later (peer: NotSupportedException)", "the later value amends the Observation"),
        (16, "bad jsonpath fails per message", "refused at load, IOMT-0406"),
        (16, "periodInterval 1 not supported", "refused at load, IOMT-0408"),
        (16, "device/bad-jsonpath-not-detected-at-load", "refused at load, IOMT-0406"),
        (16, "fhir/periodInterval-1-accepted-at-load", "refused at load, IOMT-0408"),
        (9, "two concatenated documents: only first", "refused: a message is one JSON value, and the second document is not dropped silently; there is no switch for that"),
        (4, "hourly SampledData merged by a later batch", "the second reading of a slot gets an Observation of its own"),
        (5, "hourly SampledData non-numeric value is written unchecked", "refused, IOMT-0428"),
        (16, "hourly SampledData without defaultPeriod", "refused at load, IOMT-0404"),
        (11, "hourly Quantity two values fails", "two Observations: the hour's, and one of its own moment"),
        (11, "hourly Quantity one value per batch: last wins", "two Observations: the hour's, and one of its own moment"),
        (11, "azure-sample/conversions deviceB (peer fails: 3 Quantity values in one hour)", "an Observation for each reading, calculated in decimals"),
        (6, "jmes x / 0.0 gives Infinity", "refused, IOMT-0433"),
        (8, "documentation/TransformData", "calculated in decimals: 1.9812"),
        (6, "add(9223372036854775807, 1)", "the sum"),
        (6, "subtract(0, -9223372036854775808)", "the difference"),
        (6, "multiply(9223372036854775807, 2)", "the product"),
        (6, "divide(0.0, 0.0)", "refused"),
        (6, "pow(100, -2)", "0.0001"),
    ];

    // The connector's numbers are doubles everywhere, so that a case of these two needs its arithmetic as well.
    private static ConnectorDefects SwitchesOf(int defect) => (ConnectorDefects)(1 << defect) | (defect is 8 or 11 ? ConnectorDefects.IntegerArithmetic : 0);

    /// <summary>Without a switch: to drop what follows the first document silently is nothing that anybody can want.</summary>
    public const string WithoutSwitch = "two concatenated documents: only first";

    /// <summary>Case id → its defect, what asks for it again, and what we do instead.</summary>
    public static IReadOnlyDictionary<string, (int Defect, ConnectorDefects Switches, string Instead)> All { get; } =
        List.ToDictionary(row => row.Id, row => (row.Defect, SwitchesOf(row.Defect), row.Instead), StringComparer.Ordinal);
}
