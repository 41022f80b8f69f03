namespace FhirIomt.Validation.Tests;

/// <summary>Where we differ from an outside suite, one line each: the name, a space, why. A list may only shrink.</summary>
internal static class KnownDifferences
{
    public static IReadOnlyList<string> Read(string file) =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, file)).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ')[0])];
}
