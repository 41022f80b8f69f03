using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>What the specification asks of one resource type beyond its structure; runs after the base type and before profiles.</summary>
internal interface IResourceCheck
{
    void Run(ValidationRun run, ResourceNode resource, ResourceScope scope);
}
