using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>Takes one reading out of one match. Whatever stands in the way becomes an issue, and the reading is not made.</summary>
internal readonly ref struct ReadingExtractor(ReadingPlan plan, TimeZoneInfo? zone, IssueSink issues)
{
    public ObservationReading? Extract(in PathScope scope)
    {
        var content = plan.Content;
        if (RequiredText(scope, content.DeviceId, "device id") is not { } device
            || !TryTime(scope, out var timeNode, out var time)
            || !TryOptionalText(scope, content.PatientId, "patient id", out var patient)
            || !TryOptionalText(scope, content.EncounterId, "encounter id", out var encounter)
            || !TryCorrelation(scope, out var correlation)
            || TryValues(scope) is not { } values
            || !IsUsable(correlation))
        {
            return null;
        }

        return new ObservationReading(plan, values)
        {
            DeviceIdentifierText = device,
            PatientIdentifierText = patient,
            EncounterIdentifierText = encounter,
            CorrelationId = correlation,
            TimeNode = timeNode,
            Time = time,
        };
    }

    // What the FHIR half needs besides values.
    private bool IsUsable(string? correlation)
    {
        if (plan.Fhir?.Failure is { } failure)
        {
            return issues.Refuse(ReadingIssues.TemplateFails(plan.Content.TypeName, failure));
        }

        return plan.Fhir?.Period != ReadingPeriod.Correlation || correlation is not null || issues.Refuse(ReadingIssues.NoCorrelation(plan.Content.TypeName));
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
            return issues.Refuse(ReadingIssues.Unreadable(node.ToString(), path.Text));
        }

        var text = node.ContentSpan.Contains((byte)'\\') ? System.Text.Encoding.UTF8.GetBytes(node.AsString()!) : node.ContentSpan;
        var reading = DeviceTime.Read(text, out time, out var clock);
        if (reading != TimeReading.Read && plan.Has(ConnectorDefects.GuessedTimes))
        {
            return DeviceTime.TryGuess(node.AsString()!, out time) || issues.Refuse(ReadingIssues.Unreadable(node.AsString()!, path.Text));
        }

        return reading switch
        {
            TimeReading.Read => true,
            TimeReading.Unreadable => issues.Refuse(ReadingIssues.Unreadable(node.AsString()!, path.Text)),
            _ when zone is null => issues.Refuse(ReadingIssues.NoZone(node.AsString()!, path.Text)),
            _ => DeviceTime.TryInZone(clock, zone, out time) || issues.Refuse(ReadingIssues.NotInZone(node.AsString()!, zone, path.Text)),
        };
    }

    private MappingExpression TimePath(in PathScope scope)
    {
        var paths = plan.Content.Time;
        for (var i = 0; i < paths.Count - 1; i++)
        {
            if (paths[i].SelectOne(scope, out _, out _) != PathFinding.Nothing)
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

    // A value that does not exist is an optional one that is not there.
    private ResourceNode[]? TryValues(in PathScope scope)
    {
        var values = plan.Content.Values;
        var nodes = values.Count == 0 ? [] : new ResourceNode[values.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            var value = values[i];
            if (value.Required ? !IsRequired(scope, value.Path, value.Name, out nodes[i], isValue: true) : !TryOptional(scope, value.Path, value.Name, out nodes[i]))
            {
                return null;
            }

            if (nodes[i].Exists && plan.Has(ConnectorDefects.RewrittenTexts))
            {
                nodes[i] = RewrittenText.Of(nodes[i]);
            }
        }

        return plan.Fhir is null || AreWritable(nodes) ? nodes : null;
    }

    private bool TryOptional(in PathScope scope, MappingExpression path, string name, out ResourceNode value)
    {
        var finding = path.SelectOne(scope, out var node, out var failure);
        value = default;
        if (finding is PathFinding.Several or PathFinding.Failed)
        {
            return issues.Refuse(finding == PathFinding.Several ? ReadingIssues.Several(Quoted(name), path) : ReadingIssues.NotComputed(Quoted(name), failure!, path));
        }

        if (finding == PathFinding.One && node.Kind != NodeKind.Null)
        {
            if (IsSimple(node))
            {
                value = node;
            }
            else
            {
                issues.Add(ReadingIssues.OptionalLeftOut(name, path));
            }
        }

        return true;
    }

    private bool AreWritable(ResourceNode[] nodes)
    {
        if (plan.Value is { } value && !IsWritable(value, nodes))
        {
            return false;
        }

        foreach (var component in plan.Components)
        {
            if (!IsWritable(component, nodes))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsWritable(BoundValue bound, ResourceNode[] nodes)
    {
        var source = -1;
        foreach (var candidate in bound.Sources)
        {
            if (nodes[candidate].Exists && source >= 0)
            {
                return issues.Refuse(ReadingIssues.TwoValues(bound.Value.Name, plan.Content.Values[candidate].Path));
            }

            source = nodes[candidate].Exists ? candidate : source;
        }

        if (source < 0)
        {
            return true;
        }

        var node = nodes[source];
        var path = plan.Content.Values[source].Path;
        return bound.Value.Kind switch
        {
            FhirValueKind.Quantity => !DecimalText.Of(node, plan.Has(ConnectorDefects.CommasIgnored)).IsEmpty || issues.Refuse(ReadingIssues.NotNumber(bound.Value.Name, node.AsText()!, path)),
            FhirValueKind.Samples => plan.Has(ConnectorDefects.SamplesUnchecked) || DecimalText.IsSample(node) || issues.Refuse(ReadingIssues.BadSample(bound.Value.Name, node.AsText()!, path)),
            FhirValueKind.Text => !IsBlank(node) || issues.Refuse(ReadingIssues.EmptyText(bound.Value.Name, path)),
            _ => true,
        };
    }

    private string? RequiredText(in PathScope scope, MappingExpression path, string member) =>
        IsRequired(scope, path, member, out var node) ? TextOf(Kept(node)) : null;

    private ResourceNode Kept(ResourceNode node) => plan.Has(ConnectorDefects.RewrittenTexts) ? RewrittenText.Of(node) : node;

    private static string Quoted(string name) => $"value '{name}'";

    private bool TryOptionalText(in PathScope scope, MappingExpression? path, string member, out string? text)
    {
        text = null;
        if (path is null)
        {
            return true;
        }

        var finding = path.SelectOne(scope, out var node, out var failure);
        if (finding is PathFinding.Several or PathFinding.Failed)
        {
            return issues.Refuse(finding == PathFinding.Several ? ReadingIssues.Several(member, path) : ReadingIssues.NotComputed(member, failure!, path));
        }

        if (finding == PathFinding.Nothing || node.Kind == NodeKind.Null)
        {
            return true;
        }

        text = IsSimple(node) ? TextOf(Kept(node)) : null;
        return text is not null || issues.Refuse(ReadingIssues.NotSimple(member, path));
    }

    private bool IsRequired(in PathScope scope, MappingExpression path, string name, out ResourceNode node, bool isValue = false)
    {
        var finding = path.SelectOne(scope, out node, out var failure);
        if (finding == PathFinding.One && IsSimple(node) && !IsBlank(node))
        {
            return true;
        }

        var member = isValue ? Quoted(name) : name;
        return issues.Refuse(finding switch
        {
            PathFinding.Nothing => ReadingIssues.Missing(member, path),
            PathFinding.Several => ReadingIssues.Several(member, path),
            PathFinding.Failed => ReadingIssues.NotComputed(member, failure!, path),
            _ => IsSimple(node) ? ReadingIssues.Blank(member, path) : ReadingIssues.NotSimple(member, path),
        });
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

    public bool HasErrors { get; private set; }

    public void Add(Issue issue)
    {
        HasErrors |= issue.Refuses;
        (_issues ??= []).Add(issue);
    }

    /// <summary>Adds it and answers false.</summary>
    public bool Refuse(Issue issue)
    {
        Add(issue);
        return false;
    }
}
