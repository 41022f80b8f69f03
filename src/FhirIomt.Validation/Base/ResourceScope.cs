using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>A resource and, when it is contained, the one that holds it: what <c>%resource</c> and <c>%rootResource</c> mean.</summary>
internal sealed class ResourceScope(FhirDefinitions definitions, ResourceNode resource, ResourceScope? container)
{
    private FhirPathEnvironment? _environment;

    public ResourceNode Resource { get; } = resource;

    /// <summary>The resource whose <c>contained</c> a <c>#id</c> refers to.</summary>
    public ResourceNode Root => container?.Root ?? Resource;

    public bool IsContained => container is not null;

    // Made when a FHIRPath invariant first runs; a device Observation runs none.
    public FhirPathEnvironment Environment => _environment ??= new FhirPathEnvironment
    {
        Resource = FhirPathItem.Resource(Resource, definitions),
        RootResource = FhirPathItem.Resource(Root, definitions),
        ResolvesToType = true,
    };

    /// <summary>The contained resource of that id (JSON text without the <c>#</c>), or nothing.</summary>
    public ResourceNode Contained(ReadOnlySpan<byte> id)
    {
        foreach (var contained in Root["contained"u8].Items)
        {
            if (contained["id"u8].TextEquals(id))
            {
                return contained;
            }
        }

        return default;
    }
}
