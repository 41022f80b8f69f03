using System.Collections.Concurrent;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>
/// Which search parameters are indexed, and so offered: the CapabilityStatement, the URL parser and the index all ask here, so that they cannot disagree.
/// </summary>
public sealed class IndexPolicy(FhirDefinitions definitions)
{
    // What the values of other parameters of an Observation answer together: its code and its value are single (R4 Observation.code, value[x]), and a component's
    // code stands beside its quantity in the index. So these need no values of their own.
    private static readonly string[] DerivedForObservation =
        ["code-value-concept", "code-value-date", "code-value-quantity", "code-value-string", "combo-code", "combo-code-value-concept", "combo-code-value-quantity",
         "combo-data-absent-reason", "combo-value-concept", "combo-value-quantity"];

    private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameter>> _extractedByType = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameter>> _byType = new(StringComparer.Ordinal);

    public FhirDefinitions Definitions { get; } = definitions;

    public IReadOnlyList<SearchParameter> IndexedParameters(string resourceType) => _byType.GetOrAdd(resourceType, Select);

    /// <summary>The indexed parameters whose values go into the index; the others are answered by these.</summary>
    public IReadOnlyList<SearchParameter> ExtractedParameters(string resourceType) => _extractedByType.GetOrAdd(
        resourceType,
        type => type == "Observation" ? [.. IndexedParameters(type).Where(parameter => !DerivedForObservation.Contains(parameter.Code, StringComparer.Ordinal))] : IndexedParameters(type));

    /// <summary>Every parameter of a type that a search can name.</summary>
    public IReadOnlyList<SearchParameter> Parameters(string resourceType) => Definitions.SearchParameters(resourceType);

    public SearchParameter? Find(string resourceType, string code) => Definitions.SearchParameter(resourceType, code);

    /// <summary>Why a search cannot use the parameter; null when it can.</summary>
    public Issue? WhyNot(SearchParameter parameter) => IsIndexed(parameter) ? null : SearchIssues.NotIndexed(parameter.Code);

    public bool IsIndexed(SearchParameter parameter) =>
        parameter.Code is "_id" or "_lastUpdated" || IndexedParameters(parameter.ResourceType).Contains(parameter);

    /// <summary>Parameters that results can be sorted by.</summary>
    public bool IsSortable(SearchParameter parameter) => parameter.Type is not (SearchParameterType.Composite or SearchParameterType.Special) && IsIndexed(parameter);

    private IReadOnlyList<SearchParameter> Select(string resourceType) =>
        [.. Definitions.SearchParameters(resourceType).Where(parameter =>
            parameter is { Type: not SearchParameterType.Special, Expression: not null } and not { Code: "_id" or "_lastUpdated" })];
}
