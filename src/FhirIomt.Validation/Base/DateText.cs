namespace FhirIomt.Validation.Base;

/// <summary>date, dateTime, instant and time: the forms of FHIR R4 §2.24.0.1, and days that the calendar has.</summary>
internal static class DateText
{
    /// <summary>YYYY, YYYY-MM or YYYY-MM-DD.</summary>
    public static bool IsDate(ReadOnlySpan<byte> text)
    {
        if (text.Length is not (4 or 7 or 10) || !TryNumber(text[..4], out var year) || year == 0)
        {
            return false;
        }

        if (text.Length == 4)
        {
            return true;
        }

        if (text[4] != '-' || !TryNumber(text.Slice(5, 2), out var month) || month is 0 or > 12)
        {
            return false;
        }

        return text.Length == 7 || (text[7] == '-' && TryNumber(text.Slice(8, 2), out var day) && day >= 1 && day <= DateTime.DaysInMonth(year, month));
    }

    /// <summary>A date, or a full date with time and zone.</summary>
    public static bool IsDateTime(ReadOnlySpan<byte> text) => text.Length <= 10 ? IsDate(text) : IsInstant(text);

    public static bool IsInstant(ReadOnlySpan<byte> text)
    {
        if (text.Length < 20 || text[10] != 'T' || !IsDate(text[..10]))
        {
            return false;
        }

        var zone = text[^1] == 'Z' ? 1 : 6;
        return IsZone(text[^zone..]) && IsTime(text[11..^zone]);
    }

    /// <summary>hh:mm:ss with any number of decimals; second 60 is a leap second.</summary>
    public static bool IsTime(ReadOnlySpan<byte> text)
    {
        if (text.Length < 8 || text[2] != ':' || text[5] != ':')
        {
            return false;
        }

        var inRange = TryNumber(text[..2], out var hour) && hour < 24 && TryNumber(text.Slice(3, 2), out var minute) && minute < 60
            && TryNumber(text.Slice(6, 2), out var second) && second <= 60;
        return inRange && (text.Length == 8 || (text[8] == '.' && text.Length > 9 && !text[9..].ContainsAnyExceptInRange((byte)'0', (byte)'9')));
    }

    private static bool IsZone(ReadOnlySpan<byte> zone)
    {
        if (zone.Length == 1)
        {
            return true;
        }

        return zone[0] is (byte)'+' or (byte)'-' && zone[3] == ':' && TryNumber(zone.Slice(1, 2), out var hours) && TryNumber(zone.Slice(4, 2), out var minutes)
            && minutes < 60 && (hours < 14 || (hours == 14 && minutes == 0));
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, out int number)
    {
        number = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            number = (number * 10) + digit - '0';
        }

        return true;
    }
}
