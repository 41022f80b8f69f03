using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Rules;

/// <summary>One evaluation of a rule: the message, the match, the item of a <c>$each</c>, whose reading it is, and the first thing that went wrong.</summary>
internal sealed class RuleRun(JsonTree message, ResourceNode match)
{
    private readonly List<ResourceNode> _items = [];

    public Issue? Issue { get; private set; }

    /// <summary>Known when resources are written, not when the rule is checked.</summary>
    public ResolvedReading? Resolved { get; init; }

    /// <summary>Ids of the rule's other resources, by their names.</summary>
    public Func<string, (string Type, string Id)?> Siblings { get; init; } = static _ => null;

    public PathScope ScopeOf(RuleGround ground) => ground switch
    {
        RuleGround.Message => PathScope.At(message, 0),
        RuleGround.Jmes => PathScope.WithMatch(message, match.Index),
        RuleGround.Item when _items.Count > 0 => PathScope.At(_items[^1].Tree, _items[^1].Index),
        _ => PathScope.At(match.Tree, match.Index),
    };

    /// <summary>Keeps the first issue; the value of what failed is absent.</summary>
    public JmesValue Fail(Issue issue)
    {
        Issue ??= issue;
        return JmesValue.Null;
    }

    public void Enter(ResourceNode item) => _items.Add(item);

    public void Leave() => _items.RemoveAt(_items.Count - 1);
}
