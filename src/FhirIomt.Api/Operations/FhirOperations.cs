using FhirIomt.Api.Http;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Api.Operations;

/// <summary>The operations: <see cref="Routes"/> answer them, the CapabilityStatement lists them by their definitions.</summary>
internal sealed class FhirOperations
{
    private const string Definitions = "http://hl7.org/fhir/OperationDefinition/";

    public FhirOperations(Validate validate, Meta meta, Terminology terminology, Everything everything, LastN lastN, Stats stats, Reindex reindex, BreakGlass breakGlass)
    {
        var expand = terminology.Handler(TerminologyOperation.Expand);
        var validateCode = terminology.Handler(TerminologyOperation.ValidateCode);
        var validateInSystem = terminology.Handler(TerminologyOperation.ValidateCodeInSystem);
        var lookup = terminology.Handler(TerminologyOperation.Lookup);
        var subsumes = terminology.Handler(TerminologyOperation.Subsumes);
        var translate = terminology.Handler(TerminologyOperation.Translate);
        Routes =
        [
            Operation("validate", "Resource-validate", "POST", "{type}/$validate", validate.HandleAsync),
            Operation("validate", "Resource-validate", "GET,POST", "{type}/{id}/$validate", validate.HandleAsync),
            Operation("meta", "Resource-meta", "GET,POST", "{type}/{id}/$meta", meta.GetAsync),
            Operation("meta", "Resource-meta", "GET,POST", "{type}/$meta", meta.SummarizeAsync),
            Operation("meta", "Resource-meta", "GET,POST", "$meta", meta.SummarizeAsync),
            Operation("meta-add", "Resource-meta-add", "POST", "{type}/{id}/$meta-add", meta.AddAsync),
            Operation("meta-delete", "Resource-meta-delete", "POST", "{type}/{id}/$meta-delete", meta.DeleteAsync),
            Operation("everything", "Patient-everything", "GET,POST", "Patient/{id}/$everything", everything.HandleAsync),
            Operation("lastn", "Observation-lastn", "GET,POST", "Observation/$lastn", lastN.HandleAsync),
            Operation("stats", "Observation-stats", "GET,POST", "Observation/$stats", stats.HandleAsync),
            new("$break-glass", "POST", "Patient/{id}/$break-glass", breakGlass.OpenAsync),
            new("$emergency-access", "GET", "Patient/{id}/$emergency-access", breakGlass.ListAsync),
            new("$reindex", "GET,POST", "$reindex", reindex.HandleAsync),
            new("$reindex", "GET,POST", "SearchParameter/{id}/$reindex", reindex.HandleAsync),
            Operation("expand", "ValueSet-expand", "GET,POST", "ValueSet/$expand", expand),
            Operation("expand", "ValueSet-expand", "GET,POST", "ValueSet/{id}/$expand", expand),
            Operation("validate-code", "ValueSet-validate-code", "GET,POST", "ValueSet/$validate-code", validateCode),
            Operation("validate-code", "ValueSet-validate-code", "GET,POST", "ValueSet/{id}/$validate-code", validateCode),
            Operation("validate-code", "CodeSystem-validate-code", "GET,POST", "CodeSystem/$validate-code", validateInSystem),
            Operation("validate-code", "CodeSystem-validate-code", "GET,POST", "CodeSystem/{id}/$validate-code", validateInSystem),
            Operation("lookup", "CodeSystem-lookup", "GET,POST", "CodeSystem/$lookup", lookup),
            Operation("subsumes", "CodeSystem-subsumes", "GET,POST", "CodeSystem/$subsumes", subsumes),
            Operation("subsumes", "CodeSystem-subsumes", "GET,POST", "CodeSystem/{id}/$subsumes", subsumes),
            Operation("translate", "ConceptMap-translate", "GET,POST", "ConceptMap/$translate", translate),
            Operation("translate", "ConceptMap-translate", "GET,POST", "ConceptMap/{id}/$translate", translate),
        ];
    }

    public IReadOnlyList<FhirRoute> Routes { get; }

    private static FhirRoute Operation(string name, string definition, string methods, string pattern, Func<FhirCall, Task<FhirAnswer>> handler) =>
        new("$" + name, methods, pattern, handler) { OperationDefinition = Definitions + definition };
}
