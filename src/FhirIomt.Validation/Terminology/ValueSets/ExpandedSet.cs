using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>A concept of an expansion.</summary>
/// <param name="SystemUrl">Its code system.</param>
/// <param name="Code">The code as the code system writes it.</param>
/// <param name="System">The content it was found in; null when only the value set names it.</param>
/// <param name="Concept">The concept there.</param>
/// <param name="Listed">The value set's own element for it (compose.include.concept, or expansion.contains), if any.</param>
/// <param name="MayNest">Whether it may stand below its parent.</param>
internal sealed record ExpandedConcept(string SystemUrl, string Code, SupplementedSystem? System, Concept? Concept, ResourceNode Listed, bool MayNest)
{
    public string? Version { get; init; }

    public bool IsAbstract => Concept?.IsAbstract ?? Listed["abstract"u8].IsTrue();

    public bool IsInactive => Concept?.IsInactive ?? Listed["inactive"u8].IsTrue();
}

/// <summary>Identity of a concept in an expansion: the version counts only where versions are kept apart.</summary>
internal readonly record struct ConceptKey(string System, string? Version, string Code);

/// <summary>What an expansion drew on, as it reports it in its parameters.</summary>
internal sealed class ExpansionSources
{
    public HashSet<Canonical> CodeSystems { get; } = [];

    public HashSet<Canonical> ValueSets { get; } = [];

    public HashSet<Canonical> Supplements { get; } = [];

    public HashSet<Canonical> Fragments { get; } = [];

    /// <summary>Version parameters that settled something: name and canonical.</summary>
    public HashSet<(string Name, Canonical Canonical)> Rules { get; } = [];

    /// <summary>Standing of what was used: name of the parameter and canonical.</summary>
    public HashSet<(string Name, Canonical Canonical)> Warnings { get; } = [];

    /// <summary>Systems whose versions were to be merged.</summary>
    public bool MergedVersions { get; set; }
}
