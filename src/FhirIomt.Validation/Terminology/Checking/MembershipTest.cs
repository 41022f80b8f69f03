using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>Decides whether a code with a known system is in a value set, part by part, without listing the set.</summary>
internal sealed class MembershipTest(TerminologyStore store, CheckSettings settings, DisplayCheck displays)
{
    private readonly List<string> _open = [];
    private int _imports;

    /// <summary>Why the value set cannot be used at all.</summary>
    public TxIssue? Refusal { get; private set; }

    /// <summary>Standing of the value sets and code systems looked into.</summary>
    public HashSet<TxIssue> Standing { get; } = [];

    public Finding Test(ValueSetDefinition valueSet, CodeQuery query)
    {
        if (valueSet.Url is not null && _open.Contains(valueSet.Name, StringComparer.Ordinal))
        {
            return Refuse(TxIssues.Circular([.. _open, valueSet.Name]));
        }

        if (_open.Count >= store.Limits.MaxImportDepth || ++_imports > store.Limits.MaxImports)
        {
            return Refuse(TxIssues.TooManyImports(valueSet.Name));
        }

        _open.Add(valueSet.Name);
        NoteStanding("ValueSet", valueSet.Root, valueSet.Url, valueSet.Version, default);
        var finding = valueSet.IsExpansionOnly ? InExpansion(valueSet, query) : InCompose(valueSet, query);
        _open.RemoveAt(_open.Count - 1);
        return finding with { ValueSet = finding.ValueSet ?? valueSet };
    }

    private Finding InCompose(ValueSetDefinition valueSet, CodeQuery query)
    {
        foreach (var exclude in valueSet.Excludes)
        {
            if (IsExcluded(valueSet, exclude, query))
            {
                return new Finding(Membership.Out);
            }
        }

        var findings = new List<Finding>();
        foreach (var include in valueSet.Includes.Where(include => include.System is null || include.System == query.System))
        {
            findings.Add(include.System is null ? InAll(valueSet, include, query, new Finding(Membership.In)) : InSystem(valueSet, include, query));
        }

        return Best(findings, query);
    }

    private bool IsExcluded(ValueSetDefinition valueSet, ValueSetInclude exclude, CodeQuery query)
    {
        if (exclude.System is not null && exclude.System != query.System)
        {
            return false;
        }

        // Where versions count as one, what is excluded in one version is excluded in all.
        var asked = exclude.System is null || valueSet.KeepsVersionsApart(exclude.System, settings.VersionsMatch) ? query : query with { Version = null };
        var found = exclude.System is null ? InAll(valueSet, exclude, asked, new Finding(Membership.In)) : InSystem(valueSet, exclude, asked);
        return found is { Membership: Membership.In, VersionDiffers: false }
            && (exclude.System is null || query.Version is not null || exclude.Version is null || !valueSet.KeepsVersionsApart(exclude.System, settings.VersionsMatch));
    }

    // Of several versions the newest speaks, unless an older one alone has the code with the display given.
    private Finding Best(List<Finding> findings, CodeQuery query)
    {
        var fitting = findings.Where(finding => !finding.VersionDiffers).ToList();
        var candidates = (fitting.Count > 0 ? fitting : findings).OrderByDescending(finding => finding.Content?.Version, DefinitionVersion.Order).ToList();
        var inside = candidates.Where(finding => finding.Membership == Membership.In).ToList();
        return inside.Find(finding => displays.Accepts(finding, query))
            ?? inside.FirstOrDefault()
            ?? candidates.Find(finding => finding.Membership == Membership.Unknown)
            ?? candidates.Find(finding => finding.Concept is not null)
            ?? candidates.FirstOrDefault()
            ?? new Finding(Membership.Out);
    }

    private Finding InSystem(ValueSetDefinition valueSet, ValueSetInclude part, CodeQuery query)
    {
        var resolved = new VersionResolution(store, settings.Versions).Resolve(part.System!, part.Version, query);
        if (resolved.Content is not { } content)
        {
            return WithoutContent(part, query, resolved);
        }

        NoteStanding("CodeSystem", content.Root, content.Url, content.Version, valueSet.Root);
        var finding = new Finding(Membership.Out) { Content = content, Concept = content.Find(query.Code), Issues = resolved.Issues, Missing = resolved.Missing, VersionDiffers = resolved.Differs };
        if (finding.Concept is not { } concept)
        {
            return content.IsFragment && part.Concepts is null && !part.Filters.Exists
                ? finding with { Membership = Membership.In, Issues = [.. resolved.Issues, TxIssues.UnknownCodeInFragment(query.Code, content.Url, content.Version, query.PathOf("code"))] }
                : finding;
        }

        if (IncludeTest.Compile(content, part, store.Limits, out var refusal) is not { } test)
        {
            return Refuse(refusal!);
        }

        if (!test.Contains(concept, out var listed))
        {
            return finding;
        }

        finding = InAll(valueSet, part, query, finding with { Membership = Membership.In, Listed = listed });
        return finding.Membership == Membership.In ? Allowed(valueSet, query, finding, concept) : finding;
    }

    private Finding Allowed(ValueSetDefinition valueSet, CodeQuery query, Finding finding, Concept concept)
    {
        if (concept.IsAbstract && !settings.AbstractAllowed)
        {
            return finding with { Membership = Membership.Out, Issues = [.. finding.Issues, TxIssues.AbstractCode(query.System!, query.Code, query.PathOf("code"))] };
        }

        return concept.IsInactive && (settings.ActiveOnly || valueSet.RefusesInactive)
            ? finding with { Membership = Membership.Out, Issues = [.. finding.Issues, TxIssues.NotActive(query.Code, query.PathOf("code"))] }
            : finding;
    }

    private Finding WithoutContent(ValueSetInclude part, CodeQuery query, ResolvedVersion resolved)
    {
        var form = store.External.FormOf(part.System!, query.Code);
        if (resolved.NothingKnown && !part.Filters.Exists && part.ValueSets.Count == 0)
        {
            // Listed codes speak for themselves, and a grammar decides alone.
            if (part.Concepts is not null)
            {
                return part.Concepts.TryGetValue(query.Code, out var listed) ? new Finding(Membership.In) { Listed = listed } : new Finding(Membership.Out);
            }

            if (form is CodeForm.Valid)
            {
                return new Finding(Membership.In);
            }
        }

        return form is CodeForm.Malformed
            ? new Finding(Membership.Out)
            : new Finding(Membership.Unknown) { Issues = resolved.Issues, Missing = resolved.Missing, VersionDiffers = false };
    }

    // A concept must be in every value set that a part names.
    private Finding InAll(ValueSetDefinition valueSet, ValueSetInclude part, CodeQuery query, Finding found)
    {
        foreach (var reference in part.ValueSets)
        {
            var canonical = settings.Versions.Pin(Canonical.Parse(reference), out _);
            var imported = reference.StartsWith('#') ? valueSet.Contained(reference[1..]) : store.ValueSet(canonical, valueSet.Source);
            if (imported is null)
            {
                return new Finding(Membership.Unknown) { Issues = [TxIssues.UnknownValueSet(canonical.ToString())] };
            }

            var inner = Test(imported, query);
            if (inner.Membership != Membership.In)
            {
                return inner with { Content = found.Content ?? inner.Content, Concept = found.Concept ?? inner.Concept };
            }

            found = inner with { Content = found.Content ?? inner.Content, Concept = found.Concept ?? inner.Concept, Listed = found.Listed.Exists ? found.Listed : inner.Listed, Issues = [.. found.Issues.Union(inner.Issues)] };
        }

        return part.ValueSets.Count == 0 && part.System is null ? new Finding(Membership.Out) : found;
    }

    private static Finding InExpansion(ValueSetDefinition valueSet, CodeQuery query)
    {
        var listed = InContains(valueSet.Root["expansion"u8]["contains"u8], query);
        return new Finding(listed.Exists ? Membership.In : Membership.Out) { Listed = listed };
    }

    private static ResourceNode InContains(ResourceNode contains, CodeQuery query)
    {
        foreach (var entry in contains.Items)
        {
            if (entry["code"u8].AsString() == query.Code && entry["system"u8].AsString() == query.System && !entry["abstract"u8].IsTrue())
            {
                return entry;
            }

            if (InContains(entry["contains"u8], query) is { Exists: true } below)
            {
                return below;
            }
        }

        return default;
    }

    private void NoteStanding(string kind, ResourceNode resource, string? url, string? version, ResourceNode user)
    {
        if (url is not null && CanonicalStatus.Of(resource, user) is { } status)
        {
            Standing.Add(TxIssues.StatusOf(status, kind, new Canonical(url, version)));
        }
    }

    private Finding Refuse(TxIssue refusal)
    {
        Refusal ??= refusal;
        return new Finding(Membership.Unknown);
    }
}
