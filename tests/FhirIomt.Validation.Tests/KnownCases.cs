namespace FhirIomt.Validation.Tests;

/// <summary>The cases of a suite that are not passed, one line each: id, tab, reason. A listed case that passes fails the test, as does an unlisted one that does not.</summary>
internal static class KnownCases
{
    public static void AssertSame(string file, IReadOnlyDictionary<string, string?> outcomes, string only = "")
    {
        var listed = File.ReadLines(Path.Combine(AppContext.BaseDirectory, file))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')[0]).ToHashSet(StringComparer.Ordinal);
        var surprises = outcomes.Where(outcome => outcome.Value is null == listed.Contains(outcome.Key))
            .Select(outcome => outcome.Value is null ? $"{outcome.Key}: passes now, take it from {file}" : $"{outcome.Key}: {outcome.Value}").ToList();
        Assert.True(surprises.Count == 0, $"{surprises.Count} surprises of {outcomes.Count}:\n{string.Join('\n', surprises)}");
    }
}
