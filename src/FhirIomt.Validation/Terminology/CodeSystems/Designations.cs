using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>A code system together with the supplements in use: all texts and extra elements of a concept.</summary>
internal sealed class SupplementedSystem(CodeSystemContent content, IReadOnlyList<CodeSystemContent> supplements)
{
    public CodeSystemContent Content { get; } = content;

    public IReadOnlyList<CodeSystemContent> Supplements { get; } = supplements;

    /// <summary>The display first, then designations in the order given, then those of supplements.</summary>
    public List<Designation> Designations(Concept concept)
    {
        var all = new List<Designation>();
        if (concept.Display is { } display)
        {
            all.Add(new Designation(Content.Language, display, default, null));
        }

        AddDesignations(all, concept.Node, source: null);
        foreach (var supplement in Supplements)
        {
            if (supplement.Find(concept.Code) is { } added)
            {
                AddDesignations(all, added.Node, supplement.Canonical.ToString());
            }
        }

        return all;
    }

    /// <summary>The elements that describe a concept: its own, then those of supplements.</summary>
    public IEnumerable<ResourceNode> Nodes(Concept concept) =>
        Supplements.Select(supplement => supplement.Find(concept.Code)).OfType<Concept>().Select(added => added.Node).Prepend(concept.Node);

    public string? PropertyUri(string code) =>
        Content.Properties.Uri(code) ?? Supplements.Select(supplement => supplement.Properties.Uri(code)).FirstOrDefault(uri => uri is not null);

    public static void AddDesignations(List<Designation> all, ResourceNode concept, string? source)
    {
        foreach (var designation in concept["designation"u8].Items)
        {
            if (designation["value"u8].AsString() is { } value)
            {
                all.Add(new Designation(designation["language"u8].AsString(), value, designation, source));
            }
        }
    }
}
