using System.Text.RegularExpressions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>One filter of a value set (ValueSet.compose.include.filter), compiled against one code system.</summary>
internal abstract class ConceptFilter
{
    public abstract bool Matches(Concept concept);

    /// <summary>Compiles a filter.</summary>
    /// <param name="filter">The filter element; a missing value is refused with <see cref="TxIssues.FilterWithoutValue"/>.</param>
    /// <param name="where">FHIRPath of the filter, for refusals.</param>
    public static ConceptFilter? Compile(CodeSystemContent system, ResourceNode filter, string where, TerminologyLimits limits, out TxIssue? refusal)
    {
        refusal = null;
        var property = filter["property"u8].AsString() ?? "";
        var op = filter["op"u8].AsString() ?? "";
        if (filter["value"u8].AsString() is not { Length: > 0 } value)
        {
            refusal = TxIssues.FilterWithoutValue(system.Url, property, op, where);
            return null;
        }

        var compiled = Compile(system, property, op, value, limits, out var reason);
        refusal = compiled is null ? TxIssues.FilterRefused(system.Url, property, op, value, reason, where) : null;
        return compiled;
    }

    private static ConceptFilter? Compile(CodeSystemContent system, string property, string op, string value, TerminologyLimits limits, out string reason)
    {
        reason = $"the operator '{op}' is not supported";
        switch (op)
        {
            case "is-a":
                return new Among(system.Find(value) is { } top ? system.WithDescendants(top) : []);
            case "descendent-of":
                return new Among(system.Find(value) is { } above ? Without(system.WithDescendants(above), above) : []);
            case "descendent-leaf":
                return new Among(system.Find(value) is { } leafTop ? [.. Without(system.WithDescendants(leafTop), leafTop).Where(index => system.Concepts[index].Children.Count == 0)] : []);
            case "is-not-a":
                return new Not(new Among(system.Find(value) is { } unwanted ? system.WithDescendants(unwanted) : []));
            case "generalizes":
                return new Among(system.Find(value) is { } bottom ? system.WithAncestors(bottom) : []);
            case "child-of":
                return new Among(system.Find(value) is { } parent ? [.. parent.Children] : []);
            case "=":
                return new HasText(system, property, text => string.Equals(text, value, Comparison(system, property)));
            case "in":
                return new HasText(system, property, IsOneOf(value, Comparison(system, property)));
            case "not-in":
                return new Not(new HasText(system, property, IsOneOf(value, Comparison(system, property))));
            case "exists":
                return new Exists(system, property, wanted: value == "true");
            case "regex":
                return RegexFilter(system, property, value, limits, out reason);
            default:
                return null;
        }
    }

    private static Func<string, bool> IsOneOf(string values, StringComparison comparison)
    {
        var wanted = values.Split(',', StringSplitOptions.TrimEntries);
        return text => Array.Exists(wanted, one => string.Equals(one, text, comparison));
    }

    private static StringComparison Comparison(CodeSystemContent system, string property) =>
        property is "code" or "concept" && !system.CaseSensitive ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private static HashSet<int> Without(HashSet<int> indexes, Concept concept)
    {
        indexes.Remove(concept.Index);
        return indexes;
    }

    // The whole value must match. Without backtracking the time is linear, so that no pattern can hang a request.
    private static HasText? RegexFilter(CodeSystemContent system, string property, string pattern, TerminologyLimits limits, out string reason)
    {
        reason = "";
        try
        {
            var regex = new Regex($@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, limits.RegexTime);
            return new HasText(system, property, text => IsMatch(regex, text));
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            reason = "the expression is not regular, or needs backtracking";
            return null;
        }
    }

    private static bool IsMatch(Regex regex, string text)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private sealed class Among(HashSet<int> indexes) : ConceptFilter
    {
        public override bool Matches(Concept concept) => indexes.Contains(concept.Index);
    }

    private sealed class Not(ConceptFilter inner) : ConceptFilter
    {
        public override bool Matches(Concept concept) => !inner.Matches(concept);
    }

    private sealed class HasText(CodeSystemContent system, string property, Func<string, bool> isWanted) : ConceptFilter
    {
        public override bool Matches(Concept concept) => system.PropertyTexts(concept, property).Any(isWanted);
    }

    private sealed class Exists(CodeSystemContent system, string property, bool wanted) : ConceptFilter
    {
        public override bool Matches(Concept concept) => system.PropertyTexts(concept, property).Any() == wanted;
    }
}
