using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Running;

/// <summary>Takes one reading out of one match. Whatever stands in the way becomes an issue, and the reading is not made.</summary>
internal readonly ref struct ReadingExtractor(JsonTree tree, ReadingPlan plan, TimeZoneInfo? zone, IssueSink issues)
{
    /// <summary>Marks an optional value that is not there.</summary>
    public const int Absent = -1;

    public ObservationReading? Extract(int match)
    {
        var content = plan.Content;
        var scope = content.SeesWholeEvent ? PathScope.WithMatch(tree, match) : PathScope.At(tree, match);
        if (RequiredText(scope, content.DeviceId, "device id") is not { } device
            || !TryTime(scope, out var timeNode, out var time)
            || !TryOptionalText(scope, content.PatientId, "patient id", out var patient)
            || !TryOptionalText(scope, content.EncounterId, "encounter id", out var encounter)
            || !TryCorrelation(scope, out var correlation)
            || TryValues(scope) is not { } values)
        {
            return null;
        }

        return new ObservationReading(plan, tree, values)
        {
            DeviceIdentifierText = device,
            PatientIdentifierText = patient,
            EncounterIdentifierText = encounter,
            CorrelationId = correlation,
            TimeNode = timeNode,
            Time = time,
        };
    }

    private bool TryTime(in PathScope scope, out ResourceNode node, out DateTimeOffset time)
    {
        time = default;
        var path = TimePath(scope);
        if (!IsRequired(scope, path, "time", out node))
        {
            return false;
        }

        if (node.Kind != NodeKind.String)
        {
            return issues.Refuse(ReadingIssues.Unreadable(node.ToString(), path));
        }

        var text = node.ContentSpan.Contains((byte)'\\') ? System.Text.Encoding.UTF8.GetBytes(node.AsString()!) : node.ContentSpan;
        return DeviceTime.Read(text, out time, out var clock) switch
        {
            TimeReading.Read => true,
            TimeReading.Unreadable => issues.Refuse(ReadingIssues.Unreadable(node.AsString()!, path)),
            _ when zone is null => issues.Refuse(ReadingIssues.NoZone(node.AsString()!, path)),
            _ => DeviceTime.TryInZone(clock, zone, out time) || issues.Refuse(ReadingIssues.NotInZone(node.AsString()!, zone, path)),
        };
    }

    private JsonPathExpression TimePath(in PathScope scope)
    {
        var paths = plan.Content.Time;
        for (var i = 0; i < paths.Count - 1; i++)
        {
            if (paths[i].SelectOne(scope, out _) != PathFinding.Nothing)
            {
                return paths[i];
            }
        }

        return paths[^1];
    }

    // The connector's rule: once a template names a correlation id, every reading must have one.
    private bool TryCorrelation(in PathScope scope, out string? correlation)
    {
        correlation = plan.Content.CorrelationId is { } path ? RequiredText(scope, path, "correlation id") : null;
        return plan.Content.CorrelationId is null || correlation is not null;
    }

    private int[]? TryValues(in PathScope scope)
    {
        var values = plan.Content.Values;
        var rows = values.Count == 0 ? [] : new int[values.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var value = values[i];
            if (value.Required)
            {
                if (!IsRequired(scope, value.Path, $"value '{value.Name}'", out var node))
                {
                    return null;
                }

                rows[i] = node.Index;
            }
            else if (!TryOptional(scope, value.Path, value.Name, out rows[i]))
            {
                return null;
            }
        }

        return plan.Fhir is null || AreWritable(rows) ? rows : null;
    }

    private bool TryOptional(in PathScope scope, JsonPathExpression path, string name, out int row)
    {
        var finding = path.SelectOne(scope, out var node);
        row = Absent;
        if (finding == PathFinding.Several)
        {
            return issues.Refuse(ReadingIssues.Several($"value '{name}'", path));
        }

        if (finding == PathFinding.One && node.Kind != NodeKind.Null)
        {
            if (IsSimple(node))
            {
                row = node.Index;
            }
            else
            {
                issues.Add(ReadingIssues.OptionalLeftOut(name, path));
            }
        }

        return true;
    }

    private bool AreWritable(int[] rows)
    {
        if (plan.Value is { } value && !IsWritable(value, rows))
        {
            return false;
        }

        foreach (var component in plan.Components)
        {
            if (!IsWritable(component, rows))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsWritable(BoundValue bound, int[] rows)
    {
        var source = Absent;
        foreach (var candidate in bound.Sources)
        {
            if (rows[candidate] != Absent && source != Absent)
            {
                return issues.Refuse(ReadingIssues.TwoValues(bound.Value.Name, plan.Content.Values[candidate].Path));
            }

            source = rows[candidate] == Absent ? source : candidate;
        }

        if (source == Absent)
        {
            return true;
        }

        var node = tree.NodeAt(rows[source]);
        var path = plan.Content.Values[source].Path;
        return bound.Value.Kind switch
        {
            Templates.FhirValueKind.Quantity => !DecimalText.Of(node).IsEmpty || issues.Refuse(ReadingIssues.NotNumber(bound.Value.Name, node.AsText()!, path)),
            Templates.FhirValueKind.Text => !IsBlank(node) || issues.Refuse(ReadingIssues.EmptyText(bound.Value.Name, path)),
            _ => true,
        };
    }

    private string? RequiredText(in PathScope scope, JsonPathExpression path, string member) =>
        IsRequired(scope, path, member, out var node) ? TextOf(node) : null;

    private bool TryOptionalText(in PathScope scope, JsonPathExpression? path, string member, out string? text)
    {
        text = null;
        if (path is null)
        {
            return true;
        }

        var finding = path.SelectOne(scope, out var node);
        if (finding == PathFinding.Several)
        {
            return issues.Refuse(ReadingIssues.Several(member, path));
        }

        if (finding == PathFinding.Nothing || node.Kind == NodeKind.Null)
        {
            return true;
        }

        text = IsSimple(node) ? TextOf(node) : null;
        return text is not null || issues.Refuse(ReadingIssues.NotSimple(member, path));
    }

    private bool IsRequired(in PathScope scope, JsonPathExpression path, string member, out ResourceNode node)
    {
        switch (path.SelectOne(scope, out node))
        {
            case PathFinding.Nothing:
                return issues.Refuse(ReadingIssues.Missing(member, path));
            case PathFinding.Several:
                return issues.Refuse(ReadingIssues.Several(member, path));
            default:
                return !IsSimple(node)
                    ? issues.Refuse(ReadingIssues.NotSimple(member, path))
                    : !IsBlank(node) || issues.Refuse(ReadingIssues.Blank(member, path));
        }
    }

    /// <summary>The text of a value as the connector gives it on, except that digits and date-like texts stay as they are.</summary>
    public static string TextOf(ResourceNode node) => node.Kind switch
    {
        NodeKind.True => "True",
        NodeKind.False => "False",
        _ => node.AsText() ?? "",
    };

    private static bool IsBlank(ResourceNode node) => node.Kind == NodeKind.Null || (node.Kind == NodeKind.String && (node.Length == 2 || string.IsNullOrWhiteSpace(node.AsString())));

    private static bool IsSimple(ResourceNode node) => node.Kind switch
    {
        NodeKind.Object or NodeKind.Array => false,
        NodeKind.Number => node.Length < 19 || node.RawSpan.ContainsAny((byte)'.', (byte)'e', (byte)'E') || long.TryParse(node.RawSpan, out _),
        _ => true,
    };
}

/// <summary>Collects issues; the list exists only when there is one.</summary>
internal sealed class IssueSink
{
    private List<Issue>? _issues;

    public IReadOnlyList<Issue> All => _issues is null ? [] : _issues;

    public int Count => _issues?.Count ?? 0;

    public void Add(Issue issue) => (_issues ??= []).Add(issue);

    /// <summary>Adds it and answers false.</summary>
    public bool Refuse(Issue issue)
    {
        Add(issue);
        return false;
    }
}
