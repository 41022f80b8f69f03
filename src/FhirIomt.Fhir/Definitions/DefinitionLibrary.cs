using System.Collections.Frozen;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;

namespace FhirIomt.Fhir.Definitions;

/// <summary>Definitions over those of a base, usually R4's own. Immutable; adding gives a new one. A definition added later stands before an equal one.</summary>
public sealed class DefinitionLibrary : IDefinitionSource
{
    private readonly IDefinitionSource? _below;
    private readonly FrozenDictionary<(string Type, string Url), DefinitionResource[]> _resources;
    private readonly FrozenDictionary<PackageId, FhirPackage> _packages;

    private DefinitionLibrary(IDefinitionSource? below, IEnumerable<DefinitionResource> resources, IEnumerable<FhirPackage> packages)
    {
        _below = below;
        _packages = packages.GroupBy(package => package.Id).ToFrozenDictionary(group => group.Key, group => group.Last());
        _resources = resources.GroupBy(resource => (resource.ResourceType, resource.Url)).ToFrozenDictionary(group => group.Key, NewestFirst);
    }

    /// <summary>R4's own definitions and nothing else.</summary>
    public static DefinitionLibrary R4 { get; } = new(R4Resources.Embedded, [], []);

    /// <summary>No definitions at all, not even R4's own.</summary>
    public static DefinitionLibrary Empty { get; } = new(null, [], []);

    /// <summary>The packages added.</summary>
    public IEnumerable<FhirPackage> Packages => _packages.Values;

    /// <summary>A library over any other source.</summary>
    public static DefinitionLibrary Over(IDefinitionSource below) => new(below, [], []);

    /// <summary>Adds resources; those without a canonical URL are passed over.</summary>
    public DefinitionLibrary With(IEnumerable<JsonTree> resources) => new(_below, Own.Concat(resources.Select(DefinitionResource.Of).OfType<DefinitionResource>()), _packages.Values);

    /// <summary>Adds definitions that are read when first asked for.</summary>
    public DefinitionLibrary WithUnread(IEnumerable<DefinitionResource> resources) => new(_below, Own.Concat(resources), _packages.Values);

    /// <summary>Adds the definitions of a package.</summary>
    public DefinitionLibrary With(FhirPackage package) => new(_below, Own.Concat(package.Definitions), _packages.Values.Append(package));

    /// <summary>What was added beyond the base, of one resource type.</summary>
    public IEnumerable<DefinitionResource> Added(string resourceType) => _resources.Where(entry => entry.Key.Type == resourceType).SelectMany(entry => entry.Value);

    /// <summary>Whether a definition of that URL was added beyond the base; asking this does not open the base.</summary>
    public bool HasAdded(string resourceType, string url) => _resources.ContainsKey((resourceType, url));

    public DefinitionResource? Find(string resourceType, Canonical canonical, DefinitionResource? from = null)
    {
        var versions = Versions(resourceType, canonical.Url);
        if (versions.Count == 0)
        {
            return null;
        }

        if (canonical.Version is { } asked)
        {
            return versions.FirstOrDefault(resource => string.Equals(resource.Version, asked, StringComparison.Ordinal))
                ?? versions.FirstOrDefault(resource => DefinitionVersion.Meets(resource.Version, asked));
        }

        return versions.Count > 1 && from?.Package is { } home ? Nearest(versions, home) : versions[0];
    }

    public IReadOnlyList<DefinitionResource> Versions(string resourceType, string url)
    {
        var own = _resources.GetValueOrDefault((resourceType, url)) ?? [];
        var below = _below?.Versions(resourceType, url) ?? [];
        return own.Length == 0 ? below
            : below.Count == 0 ? own
            : NewestFirst(below.Concat(own.Reverse()));
    }

    public IEnumerable<DefinitionResource> All(string resourceType)
    {
        foreach (var versions in _resources.Where(entry => entry.Key.Type == resourceType).Select(entry => entry.Value))
        {
            foreach (var resource in versions)
            {
                yield return resource;
            }
        }

        foreach (var resource in _below?.All(resourceType) ?? [])
        {
            if (!_resources.TryGetValue((resourceType, resource.Url), out var own) || !own.Any(other => other.Version == resource.Version))
            {
                yield return resource;
            }
        }
    }

    private IEnumerable<DefinitionResource> Own => _resources.Values.SelectMany(versions => versions.Reverse());

    // Of two with the same version the one added last stands.
    private static DefinitionResource[] NewestFirst(IEnumerable<DefinitionResource> versions) =>
        [.. versions.Reverse().DistinctBy(resource => resource.Version, StringComparer.Ordinal).OrderByDescending(resource => resource.Version, DefinitionVersion.Order)];

    // Breadth first through the dependencies: what a package brings itself is nearer than what its dependency brings.
    private DefinitionResource Nearest(IReadOnlyList<DefinitionResource> versions, PackageId home)
    {
        var seen = new HashSet<PackageId>();
        var waiting = new Queue<PackageId>([home]);
        while (waiting.TryDequeue(out var next))
        {
            if (!seen.Add(next))
            {
                continue;
            }

            if (versions.FirstOrDefault(resource => resource.Package == next) is { } found)
            {
                return found;
            }

            foreach (var needed in _packages.GetValueOrDefault(next)?.Dependencies ?? [])
            {
                waiting.Enqueue(needed);
            }
        }

        return versions[0];
    }
}
