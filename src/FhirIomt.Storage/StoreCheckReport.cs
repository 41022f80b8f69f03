namespace FhirIomt.Storage;

/// <summary>What a check of a store found.</summary>
/// <param name="Resources">How many were compared.</param>
/// <param name="Problems">How many there are; the first hundred are named.</param>
public sealed record StoreCheckReport(long Resources, long Problems, IReadOnlyList<string> Named);
