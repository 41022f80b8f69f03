using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>A value that a profile is asked about: a node, a primitive's companion, or both.</summary>
internal readonly struct ProfileItem(ResourceNode node, ResourceNode companion, FhirType type)
{
    public ResourceNode Node { get; } = node;

    public ResourceNode Companion { get; } = companion;

    public FhirType Type { get; } = type;

    /// <summary>Where findings point.</summary>
    public ResourceNode At => Node.Exists ? Node : Companion;

    /// <summary>The object that holds the children.</summary>
    public ResourceNode Parent => Node.IsObject ? Node : Companion;
}

/// <summary>What the checks of one profile share while they run over one resource.</summary>
/// <param name="answers">Shared by all contexts of one validation.</param>
internal sealed class ProfileContext(ValidationRun run, ResourceScope scope, ProfilePlans plans, string url, ProfileAnswers answers)
{
    private ProfileContext? _outer;
    private (ResourceNode Node, ProfilePlan? Plan) _asked;

    private readonly Stack<List<ProfileItem>> _spare = new();

    public ValidationRun Run => run;

    public ResourceScope Scope => scope;

    public ProfilePlans Plans => plans;

    public ProfileAnswers Answers => answers;

    /// <summary>How many profiles are asked about within each other.</summary>
    public int Depth { get; private init; }

    /// <summary>A value held to another profile, with findings of its own.</summary>
    public ProfileContext Into(ValidationRun other, ProfilePlan plan, ResourceScope within, ResourceNode asked) =>
        new(other, within, plans, plan.Url, answers) { _outer = this, Depth = Depth + 1, _asked = (asked, plan) };

    /// <summary>Whether that question is being answered already.</summary>
    public bool IsAsking(ResourceNode node, ProfilePlan plan)
    {
        for (var context = this; context is not null; context = context._outer)
        {
            if (ReferenceEquals(context._asked.Plan, plan) && context._asked.Node == node)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a finding that names the profile: a resource may claim several.</summary>
    public void Add(in Finding finding, ResourceNode node, string message) =>
        run.Add(finding, node, $"{message} ({url[(url.LastIndexOf('/') + 1)..]})");

    public List<ProfileItem> Rent() => _spare.Count > 0 ? _spare.Pop() : new List<ProfileItem>(4);

    public void Return(List<ProfileItem> items)
    {
        items.Clear();
        _spare.Push(items);
    }
}

/// <summary>A profile compiled to rules. What the base type demands anyway is not in it.</summary>
/// <param name="Gaps">Slicings that cannot be told apart here, by element id: they are not checked.</param>
internal sealed record ProfilePlan(string Url, FhirType Type, ElementRules Root, IReadOnlyList<string> Gaps);

/// <summary>The rules for one element: checks of each value, and rules for its children.</summary>
/// <param name="childrenOf">For a choice the type that the rules for children are about; null when every value has them.</param>
internal sealed class ElementRules(ProfileCheck[] checks, ChildRules[] children, FhirType? childrenOf = null)
{
    public bool IsEmpty => checks.Length == 0 && children.Length == 0;

    public void Run(ProfileContext context, in ProfileItem item)
    {
        foreach (var check in checks)
        {
            check.Run(context, item);
        }

        if (childrenOf is not null && !ReferenceEquals(childrenOf, item.Type))
        {
            return;
        }

        foreach (var child in children)
        {
            child.Run(context, item);
        }
    }

    /// <summary>One line per rule, indented: for snapshot tests and for people.</summary>
    public void Print(System.Text.StringBuilder output, int depth)
    {
        foreach (var check in checks)
        {
            output.Append(' ', depth * 2).Append(check).Append('\n');
        }

        foreach (var child in children)
        {
            child.Print(output, depth);
        }
    }
}
