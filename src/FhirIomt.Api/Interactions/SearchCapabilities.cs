using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Api.Interactions;

/// <summary>What a type can be searched by, for the CapabilityStatement.</summary>
internal static class SearchCapabilities
{
    private const string Base = "http://hl7.org/fhir/SearchParameter/";

    // Those that no index row stands for.
    private static readonly (string Code, SearchParameterType Type)[] OfEveryType =
        [("_id", SearchParameterType.Token), ("_lastUpdated", SearchParameterType.Date), ("_text", SearchParameterType.String), ("_content", SearchParameterType.String), ("_list", SearchParameterType.String), ("_filter", SearchParameterType.Special)];

    public static IEnumerable<(string Code, string Url, SearchParameterType Type)> Parameters(IndexPolicy policy, string type)
    {
        foreach (var (code, kind) in OfEveryType)
        {
            yield return (code, code == "_filter" ? Base + "filter" : $"{Base}Resource-{code[1..]}", kind);
        }

        foreach (var parameter in policy.IndexedParameters(type))
        {
            yield return (parameter.Code, parameter.Url, parameter.Type);
        }
    }

    /// <summary>Parameters of other types that name this one as a target; those that take any target are left out, they would be hundreds.</summary>
    public static IReadOnlyList<string> ReverseIncludes(IndexPolicy policy, string type)
    {
        var includes = new List<string>();
        foreach (var other in policy.Definitions.ResourceTypes)
        {
            foreach (var parameter in policy.IndexedParameters(other))
            {
                if (parameter.Type == SearchParameterType.Reference && parameter.Targets.Contains(type, StringComparer.Ordinal))
                {
                    includes.Add($"{other}:{parameter.Code}");
                }
            }
        }

        return includes;
    }
}
