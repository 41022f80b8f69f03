namespace FhirIomt.Fhir.Json;

/// <summary>How large a JSON text may be.</summary>
/// <param name="MaxBytes">Largest text in bytes.</param>
/// <param name="MaxDepth">Deepest nesting of objects and arrays.</param>
public sealed record JsonLimits(int MaxBytes, int MaxDepth)
{
    /// <summary>
    /// 32 MiB: the largest official R4 example is 3.6 MB, the largest Synthea record bundle about 25 MB. Depth 128: the deepest official
    /// example nests 22 levels; System.Text.Json's own default is 64, and extensions within extensions need some room.
    /// </summary>
    public static JsonLimits Default { get; } = new(32 * 1024 * 1024, 128);
}
