namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>Why a stream is not read on.</summary>
/// <param name="What">Goes on where the name of the file was said: "is no stream of FLAC".</param>
/// <param name="IsUnknown">The stream may well be what its writer meant; it is only not read here.</param>
internal sealed record FlacProblem(string What, bool IsUnknown);
