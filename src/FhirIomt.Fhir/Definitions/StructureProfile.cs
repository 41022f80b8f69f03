using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Snapshots;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// A profile or extension definition as a table: the snapshot of a StructureDefinition without its prose. Own profiles read at run time and
/// R4's compiled ones have this one shape.
/// </summary>
/// <param name="Url">Canonical URL without version.</param>
/// <param name="Type">The type constrained: <c>Observation</c>, <c>Extension</c>.</param>
/// <param name="Base">Canonical URL of the definition it derives from.</param>
/// <param name="Elements">The snapshot in its order; the first one is the root.</param>
/// <param name="Contexts">For an extension: where it may stand.</param>
public sealed record StructureProfile(
    string Url, string? Version, string Type, string? Base, IReadOnlyList<ProfileElement> Elements, IReadOnlyList<ExtensionContext> Contexts)
{
    /// <summary>For an extension: FHIRPath that must hold for the element it stands in. Not carried for R4's own, which have none.</summary>
    public IReadOnlyList<string> ContextInvariants { get; init; } = [];

    /// <summary>Where it was read from, so that canonicals in it are looked up from there; null for R4's own.</summary>
    public DefinitionResource? Source { get; init; }

    /// <summary>Reads a StructureDefinition resource; it must have a snapshot. Codes IOMT-0200 and IOMT-0201.</summary>
    public static Outcome<StructureProfile> FromResource(JsonTree resource) => ProfileReader.Read(resource);

    /// <summary>As <see cref="FromResource(JsonTree)"/>, but a differential is enough: its snapshot is made first. Codes IOMT-0202, IOMT-0205 to IOMT-0209.</summary>
    /// <param name="source">Where the base and the types walked into are found.</param>
    public static Outcome<StructureProfile> FromResource(JsonTree resource, IDefinitionSource source) =>
        resource.Root["snapshot"u8].Exists ? ProfileReader.Read(resource)
        : SnapshotGenerator.Generate(resource, source).TryGetValue(out var complete, out var issues) ? ProfileReader.Read(complete)
        : Outcome<StructureProfile>.Refused(issues);
}

/// <param name="Kind"><c>element</c>, <c>fhirpath</c> or <c>extension</c>.</param>
public sealed record ExtensionContext(string Kind, string Expression);

/// <summary>One element of a snapshot. Source: ElementDefinition.</summary>
public sealed record ProfileElement
{
    /// <summary>Path with slice names: <c>Observation.category:VSCat.coding</c>.</summary>
    public required string Id { get; init; }

    public required string Path { get; init; }

    public string? SliceName { get; init; }

    public int Min { get; init; }

    /// <summary>Null means unbounded.</summary>
    public int? Max { get; init; }

    /// <summary>Empty for the root of a resource and where <see cref="ContentReference"/> says the type.</summary>
    public IReadOnlyList<ProfileType> Types { get; init; } = [];

    /// <summary>fixed[x]: the value must be exactly this.</summary>
    public ProfileValue? Fixed { get; init; }

    /// <summary>pattern[x]: the value must have at least this.</summary>
    public ProfileValue? Pattern { get; init; }

    /// <summary>minValue[x], for ordered types.</summary>
    public ProfileValue? MinValue { get; init; }

    public ProfileValue? MaxValue { get; init; }

    /// <summary>Longest string in characters.</summary>
    public int? MaxLength { get; init; }

    public FhirBinding? Binding { get; init; }

    /// <summary>Further sets that a code must be in (extension additional-binding with purpose required). R4's own profiles have none.</summary>
    public IReadOnlyList<FhirBinding> AdditionalBindings { get; init; } = [];

    public ProfileSlicing? Slicing { get; init; }

    public IReadOnlyList<FhirConstraint> Constraints { get; init; } = [];

    public bool MustSupport { get; init; }

    public bool IsModifier { get; init; }

    /// <summary><c>#Questionnaire.item</c>.</summary>
    public string? ContentReference { get; init; }

    public override string ToString() => Id;
}

/// <param name="Code">Type name; a primitive's value and ids are <c>string</c>, <c>uri</c> and so on, never System types.</param>
/// <param name="Profiles">Canonical URLs, one of which a value must meet.</param>
/// <param name="TargetProfiles">Canonical URLs, one of which the target of a Reference or canonical must meet.</param>
public sealed record ProfileType(string Code, IReadOnlyList<string> Profiles, IReadOnlyList<string> TargetProfiles)
{
    /// <summary>How a reference may point: <c>contained</c>, <c>referenced</c>, <c>bundled</c>; empty allows all. R4's own profiles set none.</summary>
    public IReadOnlyList<string> Aggregation { get; init; } = [];

    /// <summary><c>either</c>, <c>independent</c> or <c>specific</c>; null says nothing.</summary>
    public string? Versioning { get; init; }
}

/// <param name="Type">The type in the member's name: <c>uri</c> of <c>fixedUri</c>, with the case of the definition.</param>
/// <param name="Json">The value as JSON, as it came in.</param>
public sealed record ProfileValue(string Type, string Json);

/// <param name="Rules"><c>open</c>, <c>closed</c> or <c>openAtEnd</c>.</param>
public sealed record ProfileSlicing(IReadOnlyList<ProfileDiscriminator> Discriminators, string Rules, bool Ordered);

/// <param name="Kind"><c>value</c>, <c>exists</c>, <c>pattern</c>, <c>type</c> or <c>profile</c>.</param>
public sealed record ProfileDiscriminator(string Kind, string Path);
