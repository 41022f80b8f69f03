using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>The findings of one validation.</summary>
internal sealed class ValidationRun
{
    /// <summary>A person mends a few dozen findings at a time; a resource with more has one cause. The limit also bounds the answer's size.</summary>
    public const int MaxIssues = 200;

    private List<Issue>? _issues;

    /// <summary>Nothing more is looked for.</summary>
    public bool IsFull => _issues is { Count: >= MaxIssues };

    public IReadOnlyList<Issue> Issues => _issues ?? (IReadOnlyList<Issue>)[];

    /// <summary>Adds a finding about a node, or about a child it should not have or lacks.</summary>
    public void Add(in Finding finding, ResourceNode node, string message, ReadOnlySpan<byte> child = default)
    {
        if (IsFull)
        {
            return;
        }

        var expression = ElementPath.Of(node, child);
        foreach (var known in Issues)
        {
            // Slices repeat what their element says; one finding is enough.
            if (known.Code == finding.Code && known.Expression == expression && known.Message == message)
            {
                return;
            }
        }

        (_issues ??= []).Add(new Issue(finding.Severity, finding.Kind, finding.Code, message) { Expression = expression, Position = node.Position, Fix = finding.Fix });
        if (_issues.Count == MaxIssues - 1)
        {
            var limit = ValidationIssues.TooManyIssues;
            _issues.Add(new Issue(limit.Severity, limit.Kind, limit.Code, $"There are more than {MaxIssues - 1} findings; the rest is not listed.") { Fix = limit.Fix });
        }
    }
}
