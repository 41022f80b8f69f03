namespace FhirIomt.Fhir.Packages;

/// <summary>How large a package may be.</summary>
/// <param name="MaxFiles">Files of any kind.</param>
/// <param name="MaxBytes">Unpacked, all files together.</param>
/// <param name="MaxFileBytes">Unpacked, one file.</param>
public sealed record PackageLimits(int MaxFiles, long MaxBytes, int MaxFileBytes)
{
    /// <summary>HL7's terminology package, the largest in wide use, has 4,100 files, 68 MB unpacked and 6 MB in its largest file: ten times that.</summary>
    public static PackageLimits Default { get; } = new(50_000, 700L * 1024 * 1024, 64 * 1024 * 1024);
}
