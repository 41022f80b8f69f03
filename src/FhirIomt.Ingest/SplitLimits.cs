namespace FhirIomt.Ingest;

/// <summary>How much one request may hold.</summary>
/// <param name="MaxBytes">Largest body in bytes; the caller knows what its transport allows.</param>
public sealed record SplitLimits(int MaxBytes)
{
    /// <summary>10,000 messages: at 100 to 200 bytes each that is a body of 1 to 2 MB, and one group commit of the store stays below a second.</summary>
    public int MaxMessages { get; init; } = 10_000;

    /// <summary>64 levels in one message, System.Text.Json's own default; device messages nest five or six.</summary>
    public int MaxDepth { get; init; } = 64;
}
