using System.Collections.Frozen;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology;

/// <summary>A value set compiled for lookups: its codes by system, and what can only be asked of a grammar or not at all. Immutable.</summary>
internal sealed class CompiledValueSet
{
    private readonly FrozenDictionary<string, FrozenSet<string>> _systems;

    private readonly bool _isClosed;

    private CompiledValueSet(CodeSet? listed, FrozenDictionary<string, FrozenSet<string>> systems, bool isClosed)
    {
        Listed = isClosed ? listed : null;
        _systems = systems;
        _isClosed = isClosed;
    }

    /// <summary>The set as a list; null when it cannot be listed in full.</summary>
    public CodeSet? Listed { get; }

    /// <summary>Lists the set; one that cannot be listed (filters on content that is not here, whole grammars) is kept as such, and codes are checked singly.</summary>
    public static CompiledValueSet Compile(TerminologyStore store, ValueSetDefinition valueSet)
    {
        var expander = new ValueSetExpander(store, new ExpansionRequest());
        if (expander.Expand(valueSet) is not { } concepts)
        {
            return new CompiledValueSet(null, FrozenDictionary<string, FrozenSet<string>>.Empty, isClosed: false);
        }

        var systems = concepts.Values.GroupBy(concept => concept.SystemUrl, StringComparer.Ordinal).ToDictionary(
            group => group.Key,
            group => group.Select(concept => concept.Code).ToFrozenSet(IsCaseSensitive(group) ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase),
            StringComparer.Ordinal);
        var listed = CodeSet.Of(valueSet.Url ?? "", systems.Select(system => new KeyValuePair<string, IReadOnlyCollection<string>>(system.Key, system.Value)));
        return new CompiledValueSet(listed, systems.ToFrozenDictionary(StringComparer.Ordinal), isClosed: expander.Sources.Fragments.Count == 0);
    }

    /// <summary>Null when the list does not say: the set cannot be listed, or part of it comes from a fragment of a code system.</summary>
    public bool? Contains(ReadOnlySpan<char> system, ReadOnlySpan<char> code)
    {
        var found = _systems.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(system, out var codes) && codes.GetAlternateLookup<ReadOnlySpan<char>>().Contains(code);
        return found ? true : _isClosed ? false : null;
    }

    private static bool IsCaseSensitive(IEnumerable<ExpandedConcept> concepts) => concepts.First().System?.Content.CaseSensitive ?? true;
}
