using System.Diagnostics.CodeAnalysis;

namespace FhirIomt.Core;

/// <summary>A value, or the issues that stand in its way. Refusals are values here; exceptions are bugs.</summary>
public readonly struct Outcome<T>
{
    private readonly T? _value;
    private readonly IReadOnlyList<Issue>? _issues;
    private readonly bool _succeeded;

    private Outcome(T? value, bool succeeded, IReadOnlyList<Issue>? issues)
    {
        _value = value;
        _succeeded = succeeded;
        _issues = issues;
    }

    public bool Succeeded => _succeeded;

    /// <summary>The refusals, or for a success its warnings. Never null.</summary>
    public IReadOnlyList<Issue> Issues => _issues ?? [];

    public bool TryGetValue([MaybeNullWhen(false)] out T value, out IReadOnlyList<Issue> issues)
    {
        value = _value;
        issues = Issues;
        return _succeeded;
    }

    /// <summary>The value of an outcome known to have succeeded; asking a refusal for it is a bug.</summary>
    public T Require() => _succeeded
        ? _value!
        : throw new InvalidOperationException("The outcome is a refusal: " + string.Join("; ", Issues.Select(issue => $"{issue.Code} {issue.Message}")));

    public static Outcome<T> Success(T value, IReadOnlyList<Issue>? warnings = null) => new(value, succeeded: true, warnings);

    public static Outcome<T> Refused(params IReadOnlyList<Issue> issues) => new(default, succeeded: false, issues);

    public static implicit operator Outcome<T>(T value) => Success(value);

    public static implicit operator Outcome<T>(Issue issue) => Refused(issue);
}
