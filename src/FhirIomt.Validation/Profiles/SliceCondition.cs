using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>One discriminator as a slice fixes it.</summary>
internal abstract class SliceCondition
{
    public abstract bool Holds(ProfileContext context, in ProfileItem item);
}

/// <summary>Some value at a path is the fixed one, or has the pattern.</summary>
internal sealed class ValueCondition(DiscriminatorPath path, ValueCheck[] expected) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item) => path.Any(context, item.Node, this, static (node, _, self) => self.IsExpected(node));

    public override string ToString() => path + " " + string.Join<object>(" or ", expected);

    private bool IsExpected(ResourceNode node)
    {
        foreach (var value in expected)
        {
            if (value.Holds(node))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Some value at a path is in the required value set.</summary>
internal sealed class BoundCondition(DiscriminatorPath path, BindingCheck binding) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item) => path.Any(context, item.Node, binding, static (node, _, binding) => binding.Holds(node));

    public override string ToString() => $"{path} from {binding.Url}";
}

internal sealed class ExistsCondition(DiscriminatorPath path, bool exists) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item) => path.Any(context, item.Node, exists, static (_, _, _) => true) == exists;

    public override string ToString() => $"{path} {(exists ? "exists" : "is absent")}";
}

internal sealed class TypeCondition(TypeCheck type) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item) => type.Allows(item);

    public override string ToString() => $"$this {type}";
}

/// <summary>The type of a value at a path: of a resource by its resourceType, of a choice by the member's name, of a reference's target by what it names.</summary>
internal sealed class TypeAtCondition(DiscriminatorPath path, IReadOnlyList<string> types) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item)
    {
        if (path.Any(context, item.Node, types, static (node, member, types) => IsOneOf(node, member, types)))
        {
            return true;
        }

        // A target that is not here still says its type in the reference.
        return path.Steps is [.., { Kind: DiscriminatorPath.StepKind.Resolve }]
            && path.Take(path.Steps.Count - 1).Any(context, item.Node, types, static (node, _, types) => node["reference"u8] is { IsString: true } reference
                && types.Contains(Encoding.UTF8.GetString(ReferenceText.Parse(reference.ContentSpan).Type), StringComparer.Ordinal));
    }

    public override string ToString() => $"{path} is {string.Join('|', types)}";

    private static bool IsOneOf(ResourceNode node, ResourceNode member, IReadOnlyList<string> types)
    {
        foreach (var type in types)
        {
            var isNamed = node["resourceType"u8] is { Exists: true } resource ? Ascii.Equals(resource.ContentSpan, type) || type is "Resource"
                : member.Exists && Encoding.UTF8.GetString(member.NameSpan).EndsWith(char.ToUpperInvariant(type[0]) + type[1..], StringComparison.Ordinal);
            if (isNamed)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A value at a path meets one of the profiles.</summary>
internal sealed class ProfileCondition(DiscriminatorPath path, IReadOnlyList<string> profiles) : SliceCondition
{
    public override bool Holds(ProfileContext context, in ProfileItem item)
    {
        var type = item.Type;
        return path.Any(context, item.Node, (context, profiles, type, path.IsThis), static (node, _, argument) => ProfileMatch.MeetsAny(argument.context, node, argument.IsThis ? argument.type : null, argument.profiles));
    }

    public override string ToString() => $"{path} meets {string.Join('|', profiles)}";
}
