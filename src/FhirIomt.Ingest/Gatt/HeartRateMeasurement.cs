using System.Buffers.Binary;

namespace FhirIomt.Ingest.Gatt;

/// <summary>Heart Rate Measurement, 0x2A37.</summary>
/// <param name="Rate">Beats a minute.</param>
/// <param name="HasContact">Whether the sensor touches the skin; null when it cannot tell.</param>
/// <param name="Energy">Energy expended since its last reset, kJ; null when not sent.</param>
/// <param name="IntervalBytes">The time between beats, each 16 bits of 1/1024 s.</param>
public readonly ref struct HeartRateMeasurement(int Rate, bool? HasContact, int? Energy, ReadOnlySpan<byte> IntervalBytes)
{
    public int Rate { get; } = Rate;

    public bool? HasContact { get; } = HasContact;

    public int? Energy { get; } = Energy;

    public ReadOnlySpan<byte> IntervalBytes { get; } = IntervalBytes;

    public int Intervals => IntervalBytes.Length / 2;

    /// <summary>Without contact, and with a rate of 0, nothing was measured.</summary>
    public bool IsValid => HasContact != false && Rate > 0;

    /// <summary>The time between two beats in ms.</summary>
    public decimal Interval(int index) => Math.Round(BinaryPrimitives.ReadUInt16LittleEndian(IntervalBytes[(index * 2)..]) * 1000m / 1024m, 2);

    /// <summary>False: shorter than its flags say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out HeartRateMeasurement measurement)
    {
        var reader = new GattReader(value);
        var flags = reader.Byte();
        var rate = (flags & 1) != 0 ? reader.UInt16() : reader.Byte();
        bool? contact = (flags & 0b100) != 0 ? (flags & 0b010) != 0 : null;
        int? energy = (flags & 0b1000) != 0 ? reader.UInt16() : null;
        var intervals = (flags & 0b1_0000) != 0 ? reader.Take(reader.Left & ~1) : default;
        measurement = new HeartRateMeasurement(rate, contact, energy, intervals);
        return !reader.IsShort;
    }
}
