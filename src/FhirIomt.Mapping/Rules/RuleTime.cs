using System.Globalization;
using System.Text;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>How a rule reads a time.</summary>
internal enum RuleClock
{
    Text,
    EpochSeconds,
    EpochMilliseconds,

    /// <summary>Seconds since 1970 of the clock on the wall, whose zone stands elsewhere.</summary>
    LocalSeconds,

    /// <summary>A date alone, which begins at midnight of its zone.</summary>
    Date,

    /// <summary>Month/day/year, with or without a time of day, as exports for the United States have it.</summary>
    UsDate,
}

/// <summary>One way to find a reading's time.</summary>
/// <param name="Text">As the mapping writes it.</param>
/// <param name="Zone">Where the message names the zone: an IANA name or an offset.</param>
/// <param name="Plus">Seconds, or a Quantity in seconds, to add; <paramref name="Minus"/> to take away.</param>
internal sealed record RuleTime(string Text, RulePart Value, RuleExpression? Expression, RuleClock Clock, RulePart? Zone, RulePart? Plus, RulePart? Minus)
{
    private const NumberStyles Signed = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    private static readonly JmesName Number = new("value");
    private static readonly string[] UsForms = ["M/d/yyyy", "M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy h:mm:ss tt", "M/d/yyyy h:mm tt", "M/d/yy", "M/d/yy H:mm:ss", "M/d/yy H:mm"];

    /// <summary>The first that the message has; null when it has none, or when the run has failed.</summary>
    /// <param name="given">What the moment was read from.</param>
    public static DateTimeOffset? First(IReadOnlyList<RuleTime> times, RuleRun run, TimeZoneInfo? zone, out JmesValue given)
    {
        for (var i = 0; i < times.Count; i++)
        {
            if (run.Issue is null && times[i].Read(run, zone, out given) is { } moment)
            {
                return moment;
            }
        }

        given = JmesValue.Null;
        return null;
    }

    private DateTimeOffset? Read(RuleRun run, TimeZoneInfo? zone, out JmesValue value)
    {
        value = Value.Evaluate(run);

        // A text that says all by itself is read where it stands in the message.
        if (Clock == RuleClock.Text && Zone is null && value.TryNode(out var node) && node.IsString && DeviceTime.Read(node.ContentSpan, out var instant, out _) == TimeReading.Read)
        {
            return Moved(instant, run);
        }

        if (value.IsNull || value.Kind is JmesKind.Array or JmesKind.Object || TextPart.TextOf(value) is not { } found || string.IsNullOrWhiteSpace(found))
        {
            return null;
        }

        var named = Zone?.Evaluate(run) is { IsNull: false } given ? ZoneOf(TextPart.TextOf(given)) : null;
        var moment = Moment(found, run, named ?? zone);
        return run.Issue is not null ? null : Moved(moment, run);
    }

    private DateTimeOffset Moment(string text, RuleRun run, TimeZoneInfo? zone)
    {
        switch (Clock)
        {
            case RuleClock.EpochSeconds or RuleClock.EpochMilliseconds:
                return FromEpoch(text, Clock == RuleClock.EpochSeconds ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond, run);
            case RuleClock.LocalSeconds:
                return InZone(FromEpoch(text, TimeSpan.TicksPerSecond, run).UtcDateTime, text, run, zone);
            case RuleClock.Date or RuleClock.UsDate:
                var forms = Clock == RuleClock.Date ? ["yyyy-MM-dd"] : UsForms;
                return DateTime.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? InZone(date, text, run, zone) : Unreadable(text, run);
            default:
                var reading = DeviceTime.Read(Encoding.UTF8.GetBytes(text), out var instant, out var clock);
                return reading switch
                {
                    TimeReading.Unreadable => Unreadable(text, run),
                    TimeReading.NoZone => InZone(clock, text, run, zone),
                    _ => instant,
                };
        }
    }

    private DateTimeOffset InZone(DateTime clock, string text, RuleRun run, TimeZoneInfo? zone)
    {
        if (run.Issue is not null)
        {
            return default;
        }

        var wall = DateTime.SpecifyKind(clock, DateTimeKind.Unspecified);
        if (zone is not null && DeviceTime.TryInZone(wall, zone, out var instant))
        {
            return instant;
        }

        run.Fail(zone is null ? ReadingIssues.NoZone(text, Text) : ReadingIssues.NotInZone(text, zone, Text));
        return default;
    }

    private DateTimeOffset FromEpoch(string text, long unit, RuleRun run)
    {
        if (!decimal.TryParse(text, Signed, CultureInfo.InvariantCulture, out var count) || Math.Abs(count) > 1e14m
            || (DateTime.UnixEpoch.Ticks + (count * unit)) is var ticks && (ticks < 0 || ticks > DateTime.MaxValue.Ticks))
        {
            return Unreadable(text, run);
        }

        return new DateTimeOffset(DateTime.UnixEpoch.Ticks + (long)(count * unit), TimeSpan.Zero);
    }

    private DateTimeOffset Unreadable(string text, RuleRun run)
    {
        run.Fail(ReadingIssues.Unreadable(text, Text));
        return default;
    }

    // What was to be added must be there: an end without its duration is not known.
    private DateTimeOffset? Moved(DateTimeOffset moment, RuleRun run)
    {
        if (Plus is null && Minus is null)
        {
            return moment;
        }

        foreach (var (part, sign) in new[] { (Plus, 1), (Minus, -1) })
        {
            if (part is null)
            {
                continue;
            }

            var value = part.Evaluate(run);
            value = value.Kind == JmesKind.Object ? value.Member(Number) : value;
            if (value.IsNull)
            {
                return null;
            }

            if (!decimal.TryParse(TextPart.TextOf(value), Signed, CultureInfo.InvariantCulture, out var seconds) || Math.Abs(seconds) > 1e10m
                || (moment.UtcTicks + (sign * seconds * TimeSpan.TicksPerSecond)) is var ticks && (ticks < 0 || ticks > DateTime.MaxValue.Ticks))
            {
                run.Fail(RuleIssues.NotNumber(TextPart.TextOf(value)));
                return null;
            }

            moment = new DateTimeOffset((long)ticks, TimeSpan.Zero);
        }

        return moment;
    }

    // Europe/Berlin, +01:00, -0800, -8
    private static TimeZoneInfo? ZoneOf(string text)
    {
        if (text.Length > 0 && text[0] is '+' or '-' or (>= '0' and <= '9'))
        {
            var digits = text.TrimStart('+', '-').Replace(":", "", StringComparison.Ordinal);
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            var minutes = (digits.Length <= 2 ? number * 60 : (number / 100 * 60) + (number % 100)) * (text[0] == '-' ? -1 : 1);
            return minutes is >= -840 and <= 840 ? TimeZoneInfo.CreateCustomTimeZone(text, TimeSpan.FromMinutes(minutes), text, text) : null;
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) ? zone : null;
    }
}
