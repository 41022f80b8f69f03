using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>
/// <c>_filter</c> (R4 search_filter): <c>and</c> and <c>or</c> have the same rank and are taken from the left, <c>not</c> wants parentheses, a path may step
/// through references, each with a filter of its own in brackets.
/// </summary>
internal sealed class FilterParser(IndexPolicy policy, CriterionReader reader)
{
    private readonly FilterComparisons _comparisons = new(reader);

    public Outcome<SearchCriterion> Parse(string resourceType, string text, CriterionBudget budget)
    {
        var run = new Run(new FilterLexer(text), budget);
        var outcome = Filter(run, resourceType, depth: 0);
        return outcome.Succeeded && !run.Words.AtEnd ? run.Words.Refuse("'and', 'or' or the end should come here") : outcome;
    }

    private Outcome<SearchCriterion> Filter(Run run, string type, int depth)
    {
        if (depth > SearchLimits.MaxFilterDepth)
        {
            return SearchIssues.TooMany("levels of parentheses in '_filter'", SearchLimits.MaxFilterDepth);
        }

        var outcome = Operand(run, type, depth);
        while (outcome.TryGetValue(out var left, out _))
        {
            var isAnd = run.Words.TakeWord("and");
            if (!isAnd && !run.Words.TakeWord("or"))
            {
                break;
            }

            var next = Operand(run, type, depth);
            if (!next.TryGetValue(out var right, out _))
            {
                return next;
            }

            outcome = isAnd ? new SearchCriterion.And([left, right]) : new SearchCriterion.Or([left, right]);
        }

        return outcome;
    }

    private Outcome<SearchCriterion> Operand(Run run, string type, int depth)
    {
        var negated = run.Words.TakeWord("not");
        if (!run.Words.Take('('))
        {
            return negated ? run.Words.Refuse("'(' should come after 'not'") : Condition(run, type, depth);
        }

        var outcome = Filter(run, type, depth + 1);
        if (!outcome.TryGetValue(out var inner, out _))
        {
            return outcome;
        }

        return !run.Words.Take(')') ? run.Words.Refuse("')' should come here") : negated ? new SearchCriterion.Not(inner) : outcome;
    }

    // path operator value, where path is a name, or a reference with a filter in brackets and the path that goes on from it.
    private Outcome<SearchCriterion> Condition(Run run, string type, int depth)
    {
        if (!run.Budget.TryTake())
        {
            return SearchIssues.TooMany("criteria", SearchLimits.MaxCriteria);
        }

        var column = run.Words.Position;
        var name = run.Words.Name();
        if (name.Length == 0)
        {
            return run.Words.Refuse("a parameter should come here");
        }

        var parts = name.Split(':', 2);
        if (policy.Find(type, parts[0]) is not { } parameter)
        {
            return parts[0].StartsWith('_') && run.Words.AtEnd ? SearchIssues.BadFilter("an operator should come after the parameter", column + name.Length + 1) : SearchIssues.UnknownParameter(type, parts[0]);
        }

        var target = parts.Length == 2 ? parts[1] : null;
        if (run.Words.Take('['))
        {
            return Step(run, depth, next => reader.Chain(parameter, target, next), bracket: true);
        }

        if (run.Words.Take('.'))
        {
            return Step(run, depth, next => reader.Chain(parameter, target, next), bracket: false);
        }

        if (policy.WhyNot(parameter) is { } refusal)
        {
            return refusal;
        }

        return target is null ? _comparisons.Read(run.Words, type, parameter, run.Budget) : run.Words.Refuse("'.' should come after a type");
    }

    // What follows is read once for each target type, from the same place.
    private Outcome<SearchCriterion> Step(Run run, int depth, Func<Func<string, Outcome<SearchCriterion>>, Outcome<SearchCriterion>> chain, bool bracket)
    {
        if (depth >= SearchLimits.MaxChainSteps)
        {
            return SearchIssues.TooMany("steps in a chain", SearchLimits.MaxChainSteps);
        }

        var end = run.Words;
        var outcome = chain(target =>
        {
            var copy = run with { Words = run.Words.Copy() };
            var read = bracket ? Bracketed(copy, target, depth + 1) : Condition(copy, target, depth + 1);
            end = read.Succeeded ? copy.Words : end;
            return read;
        });
        run.Words.MoveTo(end);
        return outcome;
    }

    private Outcome<SearchCriterion> Bracketed(Run run, string type, int depth)
    {
        var outcome = Filter(run, type, depth);
        if (!outcome.TryGetValue(out var filter, out _))
        {
            return outcome;
        }

        if (!run.Words.Take(']') || !run.Words.Take('.'))
        {
            return run.Words.Refuse("'].' and a path should come here");
        }

        var rest = Condition(run, type, depth);
        return rest.TryGetValue(out var condition, out _) ? new SearchCriterion.And([filter, condition]) : rest;
    }

    private sealed record Run(FilterLexer Words, CriterionBudget Budget);
}
