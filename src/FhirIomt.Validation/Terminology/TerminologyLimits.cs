namespace FhirIomt.Validation.Terminology;

/// <summary>How far terminology work goes before it is refused as too costly.</summary>
/// <param name="MaxExpansion">Concepts that one answer lists without paging; more are refused, as FHIR R4 §4.9.13 allows.</param>
/// <param name="MaxMembers">Concepts that a value set is evaluated over, paged or compiled.</param>
/// <param name="MaxImportDepth">Value sets within value sets.</param>
/// <param name="MaxImports">Value sets looked into for one request, those met again included.</param>
/// <param name="MaxIssues">Findings of one validation.</param>
/// <param name="MaxBatch">Validations in one batch.</param>
/// <param name="MaxCached">Compiled value sets kept.</param>
/// <param name="RegexTime">For one filter on one code; the engine is linear, so this is a second line of defence.</param>
public sealed record TerminologyLimits(int MaxExpansion, int MaxMembers, int MaxImportDepth, int MaxImports, int MaxIssues, int MaxBatch, int MaxCached, TimeSpan RegexTime)
{
    /// <summary>
    /// 1,000 listed concepts: what public terminology servers answer in one piece. 500,000 members: SNOMED CT's international edition has 360,000
    /// active concepts. Imports nest 4 deep at most in R4 and HL7's terminology package: 32; the widest set imports 60.
    /// </summary>
    public static TerminologyLimits Default { get; } = new(1_000, 500_000, 32, 2_000, 200, 1_000, 20_000, TimeSpan.FromMilliseconds(250));
}
