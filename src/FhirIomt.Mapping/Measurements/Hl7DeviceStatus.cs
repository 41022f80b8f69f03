using System.Globalization;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>What a monitor or module says of itself beside what it measures: battery and power. The other attributes of the communication are nobody's state.</summary>
internal static class Hl7DeviceStatus
{
    private const string Charge = "67996";
    private const string TimeLeft = "67976";
    private const string Power = "67925";
    private const string StatusBits = "8408608";
    private const string BatteryStatus = "8418512";

    // One below a metric is a facet of that metric.
    public static bool IsOne(Hl7Observation observation) =>
        observation is { IsContainment: false, Depth: <= 4 } && observation.Code.Component(1).Raw.Trim() is Charge or TimeLeft or Power or StatusBits or BatteryStatus && observation.Concept() is { System: CodedConcept.Mdc };

    /// <summary>The value as iomt-device-health holds it; null when it is none. What the device has not got it does not say.</summary>
    public static MeasuredValue? Read(Hl7Observation observation, Hl7Flags flags) => (observation.Concept()!.Value.Code, Hl7ValueReader.Read(observation, flags, [])) switch
    {
        (Charge, MeasuredValue.Quantity { Unit: "%", Comparator: null } charge) => decimal.Parse(charge.Number, CultureInfo.InvariantCulture) is >= 0 and <= 100 ? charge : null,
        (Charge, _) => null,
        (TimeLeft, MeasuredValue.Quantity { Unit: "min" or "s" or "h" } left) => decimal.Parse(left.Number, CultureInfo.InvariantCulture) >= 0 ? left : null,
        (TimeLeft, _) => null,
        (_, MeasuredValue.Concept concept) => concept,
        (_, MeasuredValue.PlainText text) => new MeasuredValue.Concept(new CodedConcept("", ""), text.Value),

        // A set of bits as a number is no quantity.
        (_, MeasuredValue.Quantity bits) => new MeasuredValue.Concept(new CodedConcept("", ""), bits.Number),
        _ => null,
    };
}
