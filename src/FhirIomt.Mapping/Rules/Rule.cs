using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>How a rule reads a time.</summary>
internal enum RuleClock
{
    Text,
    EpochSeconds,
    EpochMilliseconds,
}

internal sealed record RuleTime(RuleExpression Expression, RuleClock Clock);

/// <summary>One resource of a rule.</summary>
/// <param name="When">Without it always.</param>
/// <param name="IsStatic">One for the device, whatever the time: a DeviceMetric, for example.</param>
internal sealed record RuleResource(string Name, string Type, RulePart Body, RuleCondition? When, bool IsStatic, TextPosition Position);

/// <summary>A rule of a FhirIomt mapping, compiled: what it matches in a message, whose and when it is, and the resources it becomes.</summary>
internal sealed record Rule
{
    public required string Name { get; init; }

    public required TextPosition Position { get; init; }

    public required JsonPathExpression Match { get; init; }

    public required RuleCondition? When { get; init; }

    public required RuleExpression Device { get; init; }

    public required RuleExpression? Patient { get; init; }

    public required RuleExpression? Encounter { get; init; }

    public required RuleTime Time { get; init; }

    /// <summary>The end, for readings that last.</summary>
    public required RuleTime? Until { get; init; }

    public required IReadOnlyList<RuleResource> Resources { get; init; }

    /// <summary>Applies the rule to one message; answers how many places it matched.</summary>
    public int Run(JsonTree message, TimeZoneInfo? zone, IssueSink issues, List<RuleReading> readings)
    {
        var count = 0;
        foreach (var match in Match.SelectAll(PathScope.At(message, 0), out _))
        {
            count += RunAt(message, match, zone, issues, readings) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Applies it to one match; false when its condition does not hold there.</summary>
    public bool RunAt(JsonTree message, ResourceNode match, TimeZoneInfo? zone, IssueSink issues, List<RuleReading> readings)
    {
        var run = new RuleRun(message, match);
        if (When?.Holds(run) == false)
        {
            return false;
        }

        Take(run, message, match, zone, issues, readings);
        return true;
    }

    private void Take(RuleRun run, JsonTree message, ResourceNode match, TimeZoneInfo? zone, IssueSink issues, List<RuleReading> readings)
    {
        var device = TextOf(Device, run) ?? (run.Issue is null ? TextOf(run.Fail(RuleIssues.Missing(Device.Text))) : null);
        var moment = TimeOf(Time, run, zone);
        var end = Until is null ? moment : TimeOf(Until, run, zone);
        var (patient, encounter) = (Patient is null ? null : TextOf(Patient, run), Encounter is null ? null : TextOf(Encounter, run));
        if (run.Issue is { } issue)
        {
            issues.Add(issue);
            return;
        }

        foreach (var resource in Resources)
        {
            if (resource.When?.Holds(run) == false)
            {
                continue;
            }

            var reading = new RuleReading(this, resource, message, match)
            {
                DeviceText = device!,
                PatientText = patient,
                EncounterText = encounter,
                TimeText = TextOf(Time.Expression, run) ?? "",
                From = moment,
                Until = end,
            };
            if (reading.Check() is { } refusal)
            {
                issues.Add(refusal);
            }
            else
            {
                readings.Add(reading);
            }
        }
    }

    private static string? TextOf(RuleExpression expression, RuleRun run) => TextOf(expression.One(run));

    private static string? TextOf(JmesValue value) => value.IsNull || value.Kind is JmesKind.Array or JmesKind.Object || TextPart.TextOf(value) is not { } text || string.IsNullOrWhiteSpace(text) ? null : text;

    private static DateTimeOffset TimeOf(RuleTime time, RuleRun run, TimeZoneInfo? zone)
    {
        var expression = time.Expression;
        if (TextOf(expression, run) is not { } text)
        {
            run.Fail(RuleIssues.Missing(expression.Text));
            return default;
        }

        return time.Clock == RuleClock.Text ? Read(text, expression, run, zone) : FromEpoch(text, time.Clock, expression, run);
    }

    private static DateTimeOffset Read(string text, RuleExpression expression, RuleRun run, TimeZoneInfo? zone)
    {
        var reading = DeviceTime.Read(System.Text.Encoding.UTF8.GetBytes(text), out var instant, out var clock);
        if (reading == TimeReading.Unreadable)
        {
            run.Fail(ReadingIssues.Unreadable(text, expression.Text));
        }
        else if (reading == TimeReading.NoZone && zone is null)
        {
            run.Fail(ReadingIssues.NoZone(text, expression.Text));
        }
        else if (reading == TimeReading.NoZone && !DeviceTime.TryInZone(clock, zone!, out instant))
        {
            run.Fail(ReadingIssues.NotInZone(text, zone!, expression.Text));
        }

        return instant;
    }

    private static DateTimeOffset FromEpoch(string text, RuleClock clock, RuleExpression expression, RuleRun run)
    {
        var unit = clock == RuleClock.EpochSeconds ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond;
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) || Math.Abs(count) > 1e14m
            || (DateTime.UnixEpoch.Ticks + (count * unit)) is var ticks && (ticks < 0 || ticks > DateTime.MaxValue.Ticks))
        {
            run.Fail(ReadingIssues.Unreadable(text, expression.Text));
            return default;
        }

        return new DateTimeOffset(DateTime.UnixEpoch.Ticks + (long)(count * unit), TimeSpan.Zero);
    }
}
