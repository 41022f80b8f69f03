using System.Runtime.CompilerServices;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology;

/// <summary>
/// Code systems and value sets, built from their definitions when first asked for and then shared. A request's own resources lie in a store above, so
/// that they never reach another request.
/// </summary>
internal sealed class TerminologyStore
{
    private readonly IDefinitionSource _definitions;

    // Keyed by the definition itself: what a library no longer holds is forgotten with it.
    private readonly ConditionalWeakTable<DefinitionResource, CodeSystemContent> _codeSystems;
    private readonly ConditionalWeakTable<DefinitionResource, ValueSetDefinition> _valueSets;

    public TerminologyStore(IDefinitionSource definitions, TerminologyLimits limits, ExternalSystem external)
        : this(definitions, limits, external, [], [])
    {
    }

    private TerminologyStore(IDefinitionSource definitions, TerminologyLimits limits, ExternalSystem external,
        ConditionalWeakTable<DefinitionResource, CodeSystemContent> codeSystems, ConditionalWeakTable<DefinitionResource, ValueSetDefinition> valueSets)
    {
        _definitions = definitions;
        Limits = limits;
        External = external;
        _codeSystems = codeSystems;
        _valueSets = valueSets;
    }

    public TerminologyLimits Limits { get; }

    public ExternalSystem External { get; }

    public IDefinitionSource Definitions => _definitions;

    /// <summary>This store with the resources of one request above it.</summary>
    public TerminologyStore With(IReadOnlyCollection<JsonTree> resources) => resources.Count == 0
        ? this
        : new TerminologyStore(DefinitionLibrary.Over(_definitions).With(resources), Limits, External, _codeSystems, _valueSets);

    /// <summary>The versions of a code system that have concepts, the latest first. Supplements are not code systems.</summary>
    public IEnumerable<CodeSystemContent> CodeSystemVersions(string url) =>
        _definitions.Versions("CodeSystem", url).Select(Content).Where(content => content is { IsEmpty: false, IsSupplement: false });

    /// <summary>The code system in a version (a pattern takes the latest that fits), or the latest; null when its content is not here.</summary>
    public CodeSystemContent? CodeSystem(string url, string? version) =>
        CodeSystemVersions(url).FirstOrDefault(content => version is null || VersionPattern.Fits(content.Version, version));

    public IReadOnlyList<string> KnownVersions(string url) =>
        [.. CodeSystemVersions(url).Select(content => content.Version).OfType<string>().Order(DefinitionVersion.Order)];

    /// <summary>The supplement with that canonical; null when it is none.</summary>
    public CodeSystemContent? Supplement(Canonical canonical) => _definitions.Versions("CodeSystem", canonical.Url)
        .Where(definition => canonical.Version is null || VersionPattern.Fits(definition.Version, canonical.Version))
        .Select(Content).FirstOrDefault(content => content.IsSupplement);

    public ValueSetDefinition? ValueSet(Canonical canonical, DefinitionResource? from = null)
    {
        if (canonical.Version is null)
        {
            return _definitions.Find("ValueSet", canonical, from) is { } found ? Definition(found) : null;
        }

        var version = _definitions.Versions("ValueSet", canonical.Url).FirstOrDefault(definition => VersionPattern.Fits(definition.Version, canonical.Version));
        return version is null ? null : Definition(version);
    }

    public bool IsValueSet(string url) => _definitions.Versions("ValueSet", url).Count > 0;

    private CodeSystemContent Content(DefinitionResource definition) => _codeSystems.GetValue(definition, static key => new CodeSystemContent(key));

    private ValueSetDefinition Definition(DefinitionResource definition) => _valueSets.GetValue(definition, static key => new ValueSetDefinition(key.Tree.Root, key));
}
