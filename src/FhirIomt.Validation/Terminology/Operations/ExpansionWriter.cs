using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>Writes a ValueSet with its expansion. Properties (R5) travel as the extensions that FHIR defines for R4.</summary>
internal sealed class ExpansionWriter(OperationInput input, LanguageRanges? languages, ExpansionSources sources, TerminologyLimits limits, OperationContext context)
{
    // Metadata that is passed on; the definition itself only when asked for.
    private static readonly string[] Passed = ["id", "language", "contained", "url", "version", "name", "title", "status", "experimental", "date"];
    private static readonly string[] Echoed = ["activeOnly", "excludeNested", "excludeNotForUI", "excludePostCoordinated", "includeDefinition", "includeDesignations", "limitedExpansion"];

    private readonly ConceptWriter _concepts = new(input, languages);

    public required int Total { get; init; }

    public required bool Truncated { get; init; }

    public required bool Nest { get; init; }

    public void Write(Utf8JsonWriter writer, ValueSetDefinition valueSet, List<ExpandedConcept> page)
    {
        var withDefinition = input.Flag("includeDefinition") == true;
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "ValueSet"u8);
        foreach (var name in Passed.Concat(withDefinition ? ["extension", "compose"] : []))
        {
            var member = valueSet.Root[System.Text.Encoding.UTF8.GetBytes(name)];
            if (member.Exists)
            {
                writer.WritePropertyName(name);
                member.WriteTo(writer);
            }
        }

        writer.WriteStartObject("expansion"u8);
        WriteExpansion(writer, page);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteExpansion(Utf8JsonWriter writer, List<ExpandedConcept> page)
    {
        WriteExpansionExtensions(writer, page);
        writer.WriteString("identifier"u8, context.NewUrn());
        writer.WriteString("timestamp"u8, context.Timestamp);
        writer.WriteNumber("total"u8, Total);
        if (input.Number("offset") is { } offset)
        {
            writer.WriteNumber("offset"u8, offset);
        }

        writer.WriteStartArray("parameter"u8);
        WriteParameters(writer);
        writer.WriteEndArray();
        if (page.Count > 0)
        {
            writer.WriteStartArray("contains"u8);
            WriteConcepts(writer, page);
            writer.WriteEndArray();
        }
    }

    private void WriteExpansionExtensions(Utf8JsonWriter writer, List<ExpandedConcept> page)
    {
        var properties = _concepts.PropertiesOf(page);
        if (properties.Count == 0 && sources.Fragments.Count == 0 && !Truncated)
        {
            return;
        }

        writer.WriteStartArray("extension"u8);
        if (sources.Fragments.Count > 0)
        {
            writer.WriteStartObject();
            writer.WriteString("url"u8, Extensions.Unclosed);
            writer.WriteBoolean("valueBoolean"u8, true);
            writer.WriteEndObject();
            AnswerWriter.WriteExtension(writer, Extensions.UnclosedReason, "valueString", "This extension is based on a fragment of the code system " + string.Join(", ", sources.Fragments.Select(fragment => fragment.Url)));
        }

        if (Truncated)
        {
            writer.WriteStartObject();
            writer.WriteString("url"u8, "http://hl7.org/fhir/StructureDefinition/valueset-toocostly");
            writer.WriteBoolean("valueBoolean"u8, true);
            writer.WriteEndObject();
        }

        foreach (var (code, uri) in properties)
        {
            WriteProperty(writer, code, uri);
        }

        writer.WriteEndArray();
    }

    private static void WriteProperty(Utf8JsonWriter writer, string code, string? uri)
    {
        writer.WriteStartObject();
        writer.WriteString("url"u8, Extensions.Property);
        writer.WriteStartArray("extension"u8);
        AnswerWriter.WriteExtension(writer, "code", "valueCode", code);
        if (uri is not null)
        {
            AnswerWriter.WriteExtension(writer, "uri", "valueUri", uri);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteParameters(Utf8JsonWriter writer)
    {
        foreach (var name in Echoed.Where(name => input.Flag(name) is not null))
        {
            AnswerWriter.WriteParameter(writer, name, input.Flag(name)!.Value);
        }

        foreach (var name in (ReadOnlySpan<string>)["count", "offset"])
        {
            if (input.Number(name) is { } number)
            {
                AnswerWriter.WriteParameter(writer, name, number);
            }
        }

        AnswerWriter.WriteParameter(writer, "displayLanguage", "valueCode", languages?.Text);
        AnswerWriter.WriteParameter(writer, "filter", "valueString", input.Text("filter"));
        foreach (var designation in input.Texts("designation"))
        {
            AnswerWriter.WriteParameter(writer, "designation", "valueString", designation);
        }

        if (sources.MergedVersions)
        {
            AnswerWriter.WriteParameter(writer, "versionsMatch", true);
        }

        WriteCanonicals(writer, sources.Rules.Concat(sources.Warnings));
        WriteCanonicals(writer, sources.CodeSystems.Select(canonical => ("used-codesystem", canonical)));
        WriteCanonicals(writer, sources.ValueSets.Select(canonical => ("used-valueset", canonical)));
        WriteCanonicals(writer, sources.Supplements.Select(canonical => ("used-supplement", canonical)));
        WriteCanonicals(writer, sources.Fragments.Select(canonical => ("used-fragment", canonical)));
    }

    private static void WriteCanonicals(Utf8JsonWriter writer, IEnumerable<(string Name, Canonical Canonical)> canonicals)
    {
        foreach (var (name, canonical) in canonicals)
        {
            AnswerWriter.WriteParameter(writer, name, "valueUri", canonical.ToString());
        }
    }

    private void WriteConcepts(Utf8JsonWriter writer, List<ExpandedConcept> page)
    {
        if (!Nest || !page.Exists(concept => concept.MayNest))
        {
            page.ForEach(concept => _concepts.Write(writer, concept, children: null));
            return;
        }

        var below = new Dictionary<ExpandedConcept, List<ExpandedConcept>>(ReferenceEqualityComparer.Instance);
        var top = new List<ExpandedConcept>();
        var places = page.Where(concept => concept.MayNest).ToDictionary(concept => (concept.System!.Content, concept.Concept!.Index));
        foreach (var concept in page)
        {
            var parent = concept.MayNest ? Parent(places, concept) : null;
            (parent is null ? top : below.TryGetValue(parent, out var siblings) ? siblings : below[parent] = []).Add(concept);
        }

        top.ForEach(concept => WriteTree(writer, concept, below, depth: 0));
    }

    private void WriteTree(Utf8JsonWriter writer, ExpandedConcept concept, Dictionary<ExpandedConcept, List<ExpandedConcept>> below, int depth)
    {
        var children = depth < limits.MaxImportDepth ? below.GetValueOrDefault(concept) : null;
        _concepts.Write(writer, concept, children is null ? null : () => children.ForEach(child => WriteTree(writer, child, below, depth + 1)));
    }

    // The first parent decides; one that stands later in the code system would allow cycles.
    private static ExpandedConcept? Parent(Dictionary<(CodeSystems.CodeSystemContent, int), ExpandedConcept> places, ExpandedConcept concept)
    {
        foreach (var parent in concept.Concept!.Parents)
        {
            if (parent < concept.Concept.Index && places.TryGetValue((concept.System!.Content, parent), out var found))
            {
                return found;
            }
        }

        return null;
    }
}
