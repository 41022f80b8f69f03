using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>Lists the concepts of a value set (FHIR R4 §4.9.7). One use per request; after a null the reason is in <see cref="Refusal"/>.</summary>
internal sealed class ValueSetExpander(TerminologyStore store, ExpansionRequest request)
{
    private readonly List<string> _open = [];
    private readonly Dictionary<string, List<CodeSystemContent>> _supplements = new(StringComparer.Ordinal);
    private readonly Dictionary<(ValueSetDefinition ValueSet, string System), bool> _versionsApart = [];
    private int _imports;
    private int _members;

    public TxIssue? Refusal { get; private set; }

    public ExpansionSources Sources { get; } = new();

    /// <summary>The concepts in order, without text filter and paging.</summary>
    public OrderedDictionary<ConceptKey, ExpandedConcept>? Expand(ValueSetDefinition valueSet)
    {
        if (_open.Contains(valueSet.Name, StringComparer.Ordinal) && valueSet.Url is not null)
        {
            return Refuse(TxIssues.Circular([.. _open, valueSet.Name]));
        }

        if (_open.Count >= store.Limits.MaxImportDepth || ++_imports > store.Limits.MaxImports)
        {
            return Refuse(TxIssues.TooManyImports(valueSet.Name));
        }

        if (!AddSupplements(valueSet.Supplements) || (_open.Count == 0 && !AddSupplements(request.Supplements.Select(canonical => canonical.ToString()))))
        {
            return null;
        }

        _open.Add(valueSet.Name);
        NoteStatus(valueSet);
        var concepts = valueSet.IsExpansionOnly ? FromExpansion(valueSet) : Compose(valueSet);
        _open.RemoveAt(_open.Count - 1);
        return concepts;
    }

    private OrderedDictionary<ConceptKey, ExpandedConcept>? Compose(ValueSetDefinition valueSet)
    {
        var excluded = new HashSet<ConceptKey>();
        foreach (var exclude in valueSet.Excludes)
        {
            if (Members(valueSet, exclude) is not { } members)
            {
                return null;
            }

            excluded.UnionWith(members.Select(member => KeyOf(valueSet, member)));
        }

        var concepts = new OrderedDictionary<ConceptKey, ExpandedConcept>();
        foreach (var include in valueSet.Includes)
        {
            if (Members(valueSet, include) is not { } members)
            {
                return null;
            }

            foreach (var member in members.Where(member => !excluded.Contains(KeyOf(valueSet, member)) && IsWanted(valueSet, member)))
            {
                Add(concepts, KeyOf(valueSet, member), member);
            }
        }

        Sources.MergedVersions |= valueSet.Includes.Any(include => include.System is { } system && valueSet.MixesVersionsOf(system) && !valueSet.KeepsVersionsApart(system, request.VersionsMatch));
        return concepts;
    }

    // The newest version stands for a concept that several versions have.
    private static void Add(OrderedDictionary<ConceptKey, ExpandedConcept> concepts, ConceptKey key, ExpandedConcept member)
    {
        if (!concepts.TryAdd(key, member) && DefinitionVersion.Order.Compare(member.System?.Content.Version, concepts[key].System?.Content.Version) > 0)
        {
            concepts[key] = member;
        }
    }

    private bool IsWanted(ValueSetDefinition valueSet, ExpandedConcept member) =>
        !(member.IsInactive && (request.ActiveOnly || valueSet.RefusesInactive))
        && !(member.IsAbstract && request.ExcludeAbstract)
        && !request.ExcludedSystems.Any(excluded => excluded.Url == member.SystemUrl && (excluded.Version is null || VersionPattern.Fits(member.System?.Content.Version, excluded.Version)));

    private List<ExpandedConcept>? Members(ValueSetDefinition valueSet, ValueSetInclude part)
    {
        List<HashSet<ConceptKey>> required = [];
        List<ExpandedConcept>? imported = null;
        foreach (var reference in part.ValueSets)
        {
            if (Import(valueSet, reference) is not { } concepts)
            {
                return null;
            }

            imported ??= [.. concepts.Values];
            required.Add([.. concepts.Values.Select(PlainKey)]);
        }

        var members = part.System is null ? imported ?? [] : FromSystem(valueSet, part, part.System);
        if (members is not null && part.ValueSets.Count > 0)
        {
            members = [.. members.Where(member => required.TrueForAll(set => set.Contains(PlainKey(member)))).Select(member => member with { MayNest = false })];
        }

        _members += members?.Count ?? 0;
        return _members > store.Limits.MaxMembers ? RefuseMembers(TxIssues.TooCostly(valueSet.Name, store.Limits.MaxMembers)) : members;
    }

    private OrderedDictionary<ConceptKey, ExpandedConcept>? Import(ValueSetDefinition importer, string reference)
    {
        if (reference.StartsWith('#'))
        {
            return importer.Contained(reference[1..]) is { } contained ? Expand(contained) : Refuse(TxIssues.UnknownImport(importer.Name, reference, pinned: false));
        }

        var canonical = request.Versions.Pin(Canonical.Parse(reference), out var pinned);
        if (pinned)
        {
            Sources.Rules.Add(("default-valueset-version", canonical));
        }

        if (store.ValueSet(canonical, importer.Source) is not { } imported)
        {
            return Refuse(TxIssues.UnknownImport(importer.Name, canonical.ToString(), pinned));
        }

        Sources.ValueSets.Add(new Canonical(imported.Url!, imported.Version));
        return Expand(imported);
    }

    private List<ExpandedConcept>? FromSystem(ValueSetDefinition valueSet, ValueSetInclude part, string system)
    {
        var choice = request.Versions.Choose(system, part.Version);
        var content = store.CodeSystem(system, choice.Version);
        if (content is null)
        {
            // Listed codes speak for themselves when their system's content belongs to others.
            return part.Concepts is not null && !part.Filters.Exists && store.KnownVersions(system).Count == 0
                ? [.. part.Concepts.Select(listed => new ExpandedConcept(system, listed.Key, null, null, listed.Value, MayNest: false) { Version = part.Version })]
                : RefuseMembers(TxIssues.UnknownSystemInExpansion(system, choice.Version, store.KnownVersions(system)));
        }

        if (request.Versions.Required(system) is { } required && !VersionPattern.Fits(content.Version, required))
        {
            return RefuseMembers(TxIssues.VersionNotAllowed(system, content.Version, required, path: null));
        }

        Note(valueSet, content, choice);
        if (IncludeTest.Compile(content, part, store.Limits, out var refusal) is not { } test)
        {
            return RefuseMembers(refusal!);
        }

        var supplemented = Supplemented(content);
        var version = valueSet.MixesVersionsOf(system) ? content.Version : null;
        return [.. test.Members().Select(member => new ExpandedConcept(system, member.Concept.Code, supplemented, member.Concept, member.Listed, part.Concepts is null && !(request.Filter is not null && !part.Filters.Exists)) { Version = version })];
    }

    private void Note(ValueSetDefinition valueSet, CodeSystemContent content, VersionChoice choice)
    {
        Sources.CodeSystems.Add(content.Canonical);
        if (content.IsFragment)
        {
            Sources.Fragments.Add(content.Canonical);
        }

        if (RuleName(choice.Origin) is { } rule)
        {
            Sources.Rules.Add((rule, new Canonical(content.Url, choice.Version)));
        }

        if (CanonicalStatus.Of(content.Root, valueSet.Root) is { } status)
        {
            Sources.Warnings.Add(("warning-" + status, content.Canonical));
        }
    }

    private void NoteStatus(ValueSetDefinition valueSet)
    {
        if (valueSet.Url is { } url && CanonicalStatus.Of(valueSet.Root, default) is { } status)
        {
            Sources.Warnings.Add(("warning-" + status, new Canonical(url, valueSet.Version)));
        }
    }

    private static string? RuleName(VersionOrigin origin) => origin switch
    {
        VersionOrigin.Default => "system-version",
        VersionOrigin.Check => "check-system-version",
        VersionOrigin.Force => "force-system-version",
        _ => null,
    };

    private SupplementedSystem Supplemented(CodeSystemContent content)
    {
        var used = _supplements.GetValueOrDefault(content.Url) ?? [];
        foreach (var supplement in used)
        {
            Sources.Supplements.Add(supplement.Canonical);
        }

        return new SupplementedSystem(content, used);
    }

    private bool AddSupplements(IEnumerable<string> canonicals)
    {
        foreach (var text in canonicals)
        {
            if (store.Supplement(Canonical.Parse(text)) is not { Supplements: { } target } supplement)
            {
                Refusal ??= TxIssues.MissingSupplement(text);
                return false;
            }

            var known = _supplements.TryGetValue(target.Url, out var list) ? list : _supplements[target.Url] = [];
            if (!known.Contains(supplement))
            {
                known.Add(supplement);
            }
        }

        return true;
    }

    private static OrderedDictionary<ConceptKey, ExpandedConcept> FromExpansion(ValueSetDefinition valueSet)
    {
        var concepts = new OrderedDictionary<ConceptKey, ExpandedConcept>();
        AddContained(concepts, valueSet.Root["expansion"u8]["contains"u8]);
        return concepts;
    }

    private static void AddContained(OrderedDictionary<ConceptKey, ExpandedConcept> concepts, ResourceNode contains)
    {
        foreach (var entry in contains.Items)
        {
            if (entry["system"u8].AsString() is { } system && entry["code"u8].AsString() is { } code)
            {
                concepts.TryAdd(new ConceptKey(system, null, code), new ExpandedConcept(system, code, null, null, entry, MayNest: false) { Version = entry["version"u8].AsString() });
            }

            AddContained(concepts, entry["contains"u8]);
        }
    }

    private ConceptKey KeyOf(ValueSetDefinition valueSet, ExpandedConcept concept) =>
        new(concept.SystemUrl, KeepsVersionsApart(valueSet, concept.SystemUrl) ? concept.System?.Content.Version : null, concept.Code);

    // Asked for every concept: answered once for each set and system.
    private bool KeepsVersionsApart(ValueSetDefinition valueSet, string system)
    {
        if (!_versionsApart.TryGetValue((valueSet, system), out var apart))
        {
            _versionsApart[(valueSet, system)] = apart = valueSet.KeepsVersionsApart(system, request.VersionsMatch);
        }

        return apart;
    }

    private static ConceptKey PlainKey(ExpandedConcept concept) => new(concept.SystemUrl, null, concept.Code);

    private OrderedDictionary<ConceptKey, ExpandedConcept>? Refuse(TxIssue refusal)
    {
        Refusal ??= refusal;
        return null;
    }

    private List<ExpandedConcept>? RefuseMembers(TxIssue refusal)
    {
        Refusal ??= refusal;
        return null;
    }
}
