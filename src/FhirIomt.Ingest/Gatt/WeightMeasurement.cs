namespace FhirIomt.Ingest.Gatt;

/// <summary>Weight Measurement, 0x2A9D, and what of it Body Composition Measurement, 0x2A9C, says too.</summary>
/// <param name="IsImperial">Masses are in [lb_av] and heights in [in_i], otherwise in kg and m.</param>
/// <param name="Weight">Null when the scale did not succeed.</param>
/// <param name="User">Which of the people who share the scale; null when it does not know.</param>
/// <param name="BodyMassIndex">kg/m2.</param>
public readonly record struct WeightMeasurement(bool IsImperial, GattNumber? Weight, GattTime? Time, byte? User, GattNumber? BodyMassIndex, GattNumber? Height)
{
    /// <summary>What scales write instead of a number that they did not find.</summary>
    internal const ushort Unsuccessful = 0xFFFF;
    internal const byte UnknownUser = 255;

    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out WeightMeasurement measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var isImperial = (flags & 1) != 0;
        var weight = MassOf(reader.UInt16(), isImperial);
        GattTime? time = (flags & 0b10) != 0 ? reader.Time() : null;
        byte? user = (flags & 0b100) != 0 ? reader.Byte() : null;
        var (index, height) = (flags & 0b1000) != 0 ? (GattNumber.Of(reader.UInt16(), -1), GattNumber.Of(reader.UInt16(), isImperial ? -1 : -3)) : ((GattNumber?)null, (GattNumber?)null);
        measurement = new WeightMeasurement(isImperial, weight, time, user == UnknownUser ? null : user, index, height);
        return !reader.IsShort;
    }

    /// <summary>Steps of 5 g or of a hundredth of a pound.</summary>
    internal static GattNumber? MassOf(ushort steps, bool isImperial) =>
        steps == Unsuccessful ? null : isImperial ? GattNumber.Of(steps, -2) : GattNumber.Of(steps * 5, -3);
}

/// <summary>Body Composition Measurement, 0x2A9C.</summary>
/// <param name="FatPercentage">%; null when the scale did not succeed.</param>
/// <param name="BasalMetabolism">kJ.</param>
/// <param name="MusclePercentage">%.</param>
/// <param name="Impedance">Ohm.</param>
/// <param name="HasMore">The measurement goes on in the next value.</param>
public readonly record struct BodyComposition(
    bool IsImperial, GattNumber? FatPercentage, GattTime? Time, byte? User, GattNumber? BasalMetabolism, GattNumber? MusclePercentage, GattNumber? MuscleMass, GattNumber? FatFreeMass,
    GattNumber? SoftLeanMass, GattNumber? WaterMass, GattNumber? Impedance, GattNumber? Weight, GattNumber? Height, bool HasMore)
{
    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out BodyComposition composition)
    {
        var reader = new GattReader(value);
        var flags = reader.UInt16();
        var isImperial = (flags & 1) != 0;
        var fat = reader.UInt16();
        composition = new BodyComposition
        {
            IsImperial = isImperial,
            FatPercentage = fat == WeightMeasurement.Unsuccessful ? null : GattNumber.Of(fat, -1),
            Time = (flags & (1 << 1)) != 0 ? reader.Time() : null,
            User = (flags & (1 << 2)) != 0 ? reader.Byte() switch { WeightMeasurement.UnknownUser => null, var user => user } : null,
            BasalMetabolism = (flags & (1 << 3)) != 0 ? GattNumber.Of(reader.UInt16(), 0) : null,
            MusclePercentage = (flags & (1 << 4)) != 0 ? GattNumber.Of(reader.UInt16(), -1) : null,
            MuscleMass = (flags & (1 << 5)) != 0 ? WeightMeasurement.MassOf(reader.UInt16(), isImperial) : null,
            FatFreeMass = (flags & (1 << 6)) != 0 ? WeightMeasurement.MassOf(reader.UInt16(), isImperial) : null,
            SoftLeanMass = (flags & (1 << 7)) != 0 ? WeightMeasurement.MassOf(reader.UInt16(), isImperial) : null,
            WaterMass = (flags & (1 << 8)) != 0 ? WeightMeasurement.MassOf(reader.UInt16(), isImperial) : null,
            Impedance = (flags & (1 << 9)) != 0 ? GattNumber.Of(reader.UInt16(), -1) : null,
            Weight = (flags & (1 << 10)) != 0 ? WeightMeasurement.MassOf(reader.UInt16(), isImperial) : null,
            Height = (flags & (1 << 11)) != 0 ? GattNumber.Of(reader.UInt16(), isImperial ? -1 : -3) : null,
            HasMore = (flags & (1 << 12)) != 0,
        };
        return !reader.IsShort;
    }
}
