using FhirIomt.Core;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Conformance;
using FhirIomt.Validation.Extensions;
using FhirIomt.Validation.Measures;
using FhirIomt.Validation.Profiles;
using FhirIomt.Validation.Questionnaires;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation;

/// <summary>
/// Validates resources against FHIR R4's base types, the profiles in their <c>meta.profile</c>, and profiles given. Compiles each type and profile
/// once; one instance serves many threads. All findings are collected, at most 200; codes IOMT-0210 to IOMT-0249 (ValidationIssues).
/// </summary>
public sealed class ResourceValidator
{
    private readonly TypePlans _types;
    private readonly ProfilePlans _profiles;
    private readonly ExtensionCheck _extensions;

    /// <summary>Knows R4's own profiles and those that come with the server.</summary>
    public ResourceValidator(FhirDefinitions definitions)
        : this(ProfileCatalog.BuiltIn(definitions))
    {
    }

    public ResourceValidator(ProfileCatalog catalog)
    {
        Terminology = new TerminologyService(catalog.Library, isUcum: Ucum.Standard.IsValid);
        _types = new TypePlans(catalog.Definitions, new BindingSource(catalog, Terminology), ChecksOf(catalog, Terminology));
        _profiles = new ProfilePlans(catalog, _types);
        _extensions = new ExtensionCheck(_profiles);
    }

    /// <summary>The terminology that the validator asks.</summary>
    public TerminologyService Terminology { get; }

    private static Dictionary<string, IResourceCheck> ChecksOf(ProfileCatalog catalog, TerminologyService terminology) => new(StringComparer.Ordinal)
    {
        ["Bundle"] = new BundleCheck(catalog.Definitions),
        ["CodeSystem"] = new CodeSystemCheck(terminology),
        ["ConceptMap"] = new ConceptMapCheck(terminology),
        ["Questionnaire"] = new FormCheck(),
        ["MeasureReport"] = new MeasureReportCheck(catalog),
        ["StructureDefinition"] = new StructureDefinitionCheck(catalog),
        ["ValueSet"] = new ValueSetCheck(terminology),
        ["QuestionnaireResponse"] = new ResponseCheck(catalog, terminology),
    };

    /// <summary>Empty when nothing was found; refuse the resource when any issue <see cref="Issue.Refuses"/>.</summary>
    public IReadOnlyList<Issue> Validate(JsonTree resource) => Validate(resource, []);

    /// <param name="profiles">Canonical URLs that the resource must meet besides those it claims.</param>
    public IReadOnlyList<Issue> Validate(JsonTree resource, IReadOnlyList<string> profiles)
    {
        var run = new ValidationRun(_types.Definitions);
        var check = new ProfileWalk(_profiles, _extensions, run, profiles);
        new BaseWalk(_types, run, check).Resource(resource.Root, container: null);
        return run.Issues;
    }

    /// <summary>What FHIRPath may ask about a resource: memberOf by this terminology, conformsTo by these profiles, resolve within the resource or its Bundle.</summary>
    public FhirPathEnvironment EnvironmentOf(ResourceNode resource) =>
        new ResourceScope(_types.Definitions, resource, container: null, around: null, _profiles.Services).Expressions(resolvesToType: false);

    /// <summary>The rules that a profile compiles to, one a line; null when it is unknown.</summary>
    internal ProfilePlan? Plan(string canonical) => _profiles.Find(canonical);
}
