namespace FhirIomt.Storage.Tests;

/// <summary>Gone at the end of the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fhiriomt-storage-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
