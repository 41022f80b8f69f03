using System.Globalization;

namespace FhirIomt.Ingest.Gatt;

/// <summary>The time of a device's clock, 7 bytes: local, without zone; a part that is 0 is not known.</summary>
public readonly record struct GattTime(ushort Year, byte Month, byte Day, byte Hours, byte Minutes, byte Seconds)
{
    public const int Size = 7;

    /// <summary>Whether it is a moment at all.</summary>
    public bool IsKnown => Year is >= 1582 and < 9000 && Month is > 0 and <= 12 && Day > 0 && Day <= DateTime.DaysInMonth(Year, Month) && Hours < 24 && Minutes < 60 && Seconds < 60;

    /// <summary>Of a known time only.</summary>
    public DateTime Value => new(Year, Month, Day, Hours, Minutes, Seconds, DateTimeKind.Unspecified);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Year:D4}-{Month:D2}-{Day:D2}T{Hours:D2}:{Minutes:D2}:{Seconds:D2}");
}
