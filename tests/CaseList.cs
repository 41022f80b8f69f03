namespace FhirIomt.Tests;

/// <summary>A checked-in list of cases that do not pass, <c>id TAB reason</c>: it must be exact for the cases that were run.</summary>
internal static class CaseList
{
    public static void MustMatch(string file, IReadOnlyCollection<string> run, IReadOnlyDictionary<string, string> failed)
    {
        var listed = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, file))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')[0]).ToHashSet(StringComparer.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine($"{run.Count - failed.Count} of {run.Count} pass");
        var unexpected = failed.Where(pair => !listed.Contains(pair.Key)).Select(pair => $"{pair.Key}\t{pair.Value}").ToList();
        var healed = run.Where(name => listed.Contains(name) && !failed.ContainsKey(name)).Select(name => $"{name} passes now: take it off {file}");
        var differences = string.Join('\n', unexpected.Take(100).Concat(healed));
        Assert.True(differences.Length == 0, $"{unexpected.Count} fail that are not in {file}:\n{differences}");
        Assert.NotEmpty(run);
    }
}
