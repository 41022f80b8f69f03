using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>One resource of a rule.</summary>
/// <param name="When">Without it always.</param>
/// <param name="IsStatic">One for the device, whatever the time: a DeviceMetric, for example.</param>
internal sealed record RuleResource(string Name, string Type, RulePart Body, RuleCondition? When, bool IsStatic, TextPosition Position)
{
    /// <summary>What stands before a colon: "reading:mass" and "reading:absent" are two forms of one resource, so that one replaces the other.</summary>
    public string KeyName => Name.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? Name[..colon] : Name;
}

/// <summary>A rule of a FhirIomt mapping, compiled: what it matches in a message, whose and when it is, and the resources it becomes.</summary>
internal sealed record Rule
{
    public required string Name { get; init; }

    public required TextPosition Position { get; init; }

    public required JsonPathExpression Match { get; init; }

    public required RuleCondition? When { get; init; }

    /// <summary>Without it the readings are of the device whose credential sends them.</summary>
    public required RuleExpression? Device { get; init; }

    /// <summary>What <see cref="Device"/> finds counts only where the credential is not one device's.</summary>
    public required bool IsOfSender { get; init; }

    public required RuleExpression? Patient { get; init; }

    public required RuleExpression? Encounter { get; init; }

    /// <summary>The list of which each entry is a reading; without it the match is one.</summary>
    public required RuleExpression? Items { get; init; }

    /// <summary>What the source itself calls the reading; without it, or where it finds nothing, the time stands for it.</summary>
    public required IReadOnlyList<RulePart> Key { get; init; }

    /// <summary>What it matches is meant to be left out, and no reason for quarantine.</summary>
    public required bool IsIgnored { get; init; }

    /// <summary>Why what it matches may not be taken; null for a rule that takes it.</summary>
    public required string? Refusal { get; init; }

    /// <summary>The first that the message has.</summary>
    public required IReadOnlyList<RuleTime> Time { get; init; }

    /// <summary>The end, for readings that last.</summary>
    public required IReadOnlyList<RuleTime> Until { get; init; }

    public required IReadOnlyList<RuleResource> Resources { get; init; }

    /// <summary>Applies the rule to one message; answers how many places it matched.</summary>
    public int Run(JsonTree message, TimeZoneInfo? zone, IssueSink issues, List<RuleReading> readings)
    {
        var count = 0;
        var found = new RowBuffer(stackalloc int[16], int.MaxValue);
        Match.Select(PathScope.At(message, 0), ref found);
        for (var i = 0; i < found.Count; i++)
        {
            count += RunAt(message, message.NodeAt(found[i]), zone, issues, readings) ? 1 : 0;
        }

        found.Dispose();
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

        if (Refusal is { } words)
        {
            issues.Add(RuleIssues.Refused(words));
            return true;
        }

        if (IsIgnored)
        {
            return true;
        }

        if (Items is null)
        {
            Take(run, message, match, item: null, zone, issues, readings);
            return true;
        }

        foreach (var (index, node) in Items.All(run).Index())
        {
            // A gap in a series is no reading.
            if (node.Kind != NodeKind.Null)
            {
                var item = new RuleItem(node, index);
                Take(new RuleRun(message, match, item), message, match, item, zone, issues, readings);
            }
        }

        return true;
    }

    private void Take(RuleRun run, JsonTree message, ResourceNode match, RuleItem? item, TimeZoneInfo? zone, IssueSink issues, List<RuleReading> readings)
    {
        var device = Device is null ? "" : TextOf(Device, run);
        if (device is null && !IsOfSender && run.Issue is null)
        {
            run.Fail(RuleIssues.Missing(Device!.Text));
        }

        var moment = RuleTime.First(Time, run, zone, out var timeGiven);
        if (moment is null && run.Issue is null)
        {
            run.Fail(RuleIssues.Missing(Time[0].Text));
        }

        var end = Until.Count == 0 ? moment : RuleTime.First(Until, run, zone, out _) ?? moment;
        var (patient, encounter) = (Patient is null ? null : TextOf(Patient, run), Encounter is null ? null : TextOf(Encounter, run));
        var key = KeyOf(run);
        if (run.Issue is { } issue)
        {
            issues.Add(issue);
            return;
        }

        var timeText = TextPart.TextOf(timeGiven);
        for (var i = 0; i < Resources.Count; i++)
        {
            var resource = Resources[i];
            if (resource.When?.Holds(run) == false)
            {
                continue;
            }

            var reading = new RuleReading(this, resource, message, match, item)
            {
                DeviceText = device ?? "",
                PatientText = patient,
                EncounterText = encounter,
                TimeText = timeText,
                KeyText = key,
                From = moment!.Value,
                Until = end!.Value,
            };
            if (reading.Check(run) is { } refusal)
            {
                issues.Add(refusal);
            }
            else
            {
                readings.Add(reading);
            }
        }
    }

    // The first that the message has.
    private string? KeyOf(RuleRun run)
    {
        foreach (var part in Key)
        {
            if (part.Evaluate(run) is { IsNull: false } named)
            {
                return TextPart.TextOf(named);
            }
        }

        return null;
    }

    private static string? TextOf(RuleExpression expression, RuleRun run) => TextOf(expression.One(run));

    private static string? TextOf(JmesValue value) => value.IsNull || value.Kind is JmesKind.Array or JmesKind.Object || TextPart.TextOf(value) is not { } text || string.IsNullOrWhiteSpace(text) ? null : text;
}
