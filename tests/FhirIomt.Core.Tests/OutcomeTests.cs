namespace FhirIomt.Core.Tests;

public sealed class OutcomeTests
{
    private static readonly Issue Refusal = Issue.Error(IssueKind.Invalid, "IOMT-0000", "wrong");

    [Fact]
    public void A_success_gives_its_value_and_its_warnings()
    {
        var outcome = Outcome<int>.Success(7, [Issue.Warning(IssueKind.Value, "IOMT-0001", "odd")]);

        Assert.True(outcome.TryGetValue(out var value, out var issues));
        Assert.Equal(7, value);
        Assert.Equal("IOMT-0001", Assert.Single(issues).Code);
    }

    [Fact]
    public void A_refusal_gives_its_issues_and_no_value()
    {
        Outcome<string> outcome = Refusal;

        Assert.False(outcome.TryGetValue(out var value, out var issues));
        Assert.Null(value);
        Assert.Same(Refusal, Assert.Single(issues));
    }

    [Fact]
    public void Requiring_the_value_of_a_refusal_is_a_bug_that_names_the_code()
    {
        Outcome<string> outcome = Refusal;

        Assert.Contains("IOMT-0000", Assert.Throws<InvalidOperationException>(() => outcome.Require()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IssueSeverity.Information, false)]
    [InlineData(IssueSeverity.Warning, false)]
    [InlineData(IssueSeverity.Error, true)]
    [InlineData(IssueSeverity.Fatal, true)]
    public void Errors_and_worse_refuse(IssueSeverity severity, bool refuses) =>
        Assert.Equal(refuses, (Refusal with { Severity = severity }).Refuses);
}
