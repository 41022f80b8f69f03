using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FhirIomt.Fhir.FhirPath;

internal enum TemporalKind : byte
{
    Date,
    DateTime,
    Time,
}

/// <summary>
/// A Date, DateTime or Time that may be partial (FHIRPath N1 §2.1.1). Precision counts the components given: 1 year … 3 day, 4 hour, 5 minute, 6 second;
/// seconds and their fraction are one component.
/// </summary>
internal sealed class Temporal
{
    private Temporal(TemporalKind kind, DateTime local, int precision, int fractionDigits, TimeSpan? offset)
    {
        Kind = kind;
        Local = local;
        Precision = precision;
        FractionDigits = fractionDigits;
        Offset = offset;
    }

    public TemporalKind Kind { get; }

    /// <summary>The wall clock; components not given have their least value, a Time stands on 0001-01-01.</summary>
    public DateTime Local { get; }

    public int Precision { get; }

    public int FractionDigits { get; }

    public TimeSpan? Offset { get; }

    public static Temporal From(DateTimeOffset moment) => new(TemporalKind.DateTime, Truncate(moment.DateTime), 6, 3, moment.Offset);

    public static Temporal DateOf(DateTimeOffset moment) => new(TemporalKind.Date, moment.Date, 3, 0, offset: null);

    public static Temporal TimeOf(DateTimeOffset moment) => new(TemporalKind.Time, DateTime.MinValue + Truncate(moment.DateTime).TimeOfDay, 6, 3, offset: null);

    public Temporal With(DateTime local) => new(Kind, local, Precision, FractionDigits, Offset);

    public Temporal As(TemporalKind kind) => kind == TemporalKind.Date
        ? new Temporal(kind, Local.Date, Math.Min(3, Precision), 0, offset: null)
        : new Temporal(kind, Local, Precision, FractionDigits, Offset);

    public static Temporal Boundary(Temporal of, DateTime local, int precision, int fractionDigits, TimeSpan? offset) => new(of.Kind, local, precision, fractionDigits, offset);

    public static bool TryParse(ReadOnlySpan<char> text, TemporalKind kind, [NotNullWhen(true)] out Temporal? value)
    {
        value = null;
        var reader = new Reader(text);
        int year = 1, month = 1, day = 1, precision;
        if (kind == TemporalKind.Time)
        {
            precision = 3;
        }
        else
        {
            precision = reader.Date(ref year, ref month, ref day);
            if (precision == 0 || (kind == TemporalKind.Date && !reader.AtEnd) || year == 0 || month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month))
            {
                return false;
            }
        }

        var time = TimeSpan.Zero;
        var digits = 0;
        TimeSpan? offset = null;
        var hasTime = kind == TemporalKind.Time || (kind == TemporalKind.DateTime && reader.Take('T') && !reader.AtEnd);
        if (hasTime && (precision < 3 || !reader.Time(ref time, ref precision, ref digits) || (kind == TemporalKind.DateTime && !reader.Zone(ref offset))))
        {
            return false;
        }

        if (!reader.AtEnd)
        {
            return false;
        }

        value = new Temporal(kind, new DateTime(year, month, day) + time, precision, digits, offset);
        return true;
    }

    /// <summary>Negative, zero or positive; null when precision or zones leave it open (N1 §6.2).</summary>
    public static int? Compare(Temporal left, Temporal right)
    {
        var (one, other) = (left.Local, right.Local);
        if (left.Offset.HasValue != right.Offset.HasValue && left.Precision > 3 && right.Precision > 3)
        {
            return null;
        }

        if (left.Offset is { } leftOffset && right.Offset is { } rightOffset && leftOffset != rightOffset)
        {
            one = Shift(one, -leftOffset);
            other = Shift(other, -rightOffset);
        }

        var shared = Math.Min(left.Precision, right.Precision);
        var difference = Cut(one, shared).CompareTo(Cut(other, shared));
        return difference != 0 || left.Precision == right.Precision ? difference : null;
    }

    public override string ToString()
    {
        var seconds = FractionDigits == 0 ? "ss" : "ss." + new string('f', Math.Min(7, FractionDigits));
        var date = Precision switch { 1 => "yyyy", 2 => "yyyy-MM", _ => "yyyy-MM-dd" };
        var time = Precision switch { <= 3 => "", 4 => "HH", 5 => "HH:mm", _ => "HH:mm:" + seconds };
        if (Kind == TemporalKind.Time)
        {
            return Local.ToString(time, CultureInfo.InvariantCulture);
        }

        var text = Local.ToString(date, CultureInfo.InvariantCulture);
        if (time.Length > 0)
        {
            text += "T" + Local.ToString(time, CultureInfo.InvariantCulture);
        }

        return Offset is { } offset ? text + ZoneText(offset) : text;
    }

    private static string ZoneText(TimeSpan offset) =>
        offset == TimeSpan.Zero ? "Z" : (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString("hh\\:mm", CultureInfo.InvariantCulture);

    private static DateTime Truncate(DateTime moment) => new(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMillisecond));

    private static DateTime Shift(DateTime local, TimeSpan by)
    {
        var ticks = local.Ticks + by.Ticks;
        return ticks < 0 ? DateTime.MinValue : ticks > DateTime.MaxValue.Ticks ? DateTime.MaxValue : new DateTime(ticks);
    }

    private static DateTime Cut(DateTime moment, int precision) => precision switch
    {
        1 => new DateTime(moment.Year, 1, 1),
        2 => new DateTime(moment.Year, moment.Month, 1),
        3 => moment.Date,
        4 => moment.Date.AddHours(moment.Hour),
        5 => moment.Date.AddHours(moment.Hour).AddMinutes(moment.Minute),
        _ => moment,
    };

    private ref struct Reader(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> _left = text;

        public readonly bool AtEnd => _left.IsEmpty;

        public bool Take(char expected)
        {
            if (_left.IsEmpty || _left[0] != expected)
            {
                return false;
            }

            _left = _left[1..];
            return true;
        }

        /// <summary>Number of components read, 0 when malformed.</summary>
        public int Date(ref int year, ref int month, ref int day)
        {
            if (!Digits(4, ref year))
            {
                return 0;
            }

            if (!Take('-'))
            {
                return 1;
            }

            if (!Digits(2, ref month))
            {
                return 0;
            }

            return !Take('-') ? 2 : Digits(2, ref day) ? 3 : 0;
        }

        public bool Time(ref TimeSpan time, ref int precision, ref int fractionDigits)
        {
            int hour = 0, minute = 0, second = 0;
            if (!Digits(2, ref hour) || hour > 23)
            {
                return false;
            }

            precision = 4;
            long fraction = 0;
            if (Take(':'))
            {
                precision = 5;
                if (!Digits(2, ref minute) || minute > 59)
                {
                    return false;
                }

                if (Take(':'))
                {
                    precision = 6;
                    // A leap second (60) is valid in FHIR; it is read as the last second of the minute.
                    if (!Digits(2, ref second) || second > 60 || (Take('.') && !Fraction(ref fraction, ref fractionDigits)))
                    {
                        return false;
                    }
                }
            }

            time = new TimeSpan(hour, minute, Math.Min(59, second)) + TimeSpan.FromTicks(fraction);
            return true;
        }

        public bool Zone(ref TimeSpan? offset)
        {
            if (AtEnd)
            {
                return true;
            }

            if (Take('Z'))
            {
                offset = TimeSpan.Zero;
                return true;
            }

            var negative = _left[0] == '-';
            int hours = 0, minutes = 0;
            if (!(Take('+') || Take('-')) || !Digits(2, ref hours) || !Take(':') || !Digits(2, ref minutes) || hours > 14 || minutes > 59)
            {
                return false;
            }

            offset = new TimeSpan(hours, minutes, 0) * (negative ? -1 : 1);
            return true;
        }

        private bool Fraction(ref long ticks, ref int digits)
        {
            var scale = TimeSpan.TicksPerSecond;
            while (!_left.IsEmpty && char.IsAsciiDigit(_left[0]))
            {
                scale /= 10;
                ticks += (_left[0] - '0') * scale;
                digits++;
                _left = _left[1..];
            }

            return digits > 0;
        }

        private bool Digits(int count, ref int value)
        {
            if (_left.Length < count)
            {
                return false;
            }

            var number = 0;
            for (var index = 0; index < count; index++)
            {
                if (!char.IsAsciiDigit(_left[index]))
                {
                    return false;
                }

                number = (number * 10) + (_left[index] - '0');
            }

            value = number;
            _left = _left[count..];
            return true;
        }
    }
}
