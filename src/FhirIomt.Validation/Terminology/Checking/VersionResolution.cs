using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>The content to check a code against, and what is wrong with the versions.</summary>
internal sealed record ResolvedVersion(CodeSystemContent? Content, IReadOnlyList<TxIssue> Issues)
{
    public Canonical? Missing { get; init; }

    public bool Differs { get; init; }

    /// <summary>No version of the system is here.</summary>
    public bool NothingKnown { get; init; }
}

/// <summary>Settles which version of a code system a code is checked against: by the request's rules, the value set, the code itself, or the latest.</summary>
internal sealed class VersionResolution(TerminologyStore store, VersionRules rules)
{
    private readonly List<TxIssue> _issues = [];
    private Canonical? _missing;
    private bool _differs;

    /// <param name="system">The code system.</param>
    /// <param name="included">The version that the value set names.</param>
    /// <param name="query">The code, with the version that it names.</param>
    public ResolvedVersion Resolve(string system, string? included, CodeQuery query)
    {
        var choice = rules.Choose(system, included);
        var wanted = query.Version is { } given ? Reconcile(system, included, choice, given, query) : choice.Version;
        var content = store.CodeSystem(system, wanted);
        if (content is null)
        {
            AddUnknown(system, wanted, query);
        }
        else if (rules.Required(system) is { } required && !VersionPattern.Fits(content.Version, required))
        {
            _issues.Add(TxIssues.VersionNotAllowed(system, content.Version, required, query.PathOf("version")));
        }

        return new ResolvedVersion(content, _issues) { Missing = _missing, Differs = _differs, NothingKnown = content is null && store.CodeSystem(system, null) is null };
    }

    private string? Reconcile(string system, string? included, VersionChoice choice, string given, CodeQuery query)
    {
        var isKnown = store.CodeSystem(system, given) is not null;
        if (choice.Version is not { } wanted)
        {
            if (!isKnown && store.CodeSystem(system, null) is { } latest)
            {
                AddUnknown(system, given, query);
                _issues.Add(TxIssues.VersionMismatchWithDefault(system, latest.Version, given, query.PathOf("version")));
                return null;
            }

            return given;
        }

        if (VersionPattern.Fits(given, wanted))
        {
            return isKnown ? given : wanted;
        }

        _differs = true;
        _issues.Add(choice.Origin == VersionOrigin.ValueSet
            ? TxIssues.VersionMismatch(system, wanted, given, query.PathOf("version"))
            : TxIssues.VersionMismatchAfterRules(system, wanted, included, given, query.PathOf("version")));
        if (!isKnown)
        {
            AddUnknown(system, given, query);
        }

        return wanted;
    }

    private void AddUnknown(string system, string? version, CodeQuery query)
    {
        _missing = new Canonical(system, version);
        _issues.Add(version is null ? TxIssues.UnknownSystem(system, query.PathOf("system")) : TxIssues.UnknownVersion(system, version, store.KnownVersions(system), query.PathOf("system")));
    }
}
