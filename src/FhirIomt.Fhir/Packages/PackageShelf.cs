using FhirIomt.Core;

namespace FhirIomt.Fhir.Packages;

/// <summary>
/// Finds the packages that a package depends on: beside it, as <c>NAME-VERSION.tgz</c> or <c>NAME#VERSION.tgz</c>, or in FHIR's common package cache
/// (<c>~/.fhir/packages</c>, where tools unpack them).
/// </summary>
public sealed class PackageShelf(string? cache)
{
    // The deepest chain of dependencies in HL7's packages has six.
    private const int MaxPackages = 64;

    private static readonly PackageId Core = new("hl7.fhir.r4.core", "4.0.1");

    /// <summary>With the user's own cache.</summary>
    public static PackageShelf Default { get; } = new(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".fhir", "packages"));

    /// <summary>A package and what it depends on, as far as that is found; the package itself comes last.</summary>
    /// <returns>What is missing comes as warnings: IOMT-0203.</returns>
    public Outcome<IReadOnlyList<FhirPackage>> Load(string path)
    {
        if (!Open(path).TryGetValue(out var package, out var issues))
        {
            return Outcome<IReadOnlyList<FhirPackage>>.Refused(issues);
        }

        var order = new List<FhirPackage>();
        var warnings = new List<Issue>();
        Add(package, Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".", new Dictionary<string, FhirPackage>(StringComparer.Ordinal), order, warnings);
        return Outcome<IReadOnlyList<FhirPackage>>.Success(order, warnings);
    }

    private static Outcome<FhirPackage> Open(string path)
    {
        using var stream = File.OpenRead(path);
        return FhirPackage.Read(stream);
    }

    private void Add(FhirPackage package, string folder, Dictionary<string, FhirPackage> loaded, List<FhirPackage> order, List<Issue> warnings)
    {
        if (loaded.Count >= MaxPackages || !loaded.TryAdd(package.Id.Name, package))
        {
            return;
        }

        foreach (var needed in package.Dependencies)
        {
            if (needed.Name == Core.Name || loaded.ContainsKey(needed.Name))
            {
                continue;
            }

            if (Find(needed, folder) is { } path && Open(path).TryGetValue(out var found, out _))
            {
                Add(found, folder, loaded, order, warnings);
            }
            else
            {
                warnings.Add(Issue.Warning(IssueKind.NotFound, "IOMT-0203", $"The package {package.Id} depends on {needed}, which is not here.", fix: $"Put {needed.Name}-{needed.Version}.tgz beside it, or name it with --package."));
            }
        }

        order.Add(package);
    }

    private string? Find(PackageId needed, string folder)
    {
        string[] candidates =
        [
            Path.Combine(folder, $"{needed.Name}-{needed.Version}.tgz"),
            Path.Combine(folder, $"{needed.Name}#{needed.Version}.tgz"),
            .. cache is null ? (string[])[] : [Path.Combine(cache, $"{needed.Name}#{needed.Version}.tgz"), Path.Combine(cache, $"{needed.Name}-{needed.Version}.tgz")],
        ];
        return Array.Find(candidates, File.Exists);
    }
}
