using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation;

/// <summary>
/// Validates resources against FHIR R4's base types, the profiles in their <c>meta.profile</c>, and profiles given. Compiles each type and profile
/// once; one instance serves many threads. All findings are collected, at most 200; codes IOMT-0210 to IOMT-0249 (ValidationIssues).
/// </summary>
public sealed class ResourceValidator
{
    private readonly TypePlans _types;

    public ResourceValidator(FhirDefinitions definitions)
    {
        _types = new TypePlans(definitions, definitions.ValueSet);
    }

    /// <summary>Empty when nothing was found; refuse the resource when any issue <see cref="Issue.Refuses"/>.</summary>
    public IReadOnlyList<Issue> Validate(JsonTree resource) => Validate(resource, []);

    /// <param name="profiles">Canonical URLs that the resource must meet besides those it claims.</param>
    public IReadOnlyList<Issue> Validate(JsonTree resource, IReadOnlyList<string> profiles)
    {
        var run = new ValidationRun();
        new BaseWalk(_types, run, (_, _, _) => { }).Resource(resource.Root, container: null);
        return run.Issues;
    }
}
