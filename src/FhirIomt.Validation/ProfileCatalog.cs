using System.Collections.Concurrent;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;

namespace FhirIomt.Validation;

/// <summary>
/// The definitions that a validator knows: R4's own, those that come with the server, packages, and single resources. Immutable from outside;
/// adding gives a new one. Profiles are read when first asked for.
/// </summary>
public sealed class ProfileCatalog
{
    private readonly ConcurrentDictionary<DefinitionResource, StructureProfile?> _profiles = new();

    private ProfileCatalog(FhirDefinitions definitions, DefinitionLibrary library)
    {
        Definitions = definitions;
        Library = library;
    }

    public FhirDefinitions Definitions { get; }

    public DefinitionLibrary Library { get; }

    /// <summary>Canonical URLs of the profiles beyond R4's own.</summary>
    public IReadOnlyCollection<string> ProfileUrls => [.. Library.Added("StructureDefinition").Select(resource => resource.Url)];

    /// <summary>R4's own profiles only.</summary>
    public static ProfileCatalog Core(FhirDefinitions definitions) => new(definitions, DefinitionLibrary.R4);

    /// <summary>R4's own and those of profiles/iomt, which are embedded in this assembly.</summary>
    public static ProfileCatalog BuiltIn(FhirDefinitions definitions) => new(definitions, DefinitionLibrary.R4.WithUnread(EmbeddedProfiles.All()));

    /// <summary>Adds the definitions of a package; a profile in it that cannot be read is found when it is asked for.</summary>
    public ProfileCatalog With(FhirPackage package) => new(Definitions, Library.With(package));

    /// <summary>
    /// Adds StructureDefinitions (a differential is enough), ValueSets, CodeSystems and other definitions; each profile is read at once. A later
    /// definition of a URL and version replaces an earlier one. Codes IOMT-0200 to IOMT-0202.
    /// </summary>
    public Outcome<ProfileCatalog> With(IEnumerable<JsonTree> resources)
    {
        var added = resources.ToArray();
        var catalog = new ProfileCatalog(Definitions, Library.With(added));
        var issues = new List<Issue>();
        foreach (var resource in added)
        {
            if (resource.Root["resourceType"u8].TextEquals("StructureDefinition"u8))
            {
                issues.AddRange(catalog.Read(resource).Issues.Where(issue => issue.Refuses));
            }
        }

        return issues.Count > 0 ? Outcome<ProfileCatalog>.Refused(issues) : catalog;
    }

    /// <summary>Adds definitions; a profile among them that cannot be read is found when it is asked for.</summary>
    public ProfileCatalog WithUnread(IEnumerable<JsonTree> resources) => new(Definitions, Library.With(resources));

    /// <summary>By canonical URL, with or without version; null when it is unknown or cannot be read.</summary>
    /// <param name="from">The definition that refers to it.</param>
    public StructureProfile? Profile(string canonical, DefinitionResource? from = null)
    {
        var parsed = Canonical.Parse(canonical);
        if (!Library.HasAdded("StructureDefinition", parsed.Url) && Definitions.Profile(parsed.Url) is { } compiled)
        {
            return parsed.Version is { } asked && !DefinitionVersion.Meets(compiled.Version, asked) ? null : compiled;
        }

        return Library.Find("StructureDefinition", parsed, from) is not { } found ? null
            : _profiles.TryGetValue(found, out var known) ? known
            : _profiles.GetOrAdd(found, Read(found.Tree).TryGetValue(out var profile, out _) ? profile with { Source = found } : null);
    }

    private Outcome<StructureProfile> Read(JsonTree definition) => StructureProfile.FromResource(definition, Library);
}
