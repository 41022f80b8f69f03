using System.Globalization;
using System.Text;

namespace FhirIomt.Mapping.Running;

internal enum TimeReading
{
    Read,
    Unreadable,

    /// <summary>A date and a time of day, but no zone: <c>Clock</c> holds the wall clock.</summary>
    NoZone,
}

/// <summary>
/// Reads device times: ISO 8601 date and time (a space may stand for the T) with Z or an offset, and RFC 1123. A date alone, dates with slashes and
/// numbers are refused: the connector guessed there (01/02/2019 became 2 January, times without zone took the server's zone).
/// </summary>
internal static class DeviceTime
{
    public static TimeReading Read(ReadOnlySpan<byte> text, out DateTimeOffset instant, out DateTime clock)
    {
        instant = default;
        if (!TryClock(text, out clock, out var used))
        {
            return TryRfc1123(text, out instant) ? TimeReading.Read : TimeReading.Unreadable;
        }

        var rest = text[used..];
        if (rest.IsEmpty)
        {
            return TimeReading.NoZone;
        }

        if (!TryOffset(rest, out var minutes))
        {
            return TimeReading.Unreadable;
        }

        var ticks = clock.Ticks - (minutes * TimeSpan.TicksPerMinute);
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
        {
            return TimeReading.Unreadable;
        }

        instant = new DateTimeOffset(ticks, TimeSpan.Zero);
        return TimeReading.Read;
    }

    /// <summary>The instant that a wall clock shows in a zone; false where the clocks changed and it shows it never or twice.</summary>
    public static bool TryInZone(DateTime clock, TimeZoneInfo zone, out DateTimeOffset instant)
    {
        instant = default;
        if (zone.IsInvalidTime(clock) || zone.IsAmbiguousTime(clock))
        {
            return false;
        }

        instant = new DateTimeOffset(clock, zone.GetUtcOffset(clock)).ToUniversalTime();
        return true;
    }

    /// <summary>Whatever .NET takes for a time, without zone as UTC: the connector's way, for mappings that ask for it.</summary>
    public static bool TryGuess(string text, out DateTimeOffset instant) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out instant);

    // yyyy-MM-ddTHH:mm[:ss[.fraction]]
    private static bool TryClock(ReadOnlySpan<byte> text, out DateTime clock, out int used)
    {
        clock = default;
        used = 16;
        if (text.Length < 16 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ') || text[13] != ':'
            || !Digits(text[..4], out var year) || !Digits(text.Slice(5, 2), out var month) || !Digits(text.Slice(8, 2), out var day)
            || !Digits(text.Slice(11, 2), out var hour) || !Digits(text.Slice(14, 2), out var minute))
        {
            return false;
        }

        var second = 0;
        if (text.Length > 16 && text[16] == ':')
        {
            used = 19;
            if (text.Length < 19 || !Digits(text.Slice(17, 2), out second))
            {
                return false;
            }
        }

        var fraction = used == 19 ? Fraction(text[19..], ref used) : 0;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        clock = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Unspecified).AddTicks(fraction);
        return true;
    }

    // Ticks of ".875"; digits beyond the seventh are below a tick.
    private static long Fraction(ReadOnlySpan<byte> text, ref int used)
    {
        if (text.Length < 2 || text[0] is not ((byte)'.' or (byte)',') || !char.IsAsciiDigit((char)text[1]))
        {
            return 0;
        }

        var ticks = 0L;
        var unit = TimeSpan.TicksPerSecond;
        var index = 1;
        for (; index < text.Length && char.IsAsciiDigit((char)text[index]); index++)
        {
            unit /= 10;
            ticks += (text[index] - '0') * unit;
        }

        used += index;
        return ticks;
    }

    // Z, +05:30, +0530, +05; one space may stand before it.
    private static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        text = text[0] == ' ' ? text[1..] : text;
        if (text.Length == 1 && text[0] is (byte)'Z' or (byte)'z')
        {
            return true;
        }

        if (text.Length is not (3 or 5 or 6) || text[0] is not ((byte)'+' or (byte)'-') || !Digits(text.Slice(1, 2), out var hours))
        {
            return false;
        }

        var rest = 0;
        if ((text.Length == 6 && text[3] != ':') || (text.Length > 3 && !Digits(text[^2..], out rest)) || rest > 59)
        {
            return false;
        }

        minutes = ((hours * 60) + rest) * (text[0] == '-' ? -1 : 1);
        return minutes is >= -840 and <= 840;
    }

    private static bool TryRfc1123(ReadOnlySpan<byte> text, out DateTimeOffset instant)
    {
        instant = default;
        return text.Length == 29 && DateTimeOffset.TryParseExact(Encoding.UTF8.GetString(text), "r", CultureInfo.InvariantCulture, DateTimeStyles.None, out instant);
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit((char)c))
            {
                return false;
            }

            number = (number * 10) + (c - '0');
        }

        return true;
    }
}
