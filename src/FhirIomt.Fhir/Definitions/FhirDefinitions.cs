using System.Collections.Concurrent;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// FHIR R4's definitions as compiled tables: facts only, no prose. Immutable from outside and safe for many threads; each table is read when first asked for.
/// Source: the official package hl7.fhir.r4.core 4.0.1, compiled by tools/FhirIomt.Definitions.Compiler.
/// </summary>
public sealed class FhirDefinitions
{
    private static readonly Lazy<FhirDefinitions> Embedded = new(() => new FhirDefinitions(DefinitionFile.Embedded()));

    private readonly TypeTables _types;
    private readonly Lazy<ProfileTables> _profileTables;
    private readonly Lazy<CodeTables> _codeTables;
    private readonly ConcurrentDictionary<string, ParameterList> _parameters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StructureProfile> _profiles = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CodeSet> _codeSets = new(StringComparer.Ordinal);

    internal FhirDefinitions(DefinitionFile file)
    {
        _types = new TypeTables(file.Open(DefinitionFile.Part.Types));
        _profileTables = new Lazy<ProfileTables>(() => new ProfileTables(file.Open(DefinitionFile.Part.Profiles)));
        _codeTables = new Lazy<CodeTables>(() => new CodeTables(file.Open(DefinitionFile.Part.Codes)));
        var concrete = new List<string>();
        foreach (var type in _types.All)
        {
            if (type is { Kind: FhirTypeKind.Resource, IsAbstract: false })
            {
                concrete.Add(type.Name);
            }
        }

        concrete.Sort(StringComparer.Ordinal);
        ResourceTypes = concrete;
    }

    /// <summary>FHIR 4.0.1, from the file embedded in this assembly; loaded on first use.</summary>
    public static FhirDefinitions R4 => Embedded.Value;

    /// <summary>The 146 concrete resource types, sorted.</summary>
    public IReadOnlyList<string> ResourceTypes { get; }

    /// <summary>Every type: primitives, complex types, backbone elements by path, resources, abstract ones too.</summary>
    public IReadOnlyList<FhirType> Types => _types.All;

    /// <summary>Canonical URLs of the profiles and extensions that <see cref="Profile"/> knows.</summary>
    public IReadOnlyCollection<string> ProfileUrls => _profileTables.Value.Urls;

    /// <summary>Canonical URLs of the value sets that <see cref="ValueSet"/> knows.</summary>
    public IReadOnlyCollection<string> ValueSetUrls => _codeTables.Value.Urls;

    /// <summary><c>Patient</c>, <c>HumanName</c>, <c>string</c>, or a backbone element's path; null when R4 has no such type.</summary>
    public FhirType? Type(string name) => _types.Find(name);

    /// <summary>Whether this is a concrete resource type.</summary>
    public bool IsResourceType(string name) => _types.Find(name) is { Kind: FhirTypeKind.Resource, IsAbstract: false };

    /// <summary>The parameters of a concrete resource type, those of Resource and DomainResource included; empty for anything else.</summary>
    public IReadOnlyList<SearchParameter> SearchParameters(string resourceType) => Parameters(resourceType).All;

    public SearchParameter? SearchParameter(string resourceType, string code) => Parameters(resourceType).ByCode.GetValueOrDefault(code);

    /// <summary>The codes of the parameters that put a resource of that type into that compartment (<c>Patient</c>, <c>Device</c>, <c>Encounter</c>,
    /// <c>RelatedPerson</c>, <c>Practitioner</c>); <c>{def}</c> stands for the compartment's own resource. Empty when it is never in it.</summary>
    public IReadOnlyList<string> CompartmentParameters(string compartment, string resourceType) => _types.CompartmentParameters(compartment, resourceType);

    /// <summary>One of R4's own profiles or extension definitions, by canonical URL with or without version; null when unknown.</summary>
    public StructureProfile? Profile(string canonical)
    {
        var url = WithoutVersion(canonical);
        if (_profiles.TryGetValue(url, out var known))
        {
            return known;
        }

        return _profileTables.Value.Load(url) is { } loaded ? _profiles.GetOrAdd(url, loaded) : null;
    }

    /// <summary>The codes of a value set that R4 binds as required or extensible; null when it is unknown or cannot be listed (SNOMED CT, UCUM, MIME types…).</summary>
    public CodeSet? ValueSet(string canonical)
    {
        var url = WithoutVersion(canonical);
        if (_codeSets.TryGetValue(url, out var known))
        {
            return known;
        }

        return _codeTables.Value.Load(url) is { } loaded ? _codeSets.GetOrAdd(url, loaded) : null;
    }

    private static string WithoutVersion(string canonical) => canonical.IndexOf('|') is > 0 and var bar ? canonical[..bar] : canonical;

    private ParameterList Parameters(string resourceType) =>
        _parameters.TryGetValue(resourceType, out var known) ? known
        : IsResourceType(resourceType) ? _parameters.GetOrAdd(resourceType, new ParameterList(_types.LoadSearchParameters(resourceType)))
        : ParameterList.Empty;

    private sealed class ParameterList(SearchParameter[] all)
    {
        public static ParameterList Empty { get; } = new([]);

        public IReadOnlyList<SearchParameter> All { get; } = all;

        public Dictionary<string, SearchParameter> ByCode { get; } = all.ToDictionary(parameter => parameter.Code, StringComparer.Ordinal);
    }
}
