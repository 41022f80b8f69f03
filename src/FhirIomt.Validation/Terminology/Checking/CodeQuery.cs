using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>A code to check.</summary>
/// <param name="Base">Where it stands: empty for bare parameters, <c>Coding</c>, <c>CodeableConcept.coding[0]</c>.</param>
internal sealed record CodeQuery(string? System, string? Version, string Code, string? Display, string Base)
{
    /// <summary>Path of the code as a whole.</summary>
    public string Path => Base.Length == 0 ? "code" : Base;

    public string PathOf(string member) => Base.Length == 0 ? member : $"{Base}.{member}";

    /// <summary>How findings name it: <c>system|version#code ('display')</c>.</summary>
    public override string ToString() => $"{(System is null ? "" : new Canonical(System, Version).ToString())}#{Code}{(Display is null ? "" : $" ('{Display}')")}";
}

/// <summary>How a request wants codes checked.</summary>
internal sealed record CheckSettings
{
    public VersionRules Versions { get; init; } = VersionRules.None;

    public LanguageRanges? Languages { get; init; }

    public IReadOnlyList<Canonical> Supplements { get; init; } = [];

    public bool AbstractAllowed { get; init; } = true;

    public bool ActiveOnly { get; init; }

    public bool LenientDisplay { get; init; }

    /// <summary>Only membership counts: no word about unknown codes and displays.</summary>
    public bool MembershipOnly { get; init; }

    public bool InferSystem { get; init; }

    /// <summary>Any code system will do when the code names none (elements of type code); else there must be only one.</summary>
    public bool AnySystem { get; init; }

    public bool? VersionsMatch { get; init; }
}

/// <summary>Whether a code is in a set.</summary>
internal enum Membership
{
    Out,
    In,

    /// <summary>It cannot be said: something that the set draws on is not here.</summary>
    Unknown,
}

/// <summary>What one part of a value set, or a whole one, says about a code, and the concept that it means.</summary>
internal sealed record Finding(Membership Membership)
{
    public CodeSystemContent? Content { get; init; }

    public Concept? Concept { get; init; }

    /// <summary>The value set's own element for it.</summary>
    public ResourceNode Listed { get; init; }

    public ValueSets.ValueSetDefinition? ValueSet { get; init; }

    public IReadOnlyList<TxIssue> Issues { get; init; } = [];

    /// <summary>The code system (with version) for want of which nothing can be said.</summary>
    public Canonical? Missing { get; init; }

    /// <summary>The version of the code and that of the set differ.</summary>
    public bool VersionDiffers { get; init; }
}
