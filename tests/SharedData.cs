namespace FhirIomt.Tests;

/// <summary>Conformance suites and device data that lie beside the project, not in it. Absent on most machines: tests that need them skip and say so.</summary>
internal static class SharedData
{
    private static readonly string? Root = Find();

    /// <summary>The path of a file or folder of the shared data; skips the test when it is missing.</summary>
    public static string Require(string relativePath)
    {
        var path = Root is null ? null : Path.Combine(Root, relativePath);
        var present = path is not null && (File.Exists(path) || Directory.Exists(path));
        Assert.SkipUnless(present, $"shared data '{relativePath}' is not here: set FHIRIOMT_SHARED or put it at ../shared");
        return path!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FHIRIOMT_SHARED") is { Length: > 0 } named)
        {
            return named;
        }

        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "FhirIomt.sln")))
            {
                var candidate = Path.GetFullPath(Path.Combine(directory.FullName, "..", "shared"));
                return Directory.Exists(candidate) ? candidate : null;
            }
        }

        return null;
    }
}
