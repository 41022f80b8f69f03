namespace FhirIomt.Ingest.Gatt;

/// <summary>What the meter noticed: Glucose Sensor Status Annunciation.</summary>
[Flags]
public enum GlucoseStatus
{
    None = 0,
    BatteryLow = 1 << 0,
    SensorFault = 1 << 1,
    SampleInsufficient = 1 << 2,
    StripInsertionError = 1 << 3,
    StripIncorrect = 1 << 4,
    ResultTooHigh = 1 << 5,
    ResultTooLow = 1 << 6,
    TemperatureTooHigh = 1 << 7,
    TemperatureTooLow = 1 << 8,
    StripPulled = 1 << 9,
    DeviceFault = 1 << 10,
    TimeFault = 1 << 11,
}

/// <summary>Glucose Measurement, 0x2A18.</summary>
/// <param name="Sequence">Of the record, with which its context is found.</param>
/// <param name="Offset">Minutes to add to <paramref name="BaseTime"/>; null when it ran out of its range.</param>
/// <param name="Concentration">In mmol/L or mg/dL; null when not sent.</param>
/// <param name="IsMolar">In mmol/L, otherwise mg/dL.</param>
/// <param name="Type">Of the sample: 1 capillary whole blood … 9 interstitial fluid, 10 control solution.</param>
/// <param name="Location">Of the sample: 1 finger, 2 alternate site, 3 earlobe, 4 control solution, 15 not available.</param>
/// <param name="HasContext">A Glucose Measurement Context of the same number follows.</param>
public readonly record struct GlucoseMeasurement(
    ushort Sequence, GattTime BaseTime, int? Offset, GattNumber? Concentration, bool IsMolar, int Type, int Location, GlucoseStatus Status, bool HasContext)
{
    private const int ControlType = 10;
    private const int ControlLocation = 4;

    /// <summary>A test of the meter with control solution: nobody's blood.</summary>
    public bool IsControl => Type == ControlType || Location == ControlLocation;

    /// <summary>The meter's clock was wrong, or nobody knows by how much its time was moved.</summary>
    public bool HasTimeFault => Status.HasFlag(GlucoseStatus.TimeFault) || Offset is null || !BaseTime.IsKnown;

    /// <summary>When it was measured by the meter's clock: base time and offset; only without a time fault.</summary>
    public DateTime MeasuredAt => BaseTime.Value.AddMinutes(Offset!.Value);

    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out GlucoseMeasurement measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var (sequence, time) = (reader.UInt16(), reader.Time());
        int? offset = (flags & 1) != 0 ? reader.Int16() switch { short.MaxValue or short.MinValue => null, var minutes => minutes } : 0;
        var isMolar = (flags & 0b100) != 0;
        GattNumber? concentration = null;
        var (type, location) = (0, 0);
        if ((flags & 0b10) != 0)
        {
            // kg/L · 10^5 = mg/dL, mol/L · 10^3 = mmol/L.
            concentration = reader.SFloat().Shift(isMolar ? 3 : 5);
            var sample = reader.Byte();
            (type, location) = (sample & 0xF, sample >> 4);
        }

        var status = (flags & 0b1000) != 0 ? (GlucoseStatus)reader.UInt16() : GlucoseStatus.None;
        measurement = new GlucoseMeasurement(sequence, time, offset, concentration, isMolar, type, location, status, (flags & 0b1_0000) != 0);
        return !reader.IsShort;
    }
}

/// <summary>Glucose Measurement Context, 0x2A34.</summary>
/// <param name="Sequence">Of the measurement it belongs to.</param>
/// <param name="Carbohydrate">Which meal: 1 breakfast, 2 lunch, 3 dinner, 4 snack, 5 drink, 6 supper, 7 brunch.</param>
/// <param name="CarbohydrateAmount">g.</param>
/// <param name="Meal">1 before, 2 after a meal, 3 fasting, 4 casual, 5 bedtime; 0 when not sent.</param>
/// <param name="Tester">1 self, 2 health care professional, 3 laboratory.</param>
/// <param name="Health">1 minor, 2 major health issues, 3 during menses, 4 under stress, 5 none.</param>
/// <param name="ExerciseSeconds">Null also when it ran out of its range.</param>
/// <param name="ExerciseIntensity">%.</param>
/// <param name="Medication">1 rapid, 2 short, 3 intermediate, 4 long acting, 5 pre-mixed insulin.</param>
/// <param name="MedicationAmount">mg, or mL when <paramref name="IsVolume"/>.</param>
/// <param name="HbA1c">%.</param>
public readonly record struct GlucoseContext(
    ushort Sequence, byte Carbohydrate, GattNumber? CarbohydrateAmount, byte Meal, int Tester, int Health, int? ExerciseSeconds, byte? ExerciseIntensity, byte Medication,
    GattNumber? MedicationAmount, bool IsVolume, GattNumber? HbA1c)
{
    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out GlucoseContext context)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var sequence = reader.UInt16();
        if ((flags & 0x80) != 0)
        {
            reader.Byte();
        }

        var read = new GlucoseContext { Sequence = sequence };
        if ((flags & 1) != 0)
        {
            // Bluetooth's unit is kg.
            read = read with { Carbohydrate = reader.Byte(), CarbohydrateAmount = reader.SFloat().Shift(3) };
        }

        if ((flags & 0b10) != 0)
        {
            read = read with { Meal = reader.Byte() };
        }

        if ((flags & 0b100) != 0)
        {
            var both = reader.Byte();
            read = read with { Tester = both & 0xF, Health = both >> 4 };
        }

        if ((flags & 0b1000) != 0)
        {
            var seconds = reader.UInt16();
            read = read with { ExerciseSeconds = seconds == ushort.MaxValue ? null : seconds, ExerciseIntensity = reader.Byte() };
        }

        if ((flags & 0b1_0000) != 0)
        {
            // kg are mg · 10^6, L are mL · 10^3.
            var isVolume = (flags & 0b10_0000) != 0;
            read = read with { Medication = reader.Byte(), MedicationAmount = reader.SFloat().Shift(isVolume ? 3 : 6), IsVolume = isVolume };
        }

        context = (flags & 0b100_0000) != 0 ? read with { HbA1c = reader.SFloat() } : read;
        return !reader.IsShort;
    }
}
