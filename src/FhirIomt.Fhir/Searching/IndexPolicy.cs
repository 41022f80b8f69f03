using System.Collections.Concurrent;
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

    public bool IsIndexed(SearchParameter parameter) =>
        parameter.Code is "_id" or "_lastUpdated" || IndexedParameters(parameter.ResourceType).Contains(parameter);

    /// <summary>Parameters that results can be sorted by.</summary>
    public static bool IsSortable(SearchParameter parameter) =>
        parameter.Code == "_lastUpdated" || parameter is { ResourceType: "Observation", Code: "date" };

    private IReadOnlyList<SearchParameter> Select(string resourceType) =>
        [.. Definitions.SearchParameters(resourceType).Where(parameter =>
            parameter.Type is SearchParameterType.Token or SearchParameterType.Date or SearchParameterType.Reference or SearchParameterType.String or SearchParameterType.Uri
            && parameter.Expression is not null
            && parameter.Code is not ("_id" or "_lastUpdated")
            && !(resourceType == "Observation" && LeftOutOfObservation.Contains(parameter.Code, StringComparer.Ordinal)))];
}
