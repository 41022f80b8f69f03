using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>What a check found about one code.</summary>
internal sealed record CheckedCode(CodeQuery Query, Finding Finding)
{
    /// <summary>The display to show.</summary>
    public string? Display { get; init; }

    public Concept? Concept => Finding.Concept;

    public string? Version => Finding.Content?.Version;
}

/// <summary>Checks codes against a value set, or against their code system alone, and collects the findings. One use per request.</summary>
internal sealed class CodeChecker
{
    private readonly TerminologyStore _store;
    private readonly CheckSettings _settings;
    private readonly Dictionary<string, List<CodeSystemContent>> _supplements = new(StringComparer.Ordinal);
    private readonly DisplayCheck _displays;
    private readonly MembershipTest _membership;
    private readonly List<TxIssue> _issues = [];
    private TxIssue? _missingImport;

    public CodeChecker(TerminologyStore store, CheckSettings settings)
    {
        _store = store;
        _settings = settings;
        _displays = new DisplayCheck(settings, _supplements);
        _membership = new MembershipTest(store, settings, _displays);
    }

    public IReadOnlyList<TxIssue> Issues => _issues;

    /// <summary>Why nothing could be checked at all.</summary>
    public TxIssue? Refusal { get; private set; }

    /// <summary>Code systems of the codes that are not known.</summary>
    public HashSet<string> UnknownSystems { get; } = new(StringComparer.Ordinal);

    /// <summary>Code systems that the value set needs, and that are not known (in that version).</summary>
    public HashSet<Canonical> MissingSystems { get; } = [];

    /// <summary>Makes the supplements of the request and of the value set ready; false with the reason in <see cref="Refusal"/>.</summary>
    public bool UseSupplements(ValueSetDefinition? valueSet)
    {
        foreach (var canonical in _settings.Supplements.Concat(valueSet?.Supplements.Select(Canonical.Parse) ?? []))
        {
            if (_store.Supplement(canonical) is not { Supplements: { } target } supplement)
            {
                Refusal = TxIssues.MissingSupplement(canonical.ToString());
                return false;
            }

            (_supplements.TryGetValue(target.Url, out var list) ? list : _supplements[target.Url] = []).Add(supplement);
        }

        return true;
    }

    /// <summary>Checks one code.</summary>
    /// <param name="valueSet">Null to ask its code system only.</param>
    /// <param name="query">The code.</param>
    /// <param name="isOneOfMany">Whether it is a coding of a CodeableConcept: then not being in the set is no error of its own.</param>
    public CheckedCode Check(ValueSetDefinition? valueSet, CodeQuery query, bool isOneOfMany)
    {
        if (query.System is null && !(_settings.InferSystem && valueSet is not null))
        {
            Add(TxIssues.NoSystem(query.Path));
            return Outside(valueSet, query, new Finding(Membership.Out), isOneOfMany);
        }

        if (query.System is null)
        {
            if (Infer(valueSet!, query) is not { } system)
            {
                return Outside(valueSet, query, new Finding(Membership.Out), isOneOfMany);
            }

            query = query with { System = system };
        }

        var finding = valueSet is null ? new SystemTest(_store, _settings).Test(query) : _membership.Test(valueSet, query);
        Refusal ??= _membership.Refusal;
        _membership.Standing.ToList().ForEach(Add);
        foreach (var issue in finding.Issues)
        {
            Add(issue);
        }

        if (finding.Missing is { } missing)
        {
            MissingSystems.Add(missing);
        }

        return finding.Membership switch
        {
            Membership.In => Inside(query, finding),
            Membership.Unknown => new CheckedCode(query, finding),
            _ => Outside(valueSet, query, finding, isOneOfMany),
        };
    }

    public void Add(TxIssue issue)
    {
        if (_issues.Count < _store.Limits.MaxIssues && !_issues.Contains(issue))
        {
            _issues.Add(issue);
        }
    }

    private CheckedCode Inside(CodeQuery query, Finding finding)
    {
        AddComments(query, finding);
        return Shown(query, finding);
    }

    private CheckedCode Outside(ValueSetDefinition? valueSet, CodeQuery query, Finding finding, bool isOneOfMany)
    {
        if (valueSet is not null)
        {
            Add(isOneOfMany ? TxIssues.ThisNotInValueSet(query.ToString(), valueSet.Name, query.PathOf("code")) : TxIssues.NotInValueSet(query.ToString(), valueSet.Name, query.PathOf("code")));
        }

        if (query.System is null)
        {
            return new CheckedCode(query, finding);
        }

        if (finding.Content is null)
        {
            finding = Lookup(query, finding);
        }

        if (finding is { Content: { } content, Concept: null } && !_settings.MembershipOnly)
        {
            Add(TxIssues.UnknownCode(query.Code, content.Url, content.Version, query.PathOf("code")));
        }

        if (finding.Concept is { IsInactive: true } inactive && finding.Issues.Any(issue => issue.MessageId == "STATUS_CODE_WARNING_CODE"))
        {
            Add(TxIssues.InactiveConcept(query.Code, inactive.Status, query.Path));
        }

        return Shown(query, finding);
    }

    // The code is not in the set: say what is wrong with its system, if anything.
    private Finding Lookup(CodeQuery query, Finding finding)
    {
        var system = query.System!;
        var found = new SystemTest(_store, _settings).Test(query);
        if (_settings.MembershipOnly)
        {
            return finding with { Content = found.Content, Concept = found.Concept };
        }

        foreach (var issue in found.Issues.Where(issue => found.Content is null || issue.Severity >= IssueSeverity.Error))
        {
            Add(issue);
        }

        if (found is { Content: null, Missing: not null })
        {
            UnknownSystems.Add(system);
        }

        return finding with { Content = found.Content, Concept = found.Concept };
    }

    private CheckedCode Shown(CodeQuery query, Finding finding)
    {
        var hasTexts = finding.Concept is not null || finding.Listed.Exists;
        if (hasTexts && !_settings.MembershipOnly && _displays.Check(finding, query) is { } wrong)
        {
            Add(wrong);
        }

        return new CheckedCode(query, finding) { Display = hasTexts ? _displays.Shown(finding) : null };
    }

    private void AddComments(CodeQuery query, Finding finding)
    {
        if (finding.Concept is { } concept)
        {
            if (concept.Code != query.Code)
            {
                Add(TxIssues.CaseDiffers(query.Code, concept.Code, finding.Content!.Canonical, query.PathOf("code")));
            }

            if (concept.IsInactive)
            {
                Add(TxIssues.InactiveConcept(query.Code, concept.Status, query.Path));
            }
            else if (concept.Status == "deprecated")
            {
                Add(TxIssues.DeprecatedConcept(query.Code, query.PathOf("code")));
            }
        }

        if (Extensions.Text(finding.Listed, Extensions.ValueSetDeprecated) == "true" || Extensions.Text(finding.Listed, Extensions.StandardsStatus) is "deprecated" or "withdrawn")
        {
            Add(TxIssues.DeprecatedHere(query.Code, query.System!, finding.ValueSet!.Name, query.PathOf("code")));
        }
    }

    private string? Infer(ValueSetDefinition valueSet, CodeQuery query)
    {
        var considered = SystemsOf(valueSet, new HashSet<string>(StringComparer.Ordinal)).Distinct(StringComparer.Ordinal).ToList();
        var memberships = considered.ToLookup(system => new MembershipTest(_store, _settings, _displays).Test(valueSet, query with { System = system }).Membership);
        var systems = memberships[Membership.In].ToList();
        if (systems.Count == 1 || (systems.Count > 1 && _settings.AnySystem))
        {
            return systems[0];
        }

        // With a system whose content is not here the code may be right: that is then said of it.
        if (systems.Count == 0 && _settings.AnySystem && memberships[Membership.Unknown].FirstOrDefault(system => _store.External.FormOf(system, query.Code) != CodeForm.Malformed) is { } unknown)
        {
            return unknown;
        }

        Refusal ??= systems.Count == 0 && _settings.AnySystem ? _missingImport : null;
        Add(systems.Count == 0 ? TxIssues.CannotInfer(query.Code, valueSet.Name, considered, query.PathOf("code")) : TxIssues.ManySystems(query.Code, valueSet.Name, systems, query.PathOf("code")));
        return null;
    }

    private List<string> SystemsOf(ValueSetDefinition valueSet, HashSet<string> seen)
    {
        var systems = new List<string>();
        if (seen.Count >= _store.Limits.MaxImports || (!seen.Add(valueSet.Name) && valueSet.Url is not null))
        {
            return systems;
        }

        foreach (var include in valueSet.Includes)
        {
            if (include.System is { } system)
            {
                systems.Add(system);
            }

            foreach (var reference in include.ValueSets)
            {
                var imported = reference.StartsWith('#') ? valueSet.Contained(reference[1..]) : _store.ValueSet(_settings.Versions.Pin(Canonical.Parse(reference), out _), valueSet.Source);
                _missingImport ??= imported is null ? TxIssues.UnknownValueSet(reference) : null;
                systems.AddRange(imported is null ? [] : SystemsOf(imported, seen));
            }
        }

        return systems;
    }
}
