namespace FhirIomt.Ingest.Gatt;

/// <summary>How the oximeter judges its own measurement: Measurement Status.</summary>
[Flags]
public enum OximetryStatus
{
    None = 0,
    Ongoing = 1 << 5,
    EarlyEstimate = 1 << 6,
    Validated = 1 << 7,
    FullyQualified = 1 << 8,
    FromStorage = 1 << 9,
    Demonstration = 1 << 10,
    Testing = 1 << 11,
    CalibrationOngoing = 1 << 12,
    Unavailable = 1 << 13,
    Questionable = 1 << 14,
    Invalid = 1 << 15,
}

/// <summary>PLX Spot-Check Measurement, 0x2A5E, and PLX Continuous Measurement, 0x2A5F.</summary>
/// <param name="Saturation">%.</param>
/// <param name="Pulse">Beats a minute.</param>
/// <param name="FastSaturation">Of a continuous one: averaged over a shorter time.</param>
/// <param name="SlowSaturation">Of a continuous one: averaged over a longer time.</param>
/// <param name="Time">Of a spot check; null also when the oximeter says its clock was never set.</param>
/// <param name="DeviceStatus">24 bits: signal, interference, sensor.</param>
/// <param name="Perfusion">Pulse amplitude index, %.</param>
public readonly record struct PulseOximetry(
    bool IsContinuous, GattNumber Saturation, GattNumber Pulse, GattNumber? FastSaturation, GattNumber? FastPulse, GattNumber? SlowSaturation, GattNumber? SlowPulse, GattTime? Time,
    OximetryStatus Status, int DeviceStatus, GattNumber? Perfusion)
{
    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryReadSpot(ReadOnlySpan<byte> value, out PulseOximetry measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var (saturation, pulse) = (reader.SFloat(), reader.SFloat());
        GattTime? time = (flags & 1) != 0 ? reader.Time() : null;
        var status = (flags & 0b10) != 0 ? (OximetryStatus)reader.UInt16() : OximetryStatus.None;
        var device = (flags & 0b100) != 0 ? reader.UInt24() : 0;
        GattNumber? perfusion = (flags & 0b1000) != 0 ? reader.SFloat() : null;
        var clockIsSet = (flags & 0b1_0000) == 0;
        measurement = new PulseOximetry(IsContinuous: false, saturation, pulse, null, null, null, null, clockIsSet ? time : null, status, device, perfusion);
        return !reader.IsShort;
    }

    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryReadContinuous(ReadOnlySpan<byte> value, out PulseOximetry measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var (saturation, pulse) = (reader.SFloat(), reader.SFloat());
        (GattNumber? fastSaturation, GattNumber? fastPulse) = (flags & 1) != 0 ? (reader.SFloat(), reader.SFloat()) : default((GattNumber?, GattNumber?));
        (GattNumber? slowSaturation, GattNumber? slowPulse) = (flags & 0b10) != 0 ? (reader.SFloat(), reader.SFloat()) : default((GattNumber?, GattNumber?));
        var status = (flags & 0b100) != 0 ? (OximetryStatus)reader.UInt16() : OximetryStatus.None;
        var device = (flags & 0b1000) != 0 ? reader.UInt24() : 0;
        GattNumber? perfusion = (flags & 0b1_0000) != 0 ? reader.SFloat() : null;
        measurement = new PulseOximetry(IsContinuous: true, saturation, pulse, fastSaturation, fastPulse, slowSaturation, slowPulse, null, status, device, perfusion);
        return !reader.IsShort;
    }
}
