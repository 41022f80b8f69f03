using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

#pragma warning disable
public sealed class ResourceValidator
{
    public ResourceValidator(FhirDefinitions definitions)
    {
    }

    public IReadOnlyList<Issue> Validate(JsonTree resource) => [];
}
