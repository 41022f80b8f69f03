using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>Reads the concepts of a code system: hierarchy by nesting, and by properties that name a parent or a child.</summary>
internal sealed class ConceptReader(CodeSystemContent system, Dictionary<string, Concept> byCode)
{
    private readonly List<Concept> _concepts = [];
    private readonly List<(Concept Concept, string Code, bool IsParent)> _links = [];

    public IReadOnlyList<Concept> Read(ResourceNode concepts)
    {
        AddAll(concepts, parent: null);
        foreach (var (concept, code, isParent) in _links)
        {
            if (byCode.TryGetValue(code, out var other) && other != concept)
            {
                (isParent ? concept : other).AddParent(isParent ? other : concept);
            }
        }

        return _concepts;
    }

    // Depth is bounded by the JSON reader's own limit.
    private void AddAll(ResourceNode concepts, Concept? parent)
    {
        foreach (var node in concepts.Items)
        {
            if (node["code"u8].AsString() is not { } code)
            {
                continue;
            }

            var concept = new Concept(_concepts.Count, code, node);
            _concepts.Add(concept);
            byCode.TryAdd(code, concept);
            if (parent is not null)
            {
                concept.AddParent(parent);
            }

            ReadProperties(concept);
            AddAll(node["concept"u8], concept);
        }
    }

    private void ReadProperties(Concept concept)
    {
        concept.Status = Extensions.Text(concept.Node, Extensions.StandardsStatus);
        foreach (var property in concept.Node["property"u8].Items)
        {
            var value = Extensions.Value(property);
            if (property["code"u8].AsString() is { } code && value.Exists)
            {
                ReadProperty(concept, code, value);
            }
        }

        concept.IsInactive |= concept.Status is "retired" or "inactive";
    }

    private void ReadProperty(Concept concept, string code, ResourceNode value)
    {
        var means = system.Properties;
        if (means.Means(code, "notSelectable"))
        {
            concept.IsAbstract |= value.AsText() == "true";
        }
        else if (means.Means(code, "inactive"))
        {
            concept.IsInactive |= value.AsText() == "true";
        }
        else if (means.Means(code, "status"))
        {
            concept.Status = value.AsText() ?? concept.Status;
        }
        else if (means.Means(code, "parent") || code == "subsumedBy")
        {
            Link(concept, value, isParent: true);
        }
        else if (means.Means(code, "child"))
        {
            Link(concept, value, isParent: false);
        }
    }

    private void Link(Concept concept, ResourceNode value, bool isParent)
    {
        if ((value.IsObject ? value["code"u8] : value).AsText() is { } other)
        {
            _links.Add((concept, other, isParent));
        }
    }
}
