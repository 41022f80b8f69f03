using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Which token parameters are about strings, as a ValueSet's <c>version</c> is.</summary>
internal sealed class StringTokens(FhirDefinitions definitions)
{
    private readonly ConcurrentDictionary<(string Type, string Name), bool> _known = new();

    public bool Has(SearchParameter parameter) => _known.GetOrAdd((parameter.ResourceType, parameter.IndexName), _ => ParameterElements.AreStrings(parameter, definitions));
}
