using System.Globalization;

namespace FhirIomt.Ingest.Hl7;

/// <summary>
/// A time of HL7 v2 (DTM, TS): <c>YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]</c>. Only one with hours and minutes is a moment; an offset may be missing.
/// </summary>
/// <param name="Clock">What the clock showed.</param>
/// <param name="Offset">Of the clock's zone from UTC; null when it names none.</param>
public readonly record struct Hl7Time(DateTime Clock, TimeSpan? Offset)
{
    /// <summary>The moment, where a time without offset is in that zone; null when nobody says which, or the clock showed it never or twice.</summary>
    public DateTimeOffset? Instant(TimeZoneInfo? zone) =>
        Offset is { } offset ? new DateTimeOffset(Clock, offset).ToUniversalTime()
        : zone is null || zone.IsInvalidTime(Clock) || zone.IsAmbiguousTime(Clock) ? null : new DateTimeOffset(Clock, zone.GetUtcOffset(Clock)).ToUniversalTime();

    public static bool TryParse(ReadOnlySpan<char> text, out Hl7Time time)
    {
        time = default;
        text = text.Trim();
        TimeSpan? offset = null;
        if (text.LastIndexOfAny('+', '-') is > 0 and var sign)
        {
            var zone = text[(sign + 1)..];
            if (zone.Length != 4 || !int.TryParse(zone, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number / 100 > 14 || number % 100 > 59)
            {
                return false;
            }

            var size = new TimeSpan(number / 100, number % 100, 0);
            offset = text[sign] == '-' ? -size : size;
            text = text[..sign];
        }

        var fraction = 0L;
        if (text.IndexOf('.') is >= 0 and var point)
        {
            if (!TryFraction(text[(point + 1)..], out fraction))
            {
                return false;
            }

            text = text[..point];
        }

        if (text.Length is not (12 or 14) || text.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        var (year, month, day, hour, minute, second) = (Number(text[..4]), Number(text[4..6]), Number(text[6..8]), Number(text[8..10]), Number(text[10..12]), text.Length == 14 ? Number(text[12..14]) : 0);
        // No reading is of another millennium, and arithmetic with its ends overflows.
        if (year is < 1000 or > 8999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        var clock = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Unspecified);
        time = new Hl7Time(clock.AddTicks(fraction), offset);
        return true;
    }

    private static int Number(ReadOnlySpan<char> digits)
    {
        var number = 0;
        foreach (var digit in digits)
        {
            number = (number * 10) + (digit - '0');
        }

        return number;
    }

    // A monitor's ".0000", and one that writes more digits than the four of the standard.
    private static bool TryFraction(ReadOnlySpan<char> digits, out long ticks)
    {
        ticks = 0;
        if (digits.Length > 7 || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        for (var place = 0; place < 7; place++)
        {
            ticks = (ticks * 10) + (place < digits.Length ? digits[place] - '0' : 0);
        }

        return true;
    }
}
