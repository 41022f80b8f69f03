using System.Collections.Frozen;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>
/// The profiles and value sets that a validator knows: R4's own, those that come with the server, and those added. Immutable; adding gives a new one.
/// </summary>
public sealed class ProfileCatalog
{
    private const string Folder = "profiles/iomt/";

    private readonly FhirDefinitions _definitions;
    private readonly FrozenDictionary<string, StructureProfile> _profiles;
    private readonly FrozenDictionary<string, CodeSet> _codeSets;

    private ProfileCatalog(FhirDefinitions definitions, IReadOnlyDictionary<string, StructureProfile> profiles, IReadOnlyDictionary<string, CodeSet> codeSets)
    {
        _definitions = definitions;
        _profiles = profiles.ToFrozenDictionary(StringComparer.Ordinal);
        _codeSets = codeSets.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Canonical URLs of the profiles beyond R4's own.</summary>
    public IReadOnlyCollection<string> ProfileUrls => _profiles.Keys;

    public FhirDefinitions Definitions => _definitions;

    /// <summary>R4's own profiles only.</summary>
    public static ProfileCatalog Core(FhirDefinitions definitions) =>
        new(definitions, new Dictionary<string, StructureProfile>(StringComparer.Ordinal), new Dictionary<string, CodeSet>(StringComparer.Ordinal));

    /// <summary>R4's own and those of profiles/iomt, which are embedded in this assembly.</summary>
    public static ProfileCatalog BuiltIn(FhirDefinitions definitions)
    {
        var resources = new List<JsonTree>();
        foreach (var name in typeof(ProfileCatalog).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = typeof(ProfileCatalog).Assembly.GetManifestResourceStream(name)!;
            var text = new byte[stream.Length];
            stream.ReadExactly(text);
            resources.Add(JsonTree.Parse(text).Require());
        }

        return Core(definitions).With(resources).Require();
    }

    /// <summary>
    /// Adds StructureDefinitions (a differential is enough; a base profile among them must come first) and ValueSets; other resources are passed over.
    /// A later definition of a URL replaces an earlier one. Codes IOMT-0200 to IOMT-0202.
    /// </summary>
    public Outcome<ProfileCatalog> With(IEnumerable<JsonTree> resources)
    {
        var profiles = new Dictionary<string, StructureProfile>(_profiles, StringComparer.Ordinal);
        var codeSets = new Dictionary<string, CodeSet>(_codeSets, StringComparer.Ordinal);
        var issues = new List<Issue>();
        foreach (var resource in resources)
        {
            if (resource.Root["resourceType"u8].TextEquals("ValueSet"u8))
            {
                if (CodeSet.FromResource(resource) is { } codes)
                {
                    codeSets[codes.Url] = codes;
                }
            }
            else if (resource.Root["resourceType"u8].TextEquals("StructureDefinition"u8))
            {
                var read = StructureProfile.FromResource(resource, _definitions, url => profiles.GetValueOrDefault(WithoutVersion(url)) ?? _definitions.Profile(url));
                if (read.TryGetValue(out var profile, out var found))
                {
                    profiles[profile.Url] = profile;
                }
                else
                {
                    issues.AddRange(found);
                }
            }
        }

        return issues.Count > 0 ? Outcome<ProfileCatalog>.Refused(issues) : new ProfileCatalog(_definitions, profiles, codeSets);
    }

    /// <summary>By canonical URL; a version is not looked at.</summary>
    public StructureProfile? Profile(string canonical) => _profiles.GetValueOrDefault(WithoutVersion(canonical)) ?? _definitions.Profile(canonical);

    /// <summary>Null when it is unknown or cannot be listed.</summary>
    public CodeSet? ValueSet(string canonical) => _codeSets.GetValueOrDefault(WithoutVersion(canonical)) ?? _definitions.ValueSet(canonical);

    private static string WithoutVersion(string canonical) => canonical.IndexOf('|') is > 0 and var bar ? canonical[..bar] : canonical;
}
