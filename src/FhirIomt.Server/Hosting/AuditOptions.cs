using FhirIomt.Repository.Auditing;

namespace FhirIomt.Server.Hosting;

/// <summary>What is recorded of who did what (docs/security.md, "Who looked").</summary>
internal sealed class AuditOptions
{
    /// <summary>False only to measure what the audit costs; the server warns at start.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Every answer waits until its line is durable, and nothing is answered that cannot be recorded. By default an answer waits only when many lines wait already.</summary>
    public bool FailClosed { get; set; }

    /// <summary>How long lines are kept; 1 day to 100 years. Six years is what HIPAA asks (45 CFR 164.316(b)(2)).</summary>
    public TimeSpan Keep { get; set; } = TimeSpan.FromDays(6 * 366);

    public AuditSettings Settings => new(FailClosed, Enabled);

    public IEnumerable<string> Problems()
    {
        if (Keep < TimeSpan.FromDays(1) || Keep > TimeSpan.FromDays(36_600))
        {
            yield return "Audit:Keep must be from 1.00:00:00 to 36600.00:00:00.";
        }
    }
}
