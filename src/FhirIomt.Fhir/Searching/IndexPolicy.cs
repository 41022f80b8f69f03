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
    // An Observation costs at most 8 index rows (docs/performance.md): these would repeat what code, category and meta already say.
    private static readonly string[] LeftOutOfObservation =
        ["combo-code", "component-code", "component-value-concept", "combo-value-concept", "component-data-absent-reason", "combo-data-absent-reason", "_profile"];

    private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameter>> _byType = new(StringComparer.Ordinal);

    public FhirDefinitions Definitions { get; } = definitions;

    public IReadOnlyList<SearchParameter> IndexedParameters(string resourceType) => _byType.GetOrAdd(resourceType, Select);

    /// <summary>Every parameter of a type that a search can name.</summary>
    public IReadOnlyList<SearchParameter> Parameters(string resourceType) => Definitions.SearchParameters(resourceType);

    public SearchParameter? Find(string resourceType, string code) => Definitions.SearchParameter(resourceType, code);

    public bool IsIndexed(SearchParameter parameter) =>
        parameter.Code is "_id" or "_lastUpdated" || IndexedParameters(parameter.ResourceType).Contains(parameter);

    /// <summary>Why a search cannot use the parameter; null when it can.</summary>
    public Issue? WhyNot(SearchParameter parameter) => IsIndexed(parameter) ? null : SearchIssues.NotIndexed(parameter.Code);

    /// <summary>Parameters that results can be sorted by.</summary>
    public bool IsSortable(SearchParameter parameter) => parameter.Type is not (SearchParameterType.Composite or SearchParameterType.Special) && IsIndexed(parameter);

    private IReadOnlyList<SearchParameter> Select(string resourceType) =>
        [.. Definitions.SearchParameters(resourceType).Where(parameter =>
            parameter.Type is not SearchParameterType.Special
            && parameter.Expression is not null
            && parameter.Code is not ("_id" or "_lastUpdated")
            && !(resourceType == "Observation" && LeftOutOfObservation.Contains(parameter.Code, StringComparer.Ordinal)))];
}
