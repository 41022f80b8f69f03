using FhirIomt.Core;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping.Tracing;

/// <summary>What a template or rule did with one message.</summary>
/// <param name="Name">Type name or name of the rule.</param>
/// <param name="Position">Where it stands in the mapping.</param>
public sealed record TemplateTrace(string Name, TextPosition Position, string MatchExpression, TextPosition? MatchPosition, IReadOnlyList<MatchTrace> Matches)
{
    internal IReadOnlyList<string[]> RequiredNames { get; init; } = [];
}

/// <summary>One match: where in the message, what each expression found there, and what came of it.</summary>
/// <param name="At">Place of the matched value in the message; null when it was computed.</param>
public sealed record MatchTrace(TextPosition? At, string Matched, IReadOnlyList<StepTrace> Steps, IReadOnlyList<MappedReading> Readings, IReadOnlyList<Issue> Issues);

/// <summary>One expression.</summary>
/// <param name="Name">What it is for: device id, time, value 'hr'…</param>
/// <param name="Position">Where it stands in the mapping.</param>
/// <param name="Value">What it found, as JSON; null when nothing.</param>
/// <param name="At">Where in the message that stands; null when it was computed.</param>
/// <param name="Problem">Why there is no one value.</param>
public sealed record StepTrace(string Name, string Expression, TextPosition? Position, bool IsRequired, string? Value, TextPosition? At, string? Problem);
