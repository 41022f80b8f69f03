using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Reads one <c>name=value</c>: a parameter with a modifier, a chain (R4 §3.1.1.4.13), <c>_has</c> (§3.1.1.4.14), or one of the special parameters.</summary>
internal sealed class CriterionReader(IndexPolicy policy, CriterionParser values)
{
    public Outcome<SearchCriterion> Read(string resourceType, string name, string value, CriterionBudget budget, int steps = 0)
    {
        if (steps > SearchLimits.MaxChainSteps)
        {
            return SearchIssues.TooMany("steps in a chain", SearchLimits.MaxChainSteps);
        }

        if (!budget.TryTake())
        {
            return SearchIssues.TooMany("criteria, with chains spread over their target types", SearchLimits.MaxCriteria);
        }

        switch (name)
        {
            case "_list":
                return Lists(value);
            case "_text" or "_content":
                return value.Any(char.IsLetterOrDigit) ? new SearchCriterion.FullText(name == "_text", value) : SearchIssues.BadValue(name, value, "words to look for");
        }

        if (name.StartsWith("_has:", StringComparison.Ordinal))
        {
            return Has(resourceType, name, value, budget, steps);
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var (code, modifier) = SplitModifier(dot < 0 ? name : name[..dot]);
        if (policy.Find(resourceType, code) is not { } parameter)
        {
            return SearchIssues.UnknownParameter(resourceType, code);
        }

        if (dot >= 0)
        {
            return Chain(parameter, modifier, type => Read(type, name[(dot + 1)..], value, budget, steps + 1));
        }

        return policy.WhyNot(parameter) is { } refusal ? refusal : values.Parse(parameter, modifier, value);
    }

    /// <summary>A step to the targets of a reference. Without a type it spreads over every target that knows what follows.</summary>
    public Outcome<SearchCriterion> Chain(SearchParameter parameter, string? targetType, Func<string, Outcome<SearchCriterion>> inner)
    {
        if (parameter.Type != SearchParameterType.Reference || (targetType is not null && !(ReferenceValues.IsTarget(parameter, targetType) && policy.Definitions.IsResourceType(targetType))))
        {
            return SearchIssues.BadChain(parameter.Code, targetType);
        }

        if (policy.WhyNot(parameter) is { } refusal)
        {
            return refusal;
        }

        if (ParameterElements.AreCanonicals(parameter, policy.Definitions))
        {
            return SearchIssues.NotAlongCanonicals(parameter.Code);
        }

        var targets = (targetType ?? ReferenceValues.SingleTarget(parameter)) is { } only ? [only] : parameter.Targets;
        if (targetType is null && (ReferenceValues.AllowsAny(parameter) || targets.Count > SearchLimits.MaxChainTargets))
        {
            return SearchIssues.ChainNeedsType(parameter.Code);
        }

        return Spread(parameter, targets, inner);
    }

    private static Outcome<SearchCriterion> Spread(SearchParameter parameter, IReadOnlyList<string> targets, Func<string, Outcome<SearchCriterion>> inner)
    {
        var chains = new List<SearchCriterion>();
        Outcome<SearchCriterion>? refused = null;
        foreach (var target in targets)
        {
            var outcome = inner(target);
            if (outcome.TryGetValue(out var criterion, out var issues))
            {
                chains.Add(new SearchCriterion.Chain(parameter, target, criterion));
            }
            else if (issues is not [{ Code: "IOMT-0700" }])
            {
                // What the value is wrong for, and limits, are said; a target that has no such parameter is only left out.
                return outcome;
            }
            else
            {
                refused ??= outcome;
            }
        }

        return chains switch
        {
            [] => refused ?? SearchIssues.BadChain(parameter.Code, null),
            [var only] => only,
            _ => new SearchCriterion.Or(chains),
        };
    }

    // _has:Observation:subject:code=8867-4; what stands after the third colon may be another _has or a chain.
    private Outcome<SearchCriterion> Has(string resourceType, string name, string value, CriterionBudget budget, int steps)
    {
        if (name.Split(':', 4) is not [_, var source, var code, { Length: > 0 } inner] || !policy.Definitions.IsResourceType(source))
        {
            return SearchIssues.BadHas(name);
        }

        if (policy.Find(source, code) is not { } reference)
        {
            return SearchIssues.UnknownParameter(source, code);
        }

        if (!ReferenceValues.IsTarget(reference, resourceType) || reference.Type != SearchParameterType.Reference)
        {
            return SearchIssues.BadHas(name);
        }

        if (policy.WhyNot(reference) is { } refusal)
        {
            return refusal;
        }

        if (ParameterElements.AreCanonicals(reference, policy.Definitions))
        {
            return SearchIssues.NotAlongCanonicals(reference.Code);
        }

        var outcome = Read(source, inner, value, budget, steps + 1);
        return outcome.TryGetValue(out var criterion, out _) ? new SearchCriterion.Has(source, reference, criterion) : outcome;
    }

    private static Outcome<SearchCriterion> Lists(string value)
    {
        var ids = ValueText.Split(value, ',');
        return ids.Count > SearchLimits.MaxAlternatives ? SearchIssues.TooMany("alternatives in '_list'", SearchLimits.MaxAlternatives)
            : ids.Exists(string.IsNullOrEmpty) || ids.Exists(id => id[0] == '$') ? SearchIssues.BadValue("_list", value, "the id of a List; functional lists such as $current-problems are not kept here")
            : new SearchCriterion.InList([.. ids.Select(id => id.StartsWith("List/", StringComparison.Ordinal) ? id[5..] : id)]);
    }

    private static (string Code, string? Modifier) SplitModifier(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (name, null) : (name[..colon], name[(colon + 1)..]);
    }
}

/// <summary>How many criteria one search may still grow to.</summary>
internal sealed class CriterionBudget
{
    private int _left = SearchLimits.MaxCriteria;

    public bool TryTake() => --_left >= 0;
}
