using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Validation.Tests;

/// <summary>
/// The cases of HL7's reference validator (tier A: those that need no terminology server): its verdict, and the places of its errors. Each case
/// stands once as it is and once more where it has a profile.
/// </summary>
public sealed class ValidatorCasesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    [Fact]
    public void The_verdict_is_that_of_the_reference_validator()
    {
        var outcomes = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var run in Cases())
        {
            // A name may stand twice in the manifest.
            var name = outcomes.ContainsKey(run.Name) ? run.Name + "+again" : run.Name;
            outcomes.Add(name, run.Expected == run.IsValid ? null : run.IsValid ? "accepted" : "refused");
        }

        KnownCases.AssertSame("validator-cases-not-passed.txt", outcomes);
    }

    [Fact]
    public void Most_errors_are_found_where_the_reference_validator_finds_them()
    {
        var (found, all) = (0, 0);
        foreach (var run in Cases())
        {
            var places = run.Issues.Where(issue => issue.Refuses).Select(issue => issue.Expression ?? "").ToHashSet(StringComparer.Ordinal);
            var lines = run.Issues.Where(issue => issue is { Refuses: true, Position: not null }).Select(issue => issue.Position!.Value.Line).ToHashSet();
            foreach (var (expression, line) in run.Errors)
            {
                all++;
                found += places.Contains(expression) || lines.Contains(line) ? 1 : 0;
            }
        }

        Assert.True(all == 0 || found >= all * 70 / 100, $"{found} of {all}");
    }

    private static IEnumerable<CaseRun> Cases()
    {
        var folder = SharedData.Require("conformance/validator");
        var catalog = ProfileCatalog.BuiltIn(FhirDefinitions.R4);
        foreach (var package in Directory.GetFiles(SharedData.Require("conformance/packages"), "*.tgz"))
        {
            using var stream = File.OpenRead(package);
            catalog = catalog.With(FhirPackage.Read(stream).Require());
        }

        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "manifest-r4.json")));
        foreach (var test in manifest.RootElement.GetProperty("cases").EnumerateArray().Where(test => test.GetProperty("tier").ValueEquals("A")))
        {
            foreach (var run in Runs(test, new CaseFiles(Path.Combine(folder, "files")), catalog))
            {
                yield return run;
            }
        }
    }

    private static IEnumerable<CaseRun> Runs(JsonElement test, CaseFiles files, ProfileCatalog catalog)
    {
        var (name, file) = (test.GetProperty("name").GetString()!, test.GetProperty("file").GetString()!);
        catalog = files.AddTo(catalog, test);
        yield return CaseRun.Of(name, files.Read(file), new ResourceValidator(catalog), [], test.GetProperty("java"));
        if (test.TryGetProperty("profile", out var profile))
        {
            catalog = files.AddTo(catalog, profile);
            var source = files.Read(profile.GetProperty("source").GetString()!);
            if (source.Tree is { } definition)
            {
                catalog = catalog.WithUnread([definition]);
                yield return CaseRun.Of(name + "+profile", files.Read(file), new ResourceValidator(catalog), [definition.Root["url"u8].AsString()!], profile.GetProperty("java"));
            }
        }
    }

    private sealed record CaseRun(string Name, bool Expected, IReadOnlyList<Issue> Issues, IReadOnlyList<(string Expression, int Line)> Errors)
    {
        public bool IsValid => !Issues.Any(issue => issue.Refuses);

        public static CaseRun Of(string name, (JsonTree? Tree, IReadOnlyList<Issue> Issues) read, ResourceValidator validator, string[] profiles, JsonElement expected)
        {
            IReadOnlyList<Issue> issues = read.Tree is null ? read.Issues : [.. read.Issues, .. validator.Validate(read.Tree, profiles)];
            var errors = new List<(string, int)>();
            if (expected.TryGetProperty("issues", out var listed))
            {
                foreach (var issue in listed.EnumerateArray().Where(issue => issue.GetProperty("severity").GetString() is "error" or "fatal"))
                {
                    errors.Add((Text(issue, "expression", @"/\*.*?\*/"), int.TryParse(Text(issue, "location", @"[\[\]]|,.*"), out var line) ? line : -1));
                }
            }

            return new CaseRun(name, expected.GetProperty("valid").GetBoolean(), issues, errors);
        }

        private static string Text(JsonElement issue, string member, string without) =>
            issue.TryGetProperty(member, out var text) ? Regex.Replace(text.GetString()!, without, "", RegexOptions.None, Patience) : "";
    }

    private sealed class CaseFiles(string folder)
    {
        public (JsonTree? Tree, IReadOnlyList<Issue> Issues) Read(string file)
        {
            var bytes = File.ReadAllBytes(Path.Combine(folder, file));
            var text = bytes.AsMemory(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? 3 : 0);
            if (file.EndsWith(".xml", StringComparison.Ordinal))
            {
                var reading = FhirXml.Read(text, FhirDefinitions.R4);
                return (reading.Tree, reading.Issues);
            }

            return JsonTree.Parse(text).TryGetValue(out var tree, out var issues) ? (tree, []) : (null, issues);
        }

        public ProfileCatalog AddTo(ProfileCatalog catalog, JsonElement test)
        {
            if (!test.TryGetProperty("supporting", out var supporting))
            {
                return catalog;
            }

            return catalog.WithUnread(supporting.EnumerateArray().Select(file => file.GetString()!).Where(file => File.Exists(Path.Combine(folder, file))).Select(file => Read(file).Tree).OfType<JsonTree>());
        }
    }
}
