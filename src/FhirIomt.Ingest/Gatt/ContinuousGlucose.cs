namespace FhirIomt.Ingest.Gatt;

/// <summary>Why a part of a value could not be read.</summary>
public enum GattFault
{
    None = 0,

    /// <summary>Shorter than it says itself.</summary>
    Short,

    /// <summary>Its checksum does not fit: it was changed on the way.</summary>
    Checksum,
}

/// <summary>One record of CGM Measurement, 0x2AA7.</summary>
/// <param name="Concentration">mg/dL.</param>
/// <param name="Offset">Minutes since the session began.</param>
/// <param name="Status">8 bits: session stopped, battery low, type or calibration not fitting …</param>
/// <param name="Calibration">8 bits: time synchronisation, calibration, temperature.</param>
/// <param name="Warning">8 bits: below and above the patient's, the hypo, the hyper level, rates, sensor range.</param>
/// <param name="Trend">mg/dL/min.</param>
/// <param name="Quality">%.</param>
public readonly record struct ContinuousGlucose(GattNumber Concentration, ushort Offset, byte Status, byte Calibration, byte Warning, GattNumber? Trend, GattNumber? Quality)
{
    /// <summary>The value lies below what the sensor can measure.</summary>
    public bool IsBelowSensor => (Warning & 0x40) != 0;

    /// <summary>The value lies above what the sensor can measure.</summary>
    public bool IsAboveSensor => (Warning & 0x80) != 0;

    /// <summary>Reads the record at the beginning and answers how long it is.</summary>
    public static GattFault TryRead(ReadOnlySpan<byte> records, out ContinuousGlucose measurement, out int length)
    {
        measurement = default;
        length = records.IsEmpty ? 0 : records[0];
        if (length < 6 || length > records.Length)
        {
            return GattFault.Short;
        }

        var reader = new GattReader(records[1..length]);
        var flags = reader.Byte();
        var (concentration, offset) = (reader.SFloat(), reader.UInt16());
        var status = (flags & 0x80) != 0 ? reader.Byte() : (byte)0;
        var calibration = (flags & 0x40) != 0 ? reader.Byte() : (byte)0;
        var warning = (flags & 0x20) != 0 ? reader.Byte() : (byte)0;
        GattNumber? trend = (flags & 1) != 0 ? reader.SFloat() : null;
        GattNumber? quality = (flags & 0b10) != 0 ? reader.SFloat() : null;
        measurement = new ContinuousGlucose(concentration, offset, status, calibration, warning, trend, quality);
        if (reader.IsShort)
        {
            return GattFault.Short;
        }

        // Whether there is a checksum a feature of the sensor says, and here the size.
        return reader.Left == 2 && reader.UInt16() != Checksum(records[..(length - 2)]) ? GattFault.Checksum : GattFault.None;
    }

    /// <summary>E2E-CRC: the polynomial 0x1021, from the lowest bit, beginning with ones.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = 0xFFFF;
        foreach (var value in bytes)
        {
            checksum ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                checksum = (checksum & 1) != 0 ? (checksum >> 1) ^ 0x8408 : checksum >> 1;
            }
        }

        return (ushort)checksum;
    }
}
