using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>Which text stands as display for a reader's languages, and which are left as designations.</summary>
internal sealed record DisplayChoice(string? Display, Designation? Chosen, IReadOnlyList<Designation> All)
{
    /// <summary>All texts of a concept: those of the code system and its supplements, then those that the value set adds.</summary>
    public static List<Designation> Texts(ExpandedConcept concept, string? valueSetLanguage)
    {
        var all = concept.System is { } system && concept.Concept is { } found ? system.Designations(found) : [];
        if (concept.Listed["display"u8].AsString()?.Trim() is { } own)
        {
            all.RemoveAll(text => text.IsDisplay);
            all.Insert(0, new Designation(concept.System?.Content.Language ?? valueSetLanguage, own, default, null));
        }

        SupplementedSystem.AddDesignations(all, concept.Listed, source: null);
        return all;
    }

    public static DisplayChoice Of(List<Designation> texts, LanguageRanges? languages)
    {
        Designation? main = texts.Exists(text => text.IsDisplay) ? texts.Find(text => text.IsDisplay) : null;
        if (languages is null || languages.IsEmpty)
        {
            return new DisplayChoice(main?.Text, main, texts);
        }

        foreach (var wanted in languages.Tags)
        {
            if (InLanguage(texts, wanted) is { } fitting)
            {
                return new DisplayChoice(fitting.Text, fitting, texts);
            }
        }

        var fallback = languages.RefusesOthers && main?.Language is not null ? null : main;
        return new DisplayChoice(fallback?.Text, fallback, texts);
    }

    /// <summary>The texts that are not the display.</summary>
    public IEnumerable<Designation> Others => All.Where(text => Chosen is null || !text.Equals(Chosen.Value));

    private static Designation? InLanguage(List<Designation> texts, string wanted)
    {
        var fitting = texts.Where(text => text.MayDisplay && !text.IsOutdated && LanguageRanges.Serves(text.Language, wanted)).ToList();
        return fitting.Count == 0 ? null
            : fitting.Exists(text => string.Equals(text.Language, wanted, StringComparison.OrdinalIgnoreCase)) ? fitting.Find(text => string.Equals(text.Language, wanted, StringComparison.OrdinalIgnoreCase))
            : fitting[0];
    }
}
