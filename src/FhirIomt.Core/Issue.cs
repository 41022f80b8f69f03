namespace FhirIomt.Core;

/// <summary>How bad an issue is, with the names and meaning of FHIR R4 <c>issue-severity</c>.</summary>
public enum IssueSeverity
{
    Information,
    Warning,
    Error,
    Fatal,
}

/// <summary>The kind of an issue; each member is one code of FHIR R4 <c>issue-type</c>.</summary>
public enum IssueKind
{
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Expired,
    Forbidden,
    Suppressed,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    Throttled,
    Exception,
    Informational,
}

/// <summary>A place in a text: both numbers count from 1; the column counts UTF-8 bytes.</summary>
public readonly record struct TextPosition(int Line, int Column)
{
    public override string ToString() => $"line {Line}, column {Column}";

    /// <summary>The position of a byte offset; walks the text, so it is for refusals, not for hot paths.</summary>
    public static TextPosition At(ReadOnlySpan<byte> utf8, int offset)
    {
        var before = utf8[..Math.Clamp(offset, 0, utf8.Length)];
        return new TextPosition(before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'));
    }
}

/// <summary>One finding about some input: what is wrong, where, and how to mend it.</summary>
/// <param name="Severity">An <see cref="IssueSeverity.Error"/> or worse refuses the input.</param>
/// <param name="Kind">The FHIR issue type.</param>
/// <param name="Code">Stable code, <c>IOMT-dddd</c>; clients may branch on it, so it never changes its meaning.</param>
/// <param name="Message">What is wrong, for a person. Never holds patient data beyond what the sender sent in this request.</param>
public sealed record Issue(IssueSeverity Severity, IssueKind Kind, string Code, string Message)
{
    /// <summary>FHIRPath or JSONPath of the element concerned, if there is one.</summary>
    public string? Expression { get; init; }

    /// <summary>Line and column in the text that came in, if known.</summary>
    public TextPosition? Position { get; init; }

    /// <summary>How to mend it, as an instruction.</summary>
    public string? Fix { get; init; }

    public bool Refuses => Severity >= IssueSeverity.Error;

    public static Issue Error(IssueKind kind, string code, string message, string? expression = null, string? fix = null) =>
        new(IssueSeverity.Error, kind, code, message) { Expression = expression, Fix = fix };

    public static Issue Warning(IssueKind kind, string code, string message, string? expression = null, string? fix = null) =>
        new(IssueSeverity.Warning, kind, code, message) { Expression = expression, Fix = fix };
}
