using System.Collections.Frozen;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Access.Policies;

/// <summary>The elements of each type that a role does not see, and those that it does not change. Immutable.</summary>
public sealed class FieldRules
{
    private static readonly FrozenSet<string> Empty = FrozenSet<string>.Empty;

    // What says nothing of the content, and is answered or asked for whatever is hidden.
    private static readonly FrozenSet<string> Harmless = new[] { "_id", "_lastUpdated", "_tag", "_profile", "_security", "_source" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, FrozenSet<string>> _hidden;
    private readonly FrozenDictionary<string, FrozenSet<string>> _readOnly;

    private FieldRules(IReadOnlyDictionary<string, TypePolicy> types)
    {
        _hidden = Sets(types, type => type.Hidden);
        _readOnly = Sets(types, type => type.ReadOnly);
    }

    public static FieldRules None { get; } = new(FrozenDictionary<string, TypePolicy>.Empty);

    public bool HidesAnything => _hidden.Count > 0;

    public static FieldRules Of(IReadOnlyDictionary<string, TypePolicy> types) =>
        types.Values.All(type => type.Hidden.Count == 0 && type.ReadOnly.Count == 0) ? None : new FieldRules(types);

    public bool Hides(string type) => _hidden.ContainsKey(type);

    /// <summary>Whether a member of the JSON object, <c>birthDate</c>, <c>_birthDate</c> or <c>valueQuantity</c>, belongs to a hidden element.</summary>
    public bool IsHidden(string type, string member) => ElementsOf(_hidden, type) is { Count: > 0 } hidden && hidden.Contains(ElementOf(type, member));

    public IReadOnlyCollection<string> ReadOnly(string type) => ElementsOf(_readOnly, type);

    /// <summary>
    /// Whether a parameter may read a hidden element: each word of its expression counts, so that none is missed. Searching by it, or sorting, would tell what it says.
    /// </summary>
    public bool ReadsHidden(SearchParameter parameter)
    {
        if (ElementsOf(_hidden, parameter.ResourceType) is not { Count: > 0 } hidden || Harmless.Contains(parameter.Code))
        {
            return false;
        }

        var words = new[] { parameter.Expression ?? "children" }.Concat(parameter.Components.Select(component => component.Expression)).SelectMany(Words);
        return words.Any(word => word is "children" or "descendants" or "resource" or "trace" || hidden.Contains(word));
    }

    /// <summary>The element that a member says: its name, of a choice the part before the type.</summary>
    public static string ElementOf(string type, string member)
    {
        var name = member.StartsWith('_') ? member[1..] : member;
        var element = FhirDefinitions.R4.Type(type)?.Find(System.Text.Encoding.UTF8.GetBytes(name))?.Element.Name ?? name;
        return element.EndsWith("[x]", StringComparison.Ordinal) ? element[..^3] : element;
    }

    private static FrozenSet<string> ElementsOf(FrozenDictionary<string, FrozenSet<string>> sets, string type) => sets.GetValueOrDefault(type) ?? Empty;

    private static FrozenDictionary<string, FrozenSet<string>> Sets(IReadOnlyDictionary<string, TypePolicy> types, Func<TypePolicy, IReadOnlyList<string>> elements) =>
        types.Where(type => elements(type.Value).Count > 0).ToFrozenDictionary(type => type.Key, type => elements(type.Value).ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);

    private static IEnumerable<string> Words(string expression)
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
                yield return expression[start..index];
                start = -1;
            }
        }
    }
}
