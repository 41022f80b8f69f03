using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>Writes the concepts of an expansion: display, designations, properties, and the extensions that are passed on.</summary>
internal sealed class ConceptWriter(OperationInput input, LanguageRanges? languages)
{
    private static readonly string[] FromValueSet = [Extensions.ValueSetDeprecated, Extensions.ConceptDefinition, Extensions.StandardsStatus];
    private static readonly string[] FromAnywhere = [Extensions.Style, Extensions.Xhtml];
    private static readonly string[] OnDesignations = [Extensions.DescriptionId, Extensions.StandardsStatus];

    private readonly bool _designations = input.Flag("includeDesignations") == true || input.Has("designation");
    private readonly HashSet<string> _wantedDesignations = [.. input.Texts("designation")];
    private readonly List<string> _wanted = [.. input.Texts("property").Distinct(StringComparer.Ordinal)];

    /// <summary>Code and URI of each property that the concepts have.</summary>
    public List<(string Code, string? Uri)> PropertiesOf(List<ExpandedConcept> concepts)
    {
        var found = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var concept in concepts)
        {
            foreach (var (code, _, _) in Properties(concept))
            {
                if (!found.TryGetValue(code, out var known) || known is null)
                {
                    found[code] = Uri(concept, code);
                }
            }
        }

        return [.. found.Select(property => (property.Key, property.Value))];
    }

    public void Write(Utf8JsonWriter writer, ExpandedConcept concept, Action? children)
    {
        var display = DisplayChoice.Of(DisplayChoice.Texts(concept, null), languages);
        writer.WriteStartObject();
        WriteExtensions(writer, concept);
        writer.WriteString("system"u8, concept.SystemUrl);
        if (concept.IsAbstract)
        {
            writer.WriteBoolean("abstract"u8, true);
        }

        if (concept.IsInactive)
        {
            writer.WriteBoolean("inactive"u8, true);
        }

        WriteText(writer, "version", concept.Version);
        writer.WriteString("code"u8, concept.Code);
        WriteText(writer, "display", display.Display);
        if (_designations)
        {
            WriteDesignations(writer, display);
        }

        if (children is not null)
        {
            writer.WriteStartArray("contains"u8);
            children();
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private void WriteExtensions(Utf8JsonWriter writer, ExpandedConcept concept)
    {
        var passed = new Dictionary<string, ResourceNode>(StringComparer.Ordinal);
        Collect(passed, concept.Listed, [.. FromValueSet, .. FromAnywhere]);
        foreach (var node in Nodes(concept))
        {
            Collect(passed, node, FromAnywhere);
        }

        var properties = Properties(concept);
        if (passed.Count == 0 && properties.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("extension"u8);
        foreach (var extension in passed.Values)
        {
            extension.WriteTo(writer);
        }

        foreach (var (code, type, value) in properties)
        {
            writer.WriteStartObject();
            writer.WriteString("url"u8, Extensions.ContainsProperty);
            writer.WriteStartArray("extension"u8);
            AnswerWriter.WriteExtension(writer, "code", "valueCode", code);
            writer.WriteStartObject();
            writer.WriteString("url"u8, "value"u8);
            writer.WritePropertyName(type);
            writer.WriteRawValue(value, skipInputValidation: true);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteDesignations(Utf8JsonWriter writer, DisplayChoice display)
    {
        var written = display.Others.Where(IsWanted).ToList();
        if (written.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("designation"u8);
        foreach (var designation in written)
        {
            WriteDesignation(writer, designation);
        }

        writer.WriteEndArray();
    }

    private static void WriteDesignation(Utf8JsonWriter writer, Designation designation)
    {
        writer.WriteStartObject();
        var extensions = new Dictionary<string, ResourceNode>(StringComparer.Ordinal);
        Collect(extensions, designation.Node, OnDesignations);
        if (extensions.Count > 0)
        {
            writer.WriteStartArray("extension"u8);
            foreach (var extension in extensions.Values)
            {
                extension.WriteTo(writer);
            }

            writer.WriteEndArray();
        }

        WriteText(writer, "language", designation.Language);
        if (designation.IsDisplay)
        {
            writer.WritePropertyName("use"u8);
            WritePreferred(writer);
        }
        else if (designation.Node["use"u8] is { Exists: true } use)
        {
            writer.WritePropertyName("use"u8);
            use.WriteTo(writer);
        }

        writer.WriteString("value"u8, designation.Text);
        writer.WriteEndObject();
    }

    /// <summary>The use of a display that is shown among designations.</summary>
    public static void WritePreferred(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("system"u8, "http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra"u8);
        writer.WriteString("code"u8, "preferredForLanguage"u8);
        writer.WriteEndObject();
    }

    private bool IsWanted(Designation designation) => _wantedDesignations.Count == 0
        || _wantedDesignations.Contains("urn:ietf:bcp:47|" + designation.Language)
        || (designation.Node.Exists && _wantedDesignations.Contains($"{designation.Node["use"u8]["system"u8].AsString()}|{designation.Node["use"u8]["code"u8].AsString()}"));

    private static IEnumerable<ResourceNode> Nodes(ExpandedConcept concept) =>
        concept is { System: { } system, Concept: { } found } ? system.Nodes(found) : [];

    // Order, label and weight are always told; other properties when asked for.
    private List<(string Code, string Type, string Raw)> Properties(ExpandedConcept concept)
    {
        var properties = new List<(string, string, string)>();
        var nodes = Nodes(concept).Reverse().Prepend(concept.Listed).Where(node => node.Exists).ToList();
        AddFromExtension(properties, "order", "valueDecimal", nodes, Extensions.Order);
        AddFromExtension(properties, "label", "valueString", nodes, Extensions.Label);
        AddFromExtension(properties, "weight", "valueDecimal", nodes, [Extensions.Weight]);
        if (concept.Concept is { } found && (found.Status ?? (found.IsInactive ? "inactive" : null)) is { } status && status != "active")
        {
            properties.Add(("status", "valueCode", Quoted(status)));
        }

        if (_wanted.Contains("definition") && concept.Concept?.Definition is { } definition)
        {
            properties.Add(("definition", "valueString", Quoted(definition)));
        }

        foreach (var node in _wanted.Count == 0 ? [] : Nodes(concept))
        {
            AddWanted(properties, node);
        }

        return properties;
    }

    private void AddWanted(List<(string, string, string)> properties, ResourceNode node)
    {
        foreach (var property in node["property"u8].Items)
        {
            var value = Extensions.Value(property);
            if (property["code"u8].AsString() is { } code && code != "status" && value.Exists && (_wanted.Contains(code) || _wanted.Contains("*")))
            {
                properties.Add((code, value.Name, System.Text.Encoding.UTF8.GetString(value.RawSpan)));
            }
        }
    }

    private static void AddFromExtension(List<(string, string, string)> properties, string code, string type, List<ResourceNode> nodes, string[] urls)
    {
        foreach (var node in nodes)
        {
            foreach (var url in urls)
            {
                if (Extensions.Value(Extensions.Find(node, url)) is { Exists: true } value)
                {
                    properties.Add((code, type, System.Text.Encoding.UTF8.GetString(value.RawSpan)));
                    return;
                }
            }
        }
    }

    private static string? Uri(ExpandedConcept concept, string code) => code switch
    {
        "order" or "label" or "status" or "definition" => CodeSystemContent.ConceptProperties + code,
        "weight" => CodeSystemContent.ConceptProperties + "itemWeight",
        _ => concept.System?.PropertyUri(code),
    };

    // A supplement's extension stands before the code system's own, the value set's before both.
    private static void Collect(Dictionary<string, ResourceNode> passed, ResourceNode element, ReadOnlySpan<string> urls)
    {
        foreach (var url in urls)
        {
            if (Extensions.Find(element, url) is { Exists: true } extension)
            {
                passed.TryAdd(url, extension);
            }
        }
    }

    private static string Quoted(string text) => System.Text.Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(text));

    private static void WriteText(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
