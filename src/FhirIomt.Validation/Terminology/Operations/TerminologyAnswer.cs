using FhirIomt.Core;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>What a terminology operation answers.</summary>
public sealed class TerminologyAnswer
{
    internal TerminologyAnswer(ReadOnlyMemory<byte> json, IReadOnlyList<Issue> refusals)
    {
        Json = json;
        Refusals = refusals;
    }

    /// <summary>A Parameters or ValueSet resource; for a refusal an OperationOutcome. UTF-8.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Why the operation was refused; empty when it ran. An invalid code is no refusal: the answer says so.</summary>
    public IReadOnlyList<Issue> Refusals { get; }

    /// <summary>Whether the operation ran.</summary>
    public bool Succeeded => Refusals.Count == 0;
}
