using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>ValueSet/$expand (FHIR R4 §4.9.18.1).</summary>
internal sealed class ExpandOperation(TerminologyStore store, OperationInput input, OperationContext context)
{
    public TerminologyAnswer Run()
    {
        if (RequestedValueSet.Find(store, input, out var refusal) is not { } valueSet)
        {
            return AnswerWriter.Refusal(refusal!);
        }

        var languageText = input.Text("displayLanguage") ?? valueSet.Parameter("displayLanguage") ?? context.AcceptLanguage ?? valueSet.Root["language"u8].AsString();
        var languages = languageText is null ? null : LanguageRanges.Parse(languageText);
        if (languageText is not null && languages is null)
        {
            return AnswerWriter.Refusal(TxIssues.BadLanguage(languageText));
        }

        if (input.Text("count") is not null && input.Number("count") is null || (input.Text("offset") is not null && input.Number("offset") is null))
        {
            return AnswerWriter.Refusal(TxIssues.BadRequest("count and offset are whole numbers, not negative"));
        }

        var request = Request(valueSet);
        var expander = new ValueSetExpander(store, request);
        if (expander.Expand(valueSet) is not { } concepts)
        {
            return AnswerWriter.Refusal(expander.Refusal!);
        }

        return Answer(valueSet, languages, request, expander.Sources, [.. concepts.Values]);
    }

    private TerminologyAnswer Answer(ValueSetDefinition valueSet, LanguageRanges? languages, ExpansionRequest request, ExpansionSources sources, List<ExpandedConcept> concepts)
    {
        if (request.Filter is { } filter)
        {
            concepts = [.. concepts.Where(concept => HasWords(concept, filter))];
        }

        var page = Page(concepts, out var truncated);
        if (page.Count > store.Limits.MaxExpansion)
        {
            return AnswerWriter.Refusal(TxIssues.TooCostly(valueSet.Name, store.Limits.MaxExpansion));
        }

        var nest = input.Flag("excludeNested") != true && valueSet.Excludes.Count == 0 && page.Count == concepts.Count;
        var written = new ExpansionWriter(input, languages, sources, store.Limits, context)
        {
            Total = concepts.Count,
            Truncated = truncated,
            Nest = nest,
        };
        return new TerminologyAnswer(AnswerWriter.Write(writer => written.Write(writer, valueSet, page)), []);
    }

    private List<ExpandedConcept> Page(List<ExpandedConcept> concepts, out bool truncated)
    {
        truncated = false;
        var offset = Math.Min(input.Number("offset") ?? 0, concepts.Count);
        var left = concepts.Count - offset;
        var count = Math.Min(input.Number("count") ?? left, left);
        if (count > store.Limits.MaxExpansion && input.Flag("limitedExpansion") == true)
        {
            truncated = true;
            count = store.Limits.MaxExpansion;
        }

        return offset == 0 && count == concepts.Count ? concepts : concepts.GetRange(offset, count);
    }

    private ExpansionRequest Request(ValueSetDefinition valueSet) => new()
    {
        Versions = input.VersionRules(),
        Filter = input.Text("filter") is { Length: > 0 } filter ? filter : null,
        ActiveOnly = input.Flag("activeOnly") ?? valueSet.Parameter("activeOnly") == "true",
        ExcludeAbstract = input.Flag("excludeNotForUI") == true,
        VersionsMatch = input.Flag("versionsMatch"),
        ExcludedSystems = input.Canonicals("exclude-system"),
        Supplements = input.Canonicals("useSupplement"),
    };

    private static bool HasWords(ExpandedConcept concept, string filter)
    {
        var texts = DisplayChoice.Texts(concept, null).Select(text => text.Text).Append(concept.Code).ToArray();
        return filter.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => Array.Exists(texts, text => text.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }
}

/// <summary>The value set that a request means: given in it, or by URL.</summary>
internal static class RequestedValueSet
{
    public static ValueSetDefinition? Find(TerminologyStore store, OperationInput input, out TxIssue? refusal)
    {
        refusal = null;
        if (input.Resources("valueSet").FirstOrDefault() is { IsObject: true } given)
        {
            return new ValueSetDefinition(given);
        }

        if (input.Text("url") is not { Length: > 0 } url)
        {
            refusal = TxIssues.BadRequest("name the value set with url, or give it as valueSet");
            return null;
        }

        var canonical = Canonical.Parse(url);
        canonical = canonical with { Version = input.Text("valueSetVersion") ?? canonical.Version };
        canonical = canonical.Version is null ? input.VersionRules().Pin(canonical, out _) : canonical;
        var found = store.ValueSet(canonical);
        refusal = found is null ? TxIssues.UnknownValueSet(canonical.ToString()) : null;
        return found;
    }
}

/// <summary>What stands outside the Parameters of a request.</summary>
/// <param name="AcceptLanguage">The header, for displays; null when there is none.</param>
/// <param name="Timestamp">Of the answer, as FHIR instant.</param>
/// <param name="NewUrn">Gives an identifier for an expansion.</param>
internal sealed record OperationContext(string? AcceptLanguage, string Timestamp, Func<string> NewUrn);
