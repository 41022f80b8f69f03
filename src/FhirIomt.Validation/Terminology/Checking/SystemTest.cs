using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.Checking;

/// <summary>Checks a code against its code system alone.</summary>
internal sealed class SystemTest(TerminologyStore store, CheckSettings settings)
{
    public Finding Test(CodeQuery query)
    {
        var system = query.System!;
        var issues = new List<TxIssue>();
        if (store.Supplement(new(system, query.Version)) is { } supplement && store.CodeSystem(system, null) is null)
        {
            return new Finding(Membership.Out) { Issues = [TxIssues.SystemIsSupplement(supplement.Canonical, query.PathOf("system"))] };
        }

        if (store.CodeSystem(system, null) is null && store.IsValueSet(system))
        {
            return new Finding(Membership.Out) { Issues = [TxIssues.SystemIsValueSet(system, query.PathOf("system"))] };
        }

        if (!system.Contains(':', StringComparison.Ordinal))
        {
            issues.Add(TxIssues.RelativeSystem(query.PathOf("system")));
        }

        var resolved = new VersionResolution(store, settings.Versions).Resolve(system, null, query);
        return resolved.Content is { } content
            ? Found(query, content, resolved)
            : WithoutContent(query, resolved, issues);
    }

    private Finding WithoutContent(CodeQuery query, ResolvedVersion resolved, List<TxIssue> issues) => store.External.FormOf(query.System!, query.Code) switch
    {
        CodeForm.Valid => new Finding(Membership.In),
        CodeForm.Malformed => new Finding(Membership.Out) { Issues = [TxIssues.UnknownCode(query.Code, query.System!, null, query.PathOf("code"))] },
        _ => new Finding(Membership.Unknown) { Issues = [.. issues, .. resolved.Issues], Missing = resolved.Missing },
    };

    private Finding Found(CodeQuery query, CodeSystemContent content, ResolvedVersion resolved)
    {
        var finding = new Finding(Membership.Out) { Content = content, Concept = content.Find(query.Code), Issues = resolved.Issues, Missing = resolved.Missing };
        if (finding.Concept is not { } concept)
        {
            return content.IsFragment
                ? finding with { Membership = Membership.In, Issues = [.. resolved.Issues, TxIssues.UnknownCodeInFragment(query.Code, content.Url, content.Version, query.PathOf("code"))] }
                : finding;
        }

        return concept.IsAbstract && !settings.AbstractAllowed
            ? finding with { Issues = [.. resolved.Issues, TxIssues.AbstractCode(content.Url, query.Code, query.PathOf("code"))] }
            : finding with { Membership = Membership.In };
    }
}
