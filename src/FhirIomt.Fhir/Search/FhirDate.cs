using System.Text;

namespace FhirIomt.Fhir.Search;

/// <summary>Dates as FHIR writes them (R4 §2.24.0.1), read as the interval they cover.</summary>
public static class FhirDate
{
    // The longest useful text is a dateTime with nine fraction digits and an offset: 35 characters.
    private const int MaxLength = 64;

    /// <summary>
    /// Reads a year, month, day, minute, second or fraction of a second, with an offset where there is a time; no offset means UTC.
    /// </summary>
    /// <param name="start">First moment covered, in UTC.</param>
    /// <param name="end">First moment no longer covered: exclusive. <see cref="DateTimeOffset.MaxValue"/> after year 9999.</param>
    public static bool TryParseInterval(ReadOnlySpan<char> text, out DateTimeOffset start, out DateTimeOffset end)
    {
        Span<byte> utf8 = stackalloc byte[MaxLength];
        if (text.Length <= MaxLength && Encoding.ASCII.TryGetBytes(text, utf8, out var length))
        {
            return TryParseInterval(utf8[..length], out start, out end);
        }

        (start, end) = (default, default);
        return false;
    }

    /// <summary>As the overload for text.</summary>
    public static bool TryParseInterval(ReadOnlySpan<byte> utf8, out DateTimeOffset start, out DateTimeOffset end)
    {
        (start, end) = (default, default);
        int year = 0, month = 1, day = 1;
        var at = 0;
        if (!Digits(utf8, ref at, 4, ref year) || year == 0)
        {
            return false;
        }

        if (at == utf8.Length)
        {
            return Cover(new DateTime(year, 1, 1), year == 9999 ? null : new DateTime(year + 1, 1, 1), 0, out start, out end);
        }

        if (!Take(utf8, ref at, '-') || !Digits(utf8, ref at, 2, ref month) || month is 0 or > 12)
        {
            return false;
        }

        if (at == utf8.Length)
        {
            var first = new DateTime(year, month, 1);
            return Cover(first, year == 9999 && month == 12 ? null : first.AddMonths(1), 0, out start, out end);
        }

        if (!Take(utf8, ref at, '-') || !Digits(utf8, ref at, 2, ref day) || day == 0 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        var date = new DateTime(year, month, day);
        return at == utf8.Length
            ? Cover(date, date.Date == DateTime.MaxValue.Date ? null : date.AddDays(1), 0, out start, out end)
            : Take(utf8, ref at, 'T') && Time(utf8, at, date, out start, out end);
    }

    private static bool Time(ReadOnlySpan<byte> utf8, int at, DateTime date, out DateTimeOffset start, out DateTimeOffset end)
    {
        (start, end) = (default, default);
        int hour = 0, minute = 0, second = 0;
        if (!Digits(utf8, ref at, 2, ref hour) || hour > 23 || !Take(utf8, ref at, ':') || !Digits(utf8, ref at, 2, ref minute) || minute > 59)
        {
            return false;
        }

        var width = TimeSpan.TicksPerMinute;
        long fraction = 0;
        if (Take(utf8, ref at, ':'))
        {
            // A leap second is read as the last second of its minute.
            if (!Digits(utf8, ref at, 2, ref second) || second > 60 || !Fraction(utf8, ref at, out fraction, out width))
            {
                return false;
            }
        }

        if (!Offset(utf8, ref at, out var offset) || at != utf8.Length)
        {
            return false;
        }

        var moment = date.AddTicks((((hour * 60L) + minute) * TimeSpan.TicksPerMinute) + (Math.Min(59, second) * TimeSpan.TicksPerSecond) + fraction);
        DateTime? after = moment.Ticks > DateTime.MaxValue.Ticks - width ? null : moment.AddTicks(width);
        return Cover(moment, after, offset, out start, out end);
    }

    private static bool Fraction(ReadOnlySpan<byte> utf8, ref int at, out long ticks, out long width)
    {
        (ticks, width) = (0, TimeSpan.TicksPerSecond);
        if (!Take(utf8, ref at, '.'))
        {
            return true;
        }

        var first = at;
        for (; at < utf8.Length && utf8[at] is >= (byte)'0' and <= (byte)'9'; at++)
        {
            // Digits beyond .NET's 100 ns are read and dropped.
            width = Math.Max(1, width / 10);
            ticks += at - first < 7 ? (utf8[at] - '0') * width : 0;
        }

        return at > first;
    }

    private static bool Offset(ReadOnlySpan<byte> utf8, ref int at, out long ticks)
    {
        ticks = 0;
        if (at == utf8.Length || Take(utf8, ref at, 'Z'))
        {
            return true;
        }

        var sign = utf8[at] == (byte)'-' ? -1 : 1;
        int hours = 0, minutes = 0;
        if (!(Take(utf8, ref at, '+') || Take(utf8, ref at, '-')) || !Digits(utf8, ref at, 2, ref hours) || !Take(utf8, ref at, ':') || !Digits(utf8, ref at, 2, ref minutes) || hours > 14 || minutes > 59)
        {
            return false;
        }

        ticks = sign * (((hours * 60L) + minutes) * TimeSpan.TicksPerMinute);
        return true;
    }

    private static bool Cover(DateTime local, DateTime? after, long offset, out DateTimeOffset start, out DateTimeOffset end)
    {
        start = ToUtc(local, offset);
        end = after is { } known ? ToUtc(known, offset) : DateTimeOffset.MaxValue;
        return true;
    }

    private static DateTimeOffset ToUtc(DateTime local, long offset) =>
        new(Math.Clamp(local.Ticks - offset, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero);

    private static bool Take(ReadOnlySpan<byte> utf8, ref int at, char expected)
    {
        if (at >= utf8.Length || utf8[at] != expected)
        {
            return false;
        }

        at++;
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> utf8, ref int at, int count, ref int value)
    {
        if (utf8.Length - at < count)
        {
            return false;
        }

        var number = 0;
        for (var end = at + count; at < end; at++)
        {
            if (utf8[at] is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            number = (number * 10) + (utf8[at] - '0');
        }

        value = number;
        return true;
    }
}
