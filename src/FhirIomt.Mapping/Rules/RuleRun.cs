using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Rules;

/// <summary>
/// One evaluation of a rule: the message, the match, the item of a <c>$each</c>, whose reading it is, and the first thing that went wrong. All that is asked about a match shares it.
/// </summary>
/// <param name="item">The item of the rule's own list, where it has one.</param>
internal sealed class RuleRun(JsonTree message, ResourceNode match, RuleItem? item = null)
{
    private List<ResourceNode>? _items = item is { } first ? [first.Node] : null;
    private JmesEvent? _event;
    private RuleReading? _reading;

    /// <summary>Where the item of the rule's list stands in it, from 0.</summary>
    public int ItemIndex => item?.Index ?? 0;

    /// <summary>The nearest item; the match where there is none.</summary>
    public ResourceNode Item => _items is { Count: > 0 } ? _items[^1] : match;

    public Issue? Issue { get; private set; }

    /// <summary>Known when resources are written, not when the rule is checked.</summary>
    public ResolvedReading? Resolved { get; init; }

    /// <summary>Forgets what went wrong before: another resource of the match is next.</summary>
    public void Begin(RuleReading reading) => (_reading, Issue) = (reading, null);

    /// <summary>Another resource of the rule, by its name; its id is that of nobody while the patient is not known.</summary>
    public (string Type, string Id)? Sibling(string name) => _reading?.Sibling(name, Resolved?.PatientId ?? "p", Resolved?.DeviceId ?? "d");

    public PathScope ScopeOf(RuleGround ground) => ground switch
    {
        RuleGround.Message => PathScope.At(message, 0),
        RuleGround.Jmes => PathScope.WithMatch(_event ??= new JmesEvent(message, (item?.Node ?? match).Index)),
        RuleGround.Item when _items is { Count: > 0 } => PathScope.At(_items[^1].Tree, _items[^1].Index),
        _ => PathScope.At(match.Tree, match.Index),
    };

    /// <summary>The value on which paths of that ground are evaluated.</summary>
    public ResourceNode NodeOf(RuleGround ground) => ground switch
    {
        RuleGround.Message => message.Root,
        RuleGround.Item => Item,
        _ => match,
    };

    /// <summary>Keeps the first issue; the value of what failed is absent.</summary>
    public JmesValue Fail(Issue issue)
    {
        Issue ??= issue;
        return JmesValue.Null;
    }

    public void Enter(ResourceNode item) => (_items ??= []).Add(item);

    public void Leave() => _items!.RemoveAt(_items.Count - 1);
}

/// <summary>One entry of the list that a rule makes readings of.</summary>
internal readonly record struct RuleItem(ResourceNode Node, int Index);
