using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>The systems that the required bindings of a parameter's plain <c>code</c> elements name: <c>status</c> of an Observation means <c>http://hl7.org/fhir/observation-status</c>.</summary>
internal sealed class ImplicitSystems(FhirDefinitions definitions)
{
    private readonly ConcurrentDictionary<(string Type, string Code), IReadOnlySet<string>> _known = new();

    public IReadOnlySet<string> Of(SearchParameter parameter) => _known.GetOrAdd((parameter.ResourceType, parameter.Code), _ => Find(parameter));

    private HashSet<string> Find(SearchParameter parameter)
    {
        var systems = new HashSet<string>(StringComparer.Ordinal);
        foreach (var element in ParameterElements.Of(parameter, definitions))
        {
            if (element is { Binding: { Strength: BindingStrength.Required } binding } && element.Members.Any(member => member.Type.Name == "code") && definitions.ValueSet(binding.ValueSet) is { } set)
            {
                systems.UnionWith(set.Systems);
            }
        }

        return systems;
    }
}
