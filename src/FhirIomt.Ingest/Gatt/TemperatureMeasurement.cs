namespace FhirIomt.Ingest.Gatt;

/// <summary>Where a temperature was taken: Temperature Type.</summary>
public enum TemperatureType : byte
{
    Unknown = 0,
    Armpit = 1,
    Body = 2,
    Ear = 3,
    Finger = 4,
    GastroIntestinalTract = 5,
    Mouth = 6,
    Rectum = 7,
    Toe = 8,
    Tympanum = 9,
}

/// <summary>Temperature Measurement, 0x2A1C.</summary>
/// <param name="IsFahrenheit">The value is in [degF], otherwise in Cel.</param>
public readonly record struct TemperatureMeasurement(bool IsFahrenheit, GattNumber Value, GattTime? Time, TemperatureType Type)
{
    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out TemperatureMeasurement measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var number = reader.Float();
        GattTime? time = (flags & 0b10) != 0 ? reader.Time() : null;
        var type = (flags & 0b100) != 0 ? reader.Byte() : (byte)0;
        measurement = new TemperatureMeasurement((flags & 1) != 0, number, time, type <= (byte)TemperatureType.Tympanum ? (TemperatureType)type : TemperatureType.Unknown);
        return !reader.IsShort;
    }
}
