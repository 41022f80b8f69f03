using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace FhirIomt.Architecture.Tests;

/// <summary>What must not be in the repository, and what must.</summary>
public sealed partial class CommittedFilesTests
{
    // Larger ones are compiled definitions and images.
    private const long MaxScannedBytes = 1_000_000;

    [Fact]
    public void No_committed_file_names_a_package_registry_or_a_path_of_one_machine()
    {
        var findings = new List<string>();
        foreach (var file in Repository.TrackedFiles().Where(IsScanned))
        {
            var number = 0;
            foreach (var line in File.ReadLines(Path.Combine(Repository.Root, file)))
            {
                number++;
                if (RegistryHost().IsMatch(line) || MachinePath().IsMatch(line))
                {
                    findings.Add($"{file}:{number}: {line.Trim()}");
                }
            }
        }

        Assert.Empty(findings);
    }

    [Theory]
    [InlineData("https://api.nuget" + ".org/v3/ind" + "ex.json")]
    [InlineData("\"resolved\": \"https://registry.npmjs" + ".org/vite\"")]
    [InlineData("cd /wo" + "rk/main")]
    [InlineData("C:\\Us" + "ers\\somebody")]
    [InlineData("/ho" + "me/somebody/src")]
    public void The_scan_finds_what_it_looks_for(string line) => Assert.True(RegistryHost().IsMatch(line) || MachinePath().IsMatch(line));

    [Fact]
    public void NuGet_config_names_no_source()
    {
        var names = XDocument.Parse(Repository.Text("NuGet.config")).Descendants().Select(element => element.Name.LocalName).ToList();
        Assert.DoesNotContain("packageSources", names);
        Assert.DoesNotContain("packageSourceCredentials", names);
    }

    [Theory]
    [InlineData("P:System.DateTime.Now")]
    [InlineData("P:System.DateTime.UtcNow")]
    [InlineData("P:System.DateTimeOffset.UtcNow")]
    [InlineData("M:System.Guid.NewGuid")]
    [InlineData("P:System.Threading.Tasks.Task`1.Result")]
    public void Ambient_clocks_and_blocking_waits_are_banned(string symbol) =>
        Assert.Contains(Repository.Text("BannedSymbols.txt").Split('\n'), line => line.StartsWith(symbol + ";", StringComparison.Ordinal));

    [Fact]
    public void The_banned_symbols_are_wired_into_every_build_and_warnings_are_errors()
    {
        var targets = XDocument.Parse(Repository.Text("Directory.Build.targets"));
        Assert.Contains(targets.Descendants("PackageReference"), element => element.Attribute("Include")?.Value == "Microsoft.CodeAnalysis.BannedApiAnalyzers");
        Assert.Contains(targets.Descendants("AdditionalFiles"), element => element.Attribute("Include")?.Value.EndsWith("BannedSymbols.txt", StringComparison.Ordinal) == true);

        var properties = XDocument.Parse(Repository.Text("Directory.Build.props"));
        Assert.Equal("true", properties.Descendants("TreatWarningsAsErrors").Single().Value);
        Assert.Equal("enable", properties.Descendants("Nullable").Single().Value);
    }

    [Fact]
    public void Projects_take_their_package_versions_from_one_place()
    {
        foreach (var (_, file) in Repository.Projects("src").Concat(Repository.Projects("tests")))
        {
            Assert.DoesNotContain(XDocument.Load(file).Descendants("PackageReference"), element => element.Attribute("Version") is not null);
        }
    }

    private static bool IsScanned(string file)
    {
        var info = new FileInfo(Path.Combine(Repository.Root, file));
        return info.Exists && info.Length < MaxScannedBytes && !IsBinary(info.FullName);
    }

    private static bool IsBinary(string path)
    {
        Span<byte> start = stackalloc byte[512];
        using var stream = File.OpenRead(path);
        return start[..stream.Read(start)].Contains((byte)0);
    }

    [GeneratedRegex(@"(api\.nuget\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org|proxy\.golang\.org|/v3/index\.json)", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryHost();

    [GeneratedRegex(@"((^|[\s""'=(:])/work/|(^|[\s""'=(:])/root/|(^|[\s""'=(:])/home/[a-z]|[A-Za-z]:\\Users\\)")]
    private static partial Regex MachinePath();
}
