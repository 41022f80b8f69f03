using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>The parameters that a composite is made of, as they are defined on the composite's own type.</summary>
internal sealed class CompositeComponents(IndexPolicy policy)
{
    public IReadOnlyList<SearchParameter> Of(SearchParameter composite) =>
        [.. composite.Components.Select(component => policy.Parameters(composite.ResourceType).FirstOrDefault(parameter => parameter.Url == component.DefinitionUrl)).OfType<SearchParameter>()];
}
