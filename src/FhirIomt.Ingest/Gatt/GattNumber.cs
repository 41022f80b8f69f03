using System.Globalization;

namespace FhirIomt.Ingest.Gatt;

/// <summary>What a number of a device says when it is none (IEEE 11073-20601, 7.2.2).</summary>
public enum GattNumberKind
{
    Finite = 0,

    /// <summary>Not a number.</summary>
    NotANumber,

    PositiveInfinity,

    NegativeInfinity,

    /// <summary>Not at this resolution.</summary>
    Unresolved,

    /// <summary>Reserved: nothing that a device should send.</summary>
    Reserved,
}

/// <summary>A decimal number as Bluetooth's medical characteristics have it, SFLOAT or FLOAT: mantissa · 10^exponent, with its decimals kept (36.0 is not 36).</summary>
public readonly record struct GattNumber(int Mantissa, int Exponent, GattNumberKind Kind)
{
    // Beyond, a decimal cannot hold it, and no body can have it.
    private const int MaxExponent = 20;

    public bool IsFinite => Kind == GattNumberKind.Finite;

    /// <summary>16 bits: the upper 4 exponent, the lower 12 mantissa, both signed.</summary>
    public static GattNumber FromSFloat(ushort bits)
    {
        var kind = (bits & 0x0FFF) switch
        {
            0x07FF => GattNumberKind.NotANumber,
            0x07FE => GattNumberKind.PositiveInfinity,
            0x0802 => GattNumberKind.NegativeInfinity,
            0x0800 => GattNumberKind.Unresolved,
            0x0801 => GattNumberKind.Reserved,
            _ => GattNumberKind.Finite,
        };

        // The special values have an exponent of 0; with another one they are numbers like others.
        return bits >> 12 == 0 && kind != GattNumberKind.Finite ? new GattNumber(0, 0, kind) : new GattNumber((short)(bits << 4) >> 4, (short)bits >> 12, GattNumberKind.Finite);
    }

    /// <summary>32 bits: the upper 8 exponent, the lower 24 mantissa, both signed.</summary>
    public static GattNumber FromFloat(uint bits)
    {
        var kind = (bits & 0x00FF_FFFF) switch
        {
            0x007F_FFFF => GattNumberKind.NotANumber,
            0x007F_FFFE => GattNumberKind.PositiveInfinity,
            0x0080_0002 => GattNumberKind.NegativeInfinity,
            0x0080_0000 => GattNumberKind.Unresolved,
            0x0080_0001 => GattNumberKind.Reserved,
            _ => GattNumberKind.Finite,
        };
        if (bits >> 24 == 0 && kind != GattNumberKind.Finite)
        {
            return new GattNumber(0, 0, kind);
        }

        var exponent = (int)bits >> 24;
        return Math.Abs(exponent) <= MaxExponent ? new GattNumber((int)(bits << 8) >> 8, exponent, GattNumberKind.Finite) : new GattNumber(0, 0, GattNumberKind.Reserved);
    }

    /// <summary>A count of steps of a power of ten, such as 0.1 of a percent: 237 and -1.</summary>
    public static GattNumber Of(int count, int exponent) => new(count, exponent, GattNumberKind.Finite);

    /// <summary>The same digits, the point moved: kg/L · 10^5 are mg/dL.</summary>
    public GattNumber Shift(int places) => this with { Exponent = Exponent + places };

    /// <summary>The number; only of a finite one.</summary>
    public decimal Value => Exponent >= 0 ? Mantissa * Power(Exponent) : new decimal(Math.Abs(Mantissa), 0, 0, Mantissa < 0, (byte)-Exponent);

    /// <summary>As JSON writes numbers.</summary>
    public override string ToString() => IsFinite ? Value.ToString(CultureInfo.InvariantCulture) : Kind.ToString();

    private static decimal Power(int exponent)
    {
        var power = 1m;
        for (var i = 0; i < exponent; i++)
        {
            power *= 10;
        }

        return power;
    }
}
