namespace FhirIomt.Fhir.Search;

/// <summary>The search parameter types of FHIR R4 (§3.1.1.4).</summary>
public enum SearchParameterType : byte
{
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

/// <summary>One search parameter as it applies to one resource type. Source: SearchParameter resources.</summary>
/// <param name="Code">The name in the URL: <c>birthdate</c>.</param>
/// <param name="Url">Canonical URL.</param>
/// <param name="Expression">FHIRPath, already narrowed to the one resource type; null for special parameters.</param>
/// <param name="Targets">For references: allowed target types; empty allows any.</param>
/// <param name="Components">For composites: (definition URL, expression relative to the composite's own).</param>
public sealed record SearchParameter(
    string ResourceType,
    string Code,
    string Url,
    SearchParameterType Type,
    string? Expression,
    IReadOnlyList<string> Targets,
    IReadOnlyList<SearchParameterComponent> Components)
{
    /// <summary>What its index rows are kept under. A parameter of somebody's own changes it with its expression, so that rows of another one never count.</summary>
    public string IndexName { get; init; } = Code;
}

public sealed record SearchParameterComponent(string DefinitionUrl, string Expression);
