using System.Collections.Frozen;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Access.Policies;

/// <summary>The elements of each type that a role does not see, and those that it does not change. Immutable.</summary>
public sealed class FieldRules
{
    // What says nothing of the content, and is answered or asked for whatever is hidden.
    private static readonly FrozenSet<string> Harmless = new[] { "_id", "_lastUpdated", "_tag", "_profile", "_security", "_source" }.ToFrozenSet(StringComparer.Ordinal);

    // Functions that reach elements without their names.
    private static readonly FrozenSet<string> Reaching = new[] { "children", "descendants", "resource", "trace" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, FieldTree> _hidden;
    private readonly FrozenDictionary<string, FieldTree> _readOnly;
    private readonly FrozenDictionary<string, IReadOnlyList<FieldPath>> _hiddenPaths;

    private FieldRules(IReadOnlyDictionary<string, TypePolicy> types)
    {
        _hidden = Trees(types, type => type.Hidden);
        _readOnly = Trees(types, type => type.ReadOnly);
        _hiddenPaths = types.Where(type => type.Value.Hidden.Count > 0).ToFrozenDictionary(type => type.Key, type => type.Value.Hidden, StringComparer.Ordinal);
    }

    public static FieldRules None { get; } = new(FrozenDictionary<string, TypePolicy>.Empty);

    public bool HidesAnything => _hidden.Count > 0;

    public static FieldRules Of(IReadOnlyDictionary<string, TypePolicy> types) =>
        types.Values.All(type => type.Hidden.Count == 0 && type.ReadOnly.Count == 0) ? None : new FieldRules(types);

    public bool Hides(string type) => _hidden.ContainsKey(type);

    /// <summary>What of a type is hidden; null: nothing.</summary>
    public FieldTree? Hidden(string type) => _hidden.GetValueOrDefault(type);

    /// <summary>What of a type is not changed; null: nothing.</summary>
    public FieldTree? ReadOnly(string type) => _readOnly.GetValueOrDefault(type);

    /// <summary>
    /// Whether a parameter may read a hidden element. Each word of its expression counts, so that none is missed: it reads what is hidden unless every
    /// mention of the path's first element goes on by names to another element than the path does. Searching by it, or sorting, would tell what it says.
    /// </summary>
    public bool ReadsHidden(SearchParameter parameter)
    {
        if (!_hiddenPaths.TryGetValue(parameter.ResourceType, out var paths) || Harmless.Contains(parameter.Code))
        {
            return false;
        }

        var expressions = Expressions(parameter);
        return expressions.Exists(expression => Words(expression).Any(word => Reaching.Contains(expression[word])) || paths.Any(path => Reads(expression, path)));
    }

    private static bool Reads(string expression, FieldPath path) =>
        Words(expression).Any(word => path.Steps[0].IsNamed(expression[word]) && !Turns(expression, word.End.Value, path));

    // Whether names go on from the path's first element to another than the path does: no function, no bracket, not the end.
    private static bool Turns(string expression, int end, FieldPath path)
    {
        foreach (var step in path.Steps.Skip(1))
        {
            var start = end + 1;
            if (end >= expression.Length || expression[end] != '.')
            {
                return false;
            }

            for (end = start; end < expression.Length && char.IsAsciiLetterOrDigit(expression[end]);)
            {
                end++;
            }

            if (end == start || (end < expression.Length && expression[end] == '('))
            {
                return false;
            }

            if (!step.IsNamed(expression.AsSpan(start, end - start)))
            {
                return true;
            }
        }

        return false;
    }

    // The parts of a composite read on from where its own expression ends.
    private static List<string> Expressions(SearchParameter parameter)
    {
        var own = parameter.Expression ?? "children";
        if (parameter.Components.Count == 0)
        {
            return [own];
        }

        var starts = own.Split('|', StringSplitOptions.TrimEntries);
        return [.. parameter.Components.SelectMany(component => starts.All(IsPath) && !component.Expression.Contains('|', StringComparison.Ordinal)
            ? starts.Select(start => $"{start}.{component.Expression}")
            : [own, component.Expression])];
    }

    private static bool IsPath(string text) => text.All(character => char.IsAsciiLetterOrDigit(character) || character == '.');

    private static FrozenDictionary<string, FieldTree> Trees(IReadOnlyDictionary<string, TypePolicy> types, Func<TypePolicy, IReadOnlyList<FieldPath>> paths) =>
        types.Where(type => paths(type.Value).Count > 0).ToFrozenDictionary(type => type.Key, type => FieldTree.Of(FhirDefinitions.R4.Type(type.Key)!, paths(type.Value)), StringComparer.Ordinal);

    private static IEnumerable<Range> Words(string expression)
    {
        var start = -1;
        for (var index = 0; index <= expression.Length; index++)
        {
            if (index < expression.Length && char.IsAsciiLetterOrDigit(expression[index]))
            {
                start = start < 0 ? index : start;
            }
            else if (start >= 0)
            {
                yield return start..index;
                start = -1;
            }
        }
    }
}
