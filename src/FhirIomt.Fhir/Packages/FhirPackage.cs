using System.IO.Compression;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Packages;

/// <summary>
/// A FHIR package: a gzipped tar with <c>package/package.json</c> and one definition per JSON file (HL7 FHIR NPM package specification). Definitions are
/// kept packed and read when first asked for.
/// </summary>
public sealed class FhirPackage
{
    private FhirPackage(PackageId id, IReadOnlyList<PackageId> dependencies, IReadOnlyList<DefinitionResource> definitions)
    {
        Id = id;
        Dependencies = dependencies;
        Definitions = definitions;
    }

    public PackageId Id { get; }

    /// <summary>As package.json names them; a version may be a pattern (<c>1.2.x</c>).</summary>
    public IReadOnlyList<PackageId> Dependencies { get; }

    /// <summary>The resources with a canonical URL.</summary>
    public IReadOnlyList<DefinitionResource> Definitions { get; }

    /// <summary>Reads a .tgz. Codes IOMT-0203 (not a package), IOMT-0204 (too large).</summary>
    public static Outcome<FhirPackage> Read(Stream tgz, PackageLimits? limits = null)
    {
        try
        {
            var reader = new PackageReader(limits ?? PackageLimits.Default);
            return reader.Read(tgz) is { } issue ? issue
                : reader.Manifest is not { } manifest ? PackageIssues.NotAPackage("it has no package/package.json")
                : Build(manifest, reader.Files);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or FormatException)
        {
            return PackageIssues.NotAPackage(exception.Message);
        }
    }

    private static Outcome<FhirPackage> Build(byte[] manifest, List<PackageFile> files)
    {
        // package.json is npm's format, not FHIR's: System.Text.Json reads it.
        PackageManifest? read;
        try
        {
            read = JsonSerializer.Deserialize(manifest, PackageJson.Default.PackageManifest);
        }
        catch (JsonException exception)
        {
            return PackageIssues.NotAPackage("package.json is no JSON: " + exception.Message);
        }

        if (read is not { Name.Length: > 0, Version.Length: > 0 })
        {
            return PackageIssues.NotAPackage("package.json names no name and version");
        }

        var id = new PackageId(read.Name, read.Version);
        var dependencies = read.Dependencies?.Select(entry => new PackageId(entry.Key, entry.Value)).ToArray() ?? [];
        return new FhirPackage(id, dependencies, [.. files.Select(file => new DefinitionResource(file.ResourceType, file.Url, file.Version, id, file.Unpack))]);
    }
}
