using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>The findings of one validation.</summary>
internal sealed class ValidationRun(FhirDefinitions definitions)
{
    /// <summary>A person mends a few dozen findings at a time; a resource with more has one cause. The limit also bounds the answer's size.</summary>
    public const int MaxIssues = 200;

    /// <summary>Warnings stop being listed before errors do: a run that ends early has found errors, so it never lets a bad resource pass.</summary>
    private const int MaxRemarks = 100;

    private List<Issue>? _issues;
    private int _remarks;

    /// <summary>Nothing more is looked for: at least half of the findings are errors.</summary>
    public bool IsFull => _issues is { Count: >= MaxIssues };

    public IReadOnlyList<Issue> Issues => _issues ?? (IReadOnlyList<Issue>)[];

    public bool HasErrors => _issues is not null && _issues.Exists(issue => issue.Refuses);

    public void AddAll(ValidationRun other)
    {
        foreach (var issue in other.Issues)
        {
            if (!IsKnown(issue.Code, issue.Expression, issue.Message))
            {
                Append(issue);
            }
        }
    }

    /// <summary>Adds a finding about a node; one about a child that is missing stands at its parent.</summary>
    public void Add(in Finding finding, ResourceNode node, string message) => Add(finding, node, node, message);

    /// <param name="owner">The element that the finding is about.</param>
    /// <param name="at">Where in the text it shows.</param>
    public void Add(in Finding finding, ResourceNode owner, ResourceNode at, string message)
    {
        if (IsFull || (_remarks >= MaxRemarks && finding.Severity < IssueSeverity.Error))
        {
            return;
        }

        var expression = ElementPath.Of(owner, definitions);
        if (IsKnown(finding.Code, expression, message))
        {
            return;
        }

        Append(new Issue(finding.Severity, finding.Kind, finding.Code, message) { Expression = expression, Position = at.Position, Fix = finding.Fix });
    }

    // Slices repeat what their element says; one finding is enough.
    private bool IsKnown(string code, string? expression, string message) =>
        _issues is not null && _issues.Exists(known => known.Code == code && known.Expression == expression && known.Message == message);

    private void Append(Issue issue)
    {
        if (IsFull || (!issue.Refuses && ++_remarks > MaxRemarks))
        {
            return;
        }

        (_issues ??= []).Add(issue);
        if (_issues.Count == MaxIssues - 1 || _remarks == MaxRemarks)
        {
            Limit(_remarks == MaxRemarks ? "further warnings are" : "the rest is");
        }
    }

    private void Limit(string what)
    {
        var limit = ValidationIssues.TooManyIssues;
        if (!_issues!.Exists(issue => issue.Code == limit.Code && issue.Message.Contains(what, StringComparison.Ordinal)))
        {
            _issues.Add(new Issue(limit.Severity, limit.Kind, limit.Code, $"There are more findings; {what} not listed.") { Fix = limit.Fix });
        }
    }
}
