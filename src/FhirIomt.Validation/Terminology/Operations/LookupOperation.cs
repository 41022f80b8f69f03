using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>CodeSystem/$lookup (FHIR R4 §4.8.21.1): what is known about one code.</summary>
internal sealed class LookupOperation(TerminologyStore store, OperationInput input, OperationContext context)
{
    public TerminologyAnswer Run()
    {
        var coding = input.Value("coding");
        var system = coding["system"u8].AsString() ?? input.Text("system") ?? input.Text("url");
        var code = coding["code"u8].AsString() ?? input.Text("code");
        var version = coding["version"u8].AsString() ?? input.Text("version");
        if (system is null || code is null)
        {
            return AnswerWriter.Refusal(TxIssues.BadRequest("name a code and its system, or give a coding"));
        }

        var choice = version ?? input.VersionRules().Choose(system, null).Version;
        if (store.CodeSystem(system, choice) is not { } content)
        {
            return AnswerWriter.Refusal(choice is null ? TxIssues.UnknownSystem(system, "system") : TxIssues.UnknownVersion(system, choice, store.KnownVersions(system), "system"));
        }

        if (content.Find(code) is not { } concept)
        {
            return AnswerWriter.Refusal(TxIssues.Error(IssueKind.NotFound, "IOMT-0262", "invalid-code", "Unknown_Code_in_Version", TxIssues.UnknownCode(code, system, content.Version, "code").Text, "code"));
        }

        if (Supplements(system, out var supplements) is { } refusal)
        {
            return AnswerWriter.Refusal(refusal);
        }

        return AnswerWriter.Parameters(writer => Write(writer, new SupplementedSystem(content, supplements), concept));
    }

    private TxIssue? Supplements(string system, out List<CodeSystemContent> supplements)
    {
        supplements = [];
        foreach (var canonical in input.Canonicals("useSupplement"))
        {
            if (store.Supplement(canonical) is not { } supplement)
            {
                return TxIssues.MissingSupplement(canonical.ToString());
            }

            if (supplement.Supplements?.Url == system)
            {
                supplements.Add(supplement);
            }
        }

        return null;
    }

    private void Write(Utf8JsonWriter writer, SupplementedSystem system, Concept concept)
    {
        var content = system.Content;
        var texts = system.Designations(concept);
        var languageText = input.Text("displayLanguage") ?? context.AcceptLanguage;
        var display = DisplayChoice.Of(texts, languageText is null ? null : LanguageRanges.Parse(languageText)).Display ?? DisplayChoice.Of(texts, null).Display;
        AnswerWriter.WriteParameter(writer, "name", "valueString", content.Root["name"u8].AsString() ?? content.Url);
        AnswerWriter.WriteParameter(writer, "version", "valueString", content.Version);
        AnswerWriter.WriteParameter(writer, "display", "valueString", display ?? concept.Code);
        AnswerWriter.WriteParameter(writer, "code", "valueCode", concept.Code);
        AnswerWriter.WriteParameter(writer, "system", "valueUri", content.Url);
        AnswerWriter.WriteParameter(writer, "definition", "valueString", concept.Definition);
        AnswerWriter.WriteParameter(writer, "abstract", concept.IsAbstract);
        foreach (var text in texts)
        {
            AnswerWriter.WriteGroup(writer, "designation", () => WriteDesignation(writer, text));
        }

        WriteProperties(writer, content, concept);
        foreach (var supplement in system.Supplements)
        {
            AnswerWriter.WriteParameter(writer, "used-supplement", "valueCanonical", supplement.Canonical.ToString());
        }
    }

    private static void WriteDesignation(Utf8JsonWriter writer, Designation text)
    {
        AnswerWriter.WriteParameter(writer, "language", "valueCode", text.Language);
        if (text.IsDisplay)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, "use"u8);
            writer.WritePropertyName("valueCoding"u8);
            ConceptWriter.WritePreferred(writer);
            writer.WriteEndObject();
        }
        else if (text.Node["use"u8] is { Exists: true } use)
        {
            AnswerWriter.WriteParameter(writer, "use", "valueCoding", use);
        }

        AnswerWriter.WriteParameter(writer, "value", "valueString", text.Text);
        AnswerWriter.WriteParameter(writer, "source", "valueCanonical", text.Source);
    }

    private void WriteProperties(Utf8JsonWriter writer, CodeSystemContent content, Concept concept)
    {
        var wanted = input.Texts("property").ToHashSet(StringComparer.Ordinal);
        bool Wants(string code) => wanted.Contains(code) || wanted.Contains("*");
        AnswerWriter.WriteGroup(writer, "property", () =>
        {
            AnswerWriter.WriteParameter(writer, "code", "valueCode", "inactive");
            AnswerWriter.WriteParameter(writer, "value", concept.IsInactive);
        });
        foreach (var parent in Wants("parent") ? concept.Parents : [])
        {
            WriteRelative(writer, "parent", content.Concepts[parent]);
        }

        foreach (var child in Wants("child") ? concept.Children : [])
        {
            WriteRelative(writer, "child", content.Concepts[child]);
        }

        foreach (var property in concept.Node["property"u8].Items)
        {
            var value = Extensions.Value(property);
            if (property["code"u8].AsString() is { } code && code is not ("parent" or "child" or "inactive") && Wants(code) && value.Exists)
            {
                AnswerWriter.WriteGroup(writer, "property", () =>
                {
                    AnswerWriter.WriteParameter(writer, "code", "valueCode", code);
                    AnswerWriter.WriteParameter(writer, "value", value.Name, value);
                });
            }
        }
    }

    private static void WriteRelative(Utf8JsonWriter writer, string property, Concept relative) => AnswerWriter.WriteGroup(writer, "property", () =>
    {
        AnswerWriter.WriteParameter(writer, "code", "valueCode", property);
        AnswerWriter.WriteParameter(writer, "value", "valueCode", relative.Code);
        AnswerWriter.WriteParameter(writer, "description", "valueString", relative.Display);
    });
}
