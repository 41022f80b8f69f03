using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.Checking;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>ValueSet/$validate-code and CodeSystem/$validate-code (FHIR R4 §4.9.18.2, §4.8.21.2).</summary>
internal sealed class ValidateCodeOperation(TerminologyStore store, OperationInput input, OperationContext context, bool codeSystemOnly)
{
    public TerminologyAnswer Run()
    {
        ValueSetDefinition? valueSet = null;
        if (!codeSystemOnly)
        {
            valueSet = RequestedValueSet.Find(store, input, out var unknown);
            if (valueSet is null)
            {
                return AnswerWriter.Refusal(unknown!);
            }
        }

        if (Settings(valueSet, out var settings) is { } refusal)
        {
            return AnswerWriter.Refusal(refusal);
        }

        var queries = Queries();
        if (queries.Count == 0)
        {
            return AnswerWriter.Refusal(TxIssues.NothingToValidate());
        }

        var checker = new CodeChecker(store, settings);
        var isConcept = input.Has("codeableConcept");
        if (!checker.UseSupplements(valueSet))
        {
            return AnswerWriter.Refusal(checker.Refusal!);
        }

        var codes = queries.Select(query => checker.Check(valueSet, query, isConcept)).ToList();
        if (checker.Refusal is not null)
        {
            return AnswerWriter.Refusal(checker.Refusal);
        }

        if (isConcept && valueSet is not null && codes.TrueForAll(code => code.Finding.Membership == Membership.Out))
        {
            checker.Add(TxIssues.NoneInValueSet(valueSet.Name));
        }

        return AnswerWriter.Parameters(writer => Write(writer, checker, codes, isConcept));
    }

    private TxIssue? Settings(ValueSetDefinition? valueSet, out CheckSettings settings)
    {
        var languageText = input.Text("displayLanguage") ?? valueSet?.Parameter("displayLanguage") ?? context.AcceptLanguage ?? valueSet?.Root["language"u8].AsString();
        var languages = languageText is null ? null : LanguageRanges.Parse(languageText);
        settings = new CheckSettings
        {
            Versions = input.VersionRules(),
            Languages = languages,
            Supplements = input.Canonicals("useSupplement"),
            AbstractAllowed = input.Flag("abstract") != false,
            ActiveOnly = input.Flag("activeOnly") == true,
            LenientDisplay = input.Flag("lenient-display-validation") == true || input.Text("mode") == "lenient-display-validation",
            MembershipOnly = input.Flag("valueset-membership-only") == true,
            InferSystem = input.Flag("inferSystem") == true || input.Flag("implySystem") == true,
            VersionsMatch = input.Flag("versionsMatch"),
        };
        return languageText is not null && languages is null ? TxIssues.BadLanguage(languageText) : null;
    }

    private List<CodeQuery> Queries()
    {
        if (input.Value("codeableConcept") is { IsObject: true } concept)
        {
            var queries = new List<CodeQuery>();
            foreach (var coding in concept["coding"u8].Items)
            {
                queries.Add(Query(coding, $"CodeableConcept.coding[{queries.Count}]"));
            }

            return queries;
        }

        if (input.Value("coding") is { IsObject: true } single)
        {
            return [Query(single, "Coding")];
        }

        var system = input.Text("system") ?? (codeSystemOnly ? input.Text("url") : null);
        return input.Text("code") is { } code && (system is not null || input.Flag("inferSystem") == true || input.Flag("implySystem") == true || codeSystemOnly)
            ? [new CodeQuery(system, input.Text("systemVersion") ?? (codeSystemOnly ? input.Text("version") : null), code, input.Text("display"), "")]
            : [];
    }

    private CodeQuery Query(ResourceNode coding, string path) =>
        new(coding["system"u8].AsString() ?? (codeSystemOnly ? input.Text("url") : null), coding["version"u8].AsString(), coding["code"u8].AsString() ?? "", coding["display"u8].AsString(), path);

    private void Write(Utf8JsonWriter writer, CodeChecker checker, List<CheckedCode> codes, bool isConcept)
    {
        var valid = codes.Find(code => code.Finding.Membership == Membership.In);
        var shown = valid ?? (isConcept ? null : codes[0]);
        if (shown is not null)
        {
            WriteCode(writer, shown);
        }

        if (isConcept)
        {
            AnswerWriter.WriteParameter(writer, "codeableConcept", "valueCodeableConcept", input.Value("codeableConcept"));
        }

        if (checker.Issues.Count > 0)
        {
            AnswerWriter.WriteResource(writer, "issues", () => AnswerWriter.WriteOutcome(writer, checker.Issues));
        }

        var messages = checker.Issues.Where(issue => issue.InMessage).Select(issue => issue.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        AnswerWriter.WriteParameter(writer, "message", "valueString", messages.Length == 0 ? null : string.Join("; ", messages));
        AnswerWriter.WriteParameter(writer, "result", valid is not null && !checker.Issues.Any(issue => issue.Severity >= IssueSeverity.Error));
        foreach (var system in checker.UnknownSystems)
        {
            AnswerWriter.WriteParameter(writer, "x-unknown-system", "valueCanonical", system);
        }

        foreach (var missing in checker.MissingSystems)
        {
            AnswerWriter.WriteParameter(writer, "x-caused-by-unknown-system", "valueCanonical", missing.ToString());
        }
    }

    private static void WriteCode(Utf8JsonWriter writer, CheckedCode code)
    {
        AnswerWriter.WriteParameter(writer, "code", "valueCode", code.Query.Code);
        AnswerWriter.WriteParameter(writer, "display", "valueString", code.Display);
        AnswerWriter.WriteParameter(writer, "system", "valueUri", code.Query.System);
        AnswerWriter.WriteParameter(writer, "version", "valueString", code.Version);
        if (code.Concept is not { } concept)
        {
            return;
        }

        if (concept.Code != code.Query.Code)
        {
            AnswerWriter.WriteParameter(writer, "normalized-code", "valueCode", concept.Code);
        }

        if (concept.IsInactive)
        {
            AnswerWriter.WriteParameter(writer, "inactive", true);
        }

        if (concept.Status is not (null or "inactive") && (concept.IsInactive || concept.Status == "deprecated"))
        {
            AnswerWriter.WriteParameter(writer, "status", "valueCode", concept.Status);
        }
    }
}
