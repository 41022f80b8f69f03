using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>The codes and filters of one include or exclude, compiled against one code system. Imported value sets are not its business.</summary>
internal sealed class IncludeTest
{
    private readonly CodeSystemContent _system;
    private readonly ValueSetInclude _part;
    private readonly List<ConceptFilter> _filters;

    private IncludeTest(CodeSystemContent system, ValueSetInclude part, List<ConceptFilter> filters)
    {
        _system = system;
        _part = part;
        _filters = filters;
    }

    /// <summary>Null with the reason when a filter cannot be used.</summary>
    public static IncludeTest? Compile(CodeSystemContent system, ValueSetInclude part, TerminologyLimits limits, out TxIssue? refusal)
    {
        refusal = null;
        var filters = new List<ConceptFilter>();
        var index = 0;
        foreach (var filter in part.Filters.Items)
        {
            if (ConceptFilter.Compile(system, filter, $"{part.Path}.filter[{index++}]", limits, out refusal) is not { } compiled)
            {
                return null;
            }

            filters.Add(compiled);
        }

        return new IncludeTest(system, part, filters);
    }

    /// <summary>The concepts, each with the value set's own element for it: in the order listed, else in that of the code system. Codes that the system lacks are left out.</summary>
    public IEnumerable<(Concept Concept, ResourceNode Listed)> Members()
    {
        var candidates = _part.Concepts is null
            ? _system.Concepts.Select(concept => (concept, default(ResourceNode)))
            : _part.Concepts.Select(listed => (_system.Find(listed.Key)!, listed.Value)).Where(listed => listed.Item1 is not null);
        return candidates.Where(candidate => _filters.TrueForAll(filter => filter.Matches(candidate.Item1)));
    }

    public bool Contains(Concept concept, out ResourceNode listed)
    {
        listed = default;
        return (_part.Concepts is null || IsListed(concept, out listed)) && _filters.TrueForAll(filter => filter.Matches(concept));
    }

    private bool IsListed(Concept concept, out ResourceNode listed)
    {
        if (_part.Concepts!.TryGetValue(concept.Code, out listed))
        {
            return true;
        }

        if (!_system.CaseSensitive)
        {
            listed = _part.Concepts.FirstOrDefault(entry => string.Equals(entry.Key, concept.Code, StringComparison.OrdinalIgnoreCase)).Value;
        }

        return listed.Exists;
    }
}
