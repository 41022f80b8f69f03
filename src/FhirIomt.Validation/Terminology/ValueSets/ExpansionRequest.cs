using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>What a client wants of an expansion.</summary>
internal sealed record ExpansionRequest
{
    public VersionRules Versions { get; init; } = VersionRules.None;

    /// <summary>Words that display, code or a designation must contain; null for all concepts.</summary>
    public string? Filter { get; init; }

    public bool ActiveOnly { get; init; }

    public bool ExcludeAbstract { get; init; }

    /// <summary>Whether versions of one code system count as one; null leaves it to the value set.</summary>
    public bool? VersionsMatch { get; init; }

    /// <summary>Code systems to leave out (<c>exclude-system</c>).</summary>
    public IReadOnlyList<Canonical> ExcludedSystems { get; init; } = [];

    /// <summary>Supplements to use, besides those that the value set requires.</summary>
    public IReadOnlyList<Canonical> Supplements { get; init; } = [];
}
