using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>A canonical that is known here is of an allowed type; one that is not known says nothing.</summary>
internal sealed class CanonicalCheck(BindingSource source)
{
    private static readonly string[] Types = ["StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter", "OperationDefinition", "CapabilityStatement", "Questionnaire", "Measure", "Library", "PlanDefinition", "ActivityDefinition"];

    public void Run(ValidationRun run, ResourceNode canonical, IReadOnlyList<string> allowed)
    {
        if (!canonical.ContentSpan.Contains((byte)':') && !canonical.ContentSpan.StartsWith((byte)'#'))
        {
            run.Add(Conformance.ConformanceIssues.RelativeCanonical, canonical, "A canonical is an absolute URL, or names a contained resource.");
            return;
        }

        if (!canonical.ContentSpan.StartsWith("http"u8) || allowed.Contains("Resource", StringComparer.Ordinal))
        {
            return;
        }

        var asked = new Canonical(Canonical.Parse(canonical.AsString()!).Url, Version: null);
        if (!allowed.Any(type => source.Definitions.Find(type, asked) is not null) && Types.FirstOrDefault(type => source.Definitions.Find(type, asked) is not null) is { } found)
        {
            run.Add(ValidationIssues.WrongCanonicalType, canonical, $"The canonical names a {found}, not a {string.Join(" or ", allowed)}.");
        }
    }
}
