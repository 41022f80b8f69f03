using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Invariants;
using FhirIomt.Validation.Profiles;

namespace FhirIomt.Validation.Base;

/// <summary>One pass over a resource by the compiled tables of its base type (FHIR R4 §2.6.2, §3.1).</summary>
/// <param name="profiles">Asked for every resource met, inner ones first: its profiles come after its base type.</param>
internal sealed class BaseWalk(TypePlans plans, ValidationRun run, ProfileWalk profiles)
{
    public void Resource(ResourceNode node, ResourceScope? container, ResourceScope? around = null)
    {
        if (run.IsFull)
        {
            return;
        }

        if (!node.IsObject)
        {
            run.Add(ValidationIssues.WrongKind, node, "A resource is an object.");
            return;
        }

        if (plans.Resource(node["resourceType"u8]) is not { } plan)
        {
            var message = node["resourceType"u8].Exists ? "The resourceType is not a resource type of FHIR R4." : "The resource has no resourceType.";
            run.Add(ValidationIssues.UnknownResourceType, node, message);
            return;
        }

        var scope = new ResourceScope(plans.Definitions, node, container, around, profiles.Services);
        Object(node, plan, scope, isResource: true);
        if (container is not null && !container.Mentions(node["id"u8].AsString() ?? "") && !NativeInvariants.RefersToContainer(node))
        {
            run.Add(ValidationIssues.InvariantFails, node, "dom-3 does not hold: nothing in the resource refers to this contained resource, nor does it refer to its container.");
        }

        plan.Check?.Run(run, node, scope);
        profiles.Run(node, plan, scope);
    }

    private void Object(ResourceNode node, TypePlan plan, ResourceScope scope, bool isResource)
    {
        // One bit per element; ElementPlan ordinals stay below 128 (the largest R4 type has some 60 elements, a test holds that).
        UInt128 seen = 0;
        foreach (var child in node.Children)
        {
            var name = child.NameSpan;
            if (isResource && name.SequenceEqual("resourceType"u8))
            {
                continue;
            }

            var isCompanion = name.StartsWith((byte)'_');
            var member = plan.Find(isCompanion ? name[1..] : name);
            if (member is null || (isCompanion && !member.Shape.IsPrimitive()))
            {
                run.Add(ValidationIssues.UnknownMember, node, child, $"{plan.Type.Name} has no element '{Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}'.");
                continue;
            }

            var bit = UInt128.One << member.Element.Ordinal;
            if (member.Element.IsChoice && (seen & bit) != 0 && HasOtherForm(node, child, plan, member))
            {
                run.Add(ValidationIssues.TwoChoices, child, $"{member.Element.Definition.Path} has a value in another form already.");
            }

            seen |= bit;
            if (!isResource && plan.HasUniqueIds && name.SequenceEqual("id"u8) && !scope.AddElementId(child))
            {
                run.Add(Conformance.ConformanceIssues.DuplicateId, node, child, "Another element of the resource has the same id.");
            }

            if (isCompanion)
            {
                CompanionCheck.Run(this, run, node, child, member, scope);
            }
            else
            {
                Member(node, child, member, scope);
            }
        }

        HasRequired(node, plan, seen);
        Meets(plan.Invariants, node, default, plan.Type, scope);
    }

    // A primitive with a companion alone counts: its extension may say why there is no value.
    private void HasRequired(ResourceNode node, TypePlan plan, UInt128 seen)
    {
        foreach (var required in plan.Required)
        {
            if ((seen & (UInt128.One << required.Ordinal)) == 0)
            {
                run.Add(ValidationIssues.Missing, node, $"{required.Definition.Path} is required.");
            }
        }
    }

    private static bool HasOtherForm(ResourceNode parent, ResourceNode until, TypePlan plan, MemberPlan member)
    {
        foreach (var child in parent.Children)
        {
            if (child.Index == until.Index)
            {
                break;
            }

            var name = child.NameSpan;
            var other = plan.Find(name.StartsWith((byte)'_') ? name[1..] : name);
            if (other is not null && !ReferenceEquals(other, member) && ReferenceEquals(other.Element, member.Element))
            {
                return true;
            }
        }

        return false;
    }

    private void Member(ResourceNode parent, ResourceNode value, MemberPlan member, ResourceScope scope)
    {
        var element = member.Element;
        if (!value.IsArray)
        {
            if (element.IsArray && value.Kind != NodeKind.Null)
            {
                run.Add(ValidationIssues.SingleForArray, value, $"{element.Definition.Path} may repeat, so it is an array.");
            }

            One(parent, value, member, scope, inArray: false);
            return;
        }

        if (!element.IsArray)
        {
            run.Add(ValidationIssues.ArrayForSingle, value, $"{element.Definition.Path} does not repeat, so it is no array.");
            return;
        }

        if (value.Count == 0)
        {
            run.Add(ValidationIssues.Empty, value, "The array is empty.");
        }
        else if (element.Max is { } max && value.Count > max)
        {
            run.Add(ValidationIssues.TooMany, value, $"{element.Definition.Path} occurs {value.Count} times; at most {max} are allowed.");
        }

        foreach (var item in value.Children)
        {
            if (run.IsFull)
            {
                return;
            }

            One(parent, item, member, scope, inArray: true);
        }
    }

    private void One(ResourceNode parent, ResourceNode value, MemberPlan member, ResourceScope scope, bool inArray)
    {
        if (value.Kind == NodeKind.Null)
        {
            // Whether the companion has an entry for it is the companion's check.
            if (!inArray || !member.Shape.IsPrimitive() || !CompanionCheck.HasCompanion(parent, member))
            {
                run.Add(ValidationIssues.NullValue, value, "A null is no value.");
            }

            return;
        }

        if (!member.Shape.Fits(value.Kind))
        {
            run.Add(ValidationIssues.WrongKind, value, $"A value of type {member.Member.Type.Name} is {member.Shape.JsonName()} in JSON.");
            return;
        }

        if (member.Shape.IsPrimitive())
        {
            PrimitiveCheck.Run(run, value, member);
        }
        else if (member.Shape == ValueShape.Resource)
        {
            var isContained = member.Element.Name == "contained";
            Resource(value, isContained ? scope : null, isContained ? null : scope);
        }
        else
        {
            Complex(parent, value, member, scope);
        }

        if (member.Rule == DataTypeRule.Canonical)
        {
            plans.Canonicals.Run(run, value, member.Member.TargetTypes);
        }

        member.Binding?.Run(run, value);
        member.SimpleQuantity?.Run(run, new InvariantFocus(value, default, member.Member.Type, scope));
        Meets(member.Element.Invariants, value, default, member.Member.Type, scope);
    }

    /// <summary>An element with children; for a companion the object of its id and extensions.</summary>
    private void Complex(ResourceNode parent, ResourceNode value, MemberPlan member, ResourceScope scope)
    {
        if (!HasContent(value))
        {
            run.Add(ValidationIssues.Empty, value, "The element has neither value nor children.");
            return;
        }

        Object(value, member.Type, scope, isResource: false);
        if (member.IsReference)
        {
            ReferenceCheck.Run(run, plans, value, member.Member.TargetTypes, scope);
        }
        else if (member.Rule != DataTypeRule.None)
        {
            DataType(value, member.Rule);
        }
        else if (member.IsExtension)
        {
            profiles.Extension(value, parent, member.Member.Type, member.Element.Name == "modifierExtension", scope);
        }
    }

    private void DataType(ResourceNode value, DataTypeRule rule)
    {
        switch (rule)
        {
            case DataTypeRule.Coding:
                plans.Codings.Run(run, value);
                break;
            case DataTypeRule.Quantity:
                UnitCheck.Run(run, value);
                break;
            case DataTypeRule.Attachment:
                Attachments.Run(run, value);
                break;
            default:
                UriIdentifiers.Run(run, value);
                break;
        }
    }

    /// <summary>ele-1 for objects: something besides an id.</summary>
    public static bool HasContent(ResourceNode node) => node.Count > 1 || (node.Count == 1 && !node["id"u8].Exists);

    /// <summary>The id and extensions of a primitive.</summary>
    public void Companion(ResourceNode value, MemberPlan member, ResourceScope scope) => Object(value, member.Type, scope, isResource: false);

    private void Meets(IReadOnlyList<Invariant> invariants, ResourceNode node, ResourceNode companion, Fhir.Definitions.FhirType type, ResourceScope scope)
    {
        for (var index = 0; index < invariants.Count; index++)
        {
            invariants[index].Run(run, new InvariantFocus(node, companion, type, scope));
        }
    }
}
