namespace FhirIomt.Ingest.Gatt;

/// <summary>What the cuff noticed: Blood Pressure Measurement Status.</summary>
[Flags]
public enum BloodPressureStatus
{
    None = 0,
    BodyMovement = 1 << 0,
    CuffTooLoose = 1 << 1,
    IrregularPulse = 1 << 2,
    PulseAboveRange = 1 << 3,
    PulseBelowRange = 1 << 4,
    ImproperPosition = 1 << 5,
}

/// <summary>Blood Pressure Measurement, 0x2A35.</summary>
/// <param name="IsKilopascal">The three pressures are in kPa, otherwise in mm[Hg].</param>
/// <param name="Mean">Mean arterial pressure; often not a number.</param>
/// <param name="Pulse">Beats a minute.</param>
/// <param name="User">Which of the people who share the cuff; null when it does not know.</param>
public readonly record struct BloodPressureMeasurement(
    bool IsKilopascal, GattNumber Systolic, GattNumber Diastolic, GattNumber Mean, GattTime? Time, GattNumber? Pulse, byte? User, BloodPressureStatus Status)
{
    private const byte UnknownUser = 255;

    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out BloodPressureMeasurement measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var (systolic, diastolic, mean) = (reader.SFloat(), reader.SFloat(), reader.SFloat());
        GattTime? time = (flags & 0b10) != 0 ? reader.Time() : null;
        GattNumber? pulse = (flags & 0b100) != 0 ? reader.SFloat() : null;
        byte? user = (flags & 0b1000) != 0 ? reader.Byte() : null;
        var status = (flags & 0b1_0000) != 0 ? (BloodPressureStatus)reader.UInt16() : BloodPressureStatus.None;
        measurement = new BloodPressureMeasurement((flags & 1) != 0, systolic, diastolic, mean, time, pulse, user == UnknownUser ? null : user, status);
        return !reader.IsShort;
    }
}
