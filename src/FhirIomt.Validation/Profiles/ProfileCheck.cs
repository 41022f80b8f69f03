using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Profiles;

/// <summary>One demand of a profile on one value.</summary>
internal abstract class ProfileCheck
{
    public abstract void Run(ProfileContext context, in ProfileItem item);
}

/// <summary>fixed[x] and pattern[x].</summary>
internal sealed class ValueCheck(ProfileValue expected, bool isFixed) : ProfileCheck
{
    private readonly ResourceNode _expected = ValueComparison.Read(expected);

    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (!Holds(item.Node))
        {
            context.Add(isFixed ? ValidationIssues.NotFixedValue : ValidationIssues.NotPattern, item.At, $"The profile asks for {(isFixed ? "exactly " : "")}{expected.Json}.");
        }
    }

    public bool Holds(ResourceNode value) => isFixed ? JsonEquality.AreEqual(_expected, value) : ValueComparison.HasPattern(value, _expected);

    public override string ToString() => (isFixed ? "= " : "~ ") + expected.Json;
}

/// <summary>The types that a choice, or an element for any resource, is narrowed to.</summary>
internal sealed class TypeCheck(IReadOnlyList<string> types) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (!Allows(item))
        {
            context.Add(ValidationIssues.WrongType, item.At, $"The profile allows {string.Join(", ", types)} here.");
        }
    }

    public bool Allows(in ProfileItem item)
    {
        var resourceType = item.Type.Kind == FhirTypeKind.Resource ? item.Node["resourceType"u8] : default;
        for (var index = 0; index < types.Count; index++)
        {
            if (item.Type.Name == types[index] || (resourceType.Exists && (types[index] is "Resource" || System.Text.Ascii.Equals(resourceType.ContentSpan, types[index]))))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => "is " + string.Join('|', types);
}

/// <summary>The resource types that a Reference may point to.</summary>
internal sealed class TargetCheck(IReadOnlyList<string> targets) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Type.Name == "Reference" && item.Node.IsObject)
        {
            ReferenceCheck.Run(context.Run, context.Plans.Types, item.Node, targets, context.Scope);
        }
    }

    public override string ToString() => "to " + string.Join('|', targets);
}

internal sealed class ProfileBindingCheck(BindingCheck binding) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item) => binding.Run(context.Run, item.Node);

    public override string ToString() => "from " + binding.Url;
}

internal sealed class InvariantCheck(Invariant invariant) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item) =>
        invariant.Run(context.Run, new InvariantFocus(item.Node, item.Companion, item.Type, context.Scope));

    public override string ToString() => "obeys " + invariant.Key;
}

internal sealed class LengthCheck(int max) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Node.IsString && item.Node.Length - 2 > max && item.Node.AsString()!.Length > max)
        {
            context.Add(ValidationIssues.TooLong, item.Node, $"The profile allows at most {max} characters.");
        }
    }

    public override string ToString() => $"length <= {max}";
}

/// <summary>minValue[x] and maxValue[x] of numbers; limits of other types are not checked.</summary>
internal sealed class RangeCheck(decimal? min, decimal? max) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Node.Exists && item.Node.Kind == NodeKind.Number && ValueComparison.TryNumber(item.Node, out var number) && (number < min || number > max))
        {
            context.Add(ValidationIssues.OutOfRange, item.Node, "The number is outside the profile's limits.");
        }
    }

    public override string ToString() => FormattableString.Invariant($"in {min}..{max}");
}

/// <summary>A value must meet a profile of its type: one of those named.</summary>
internal sealed class TypeProfileCheck(string typeName, IReadOnlyList<string> profiles) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Type.Name != typeName || !item.Node.IsObject)
        {
            return;
        }

        ValidationRun? first = null;
        foreach (var profile in profiles)
        {
            if (context.Plans.Find(profile) is not { } plan)
            {
                return;
            }

            var trial = new ValidationRun(context.Plans.Types.Definitions);
            plan.Root.Run(context.Into(trial, plan, context.Scope, item.Node), item);
            if (!trial.HasErrors)
            {
                context.Run.AddAll(trial);
                return;
            }

            first ??= trial;
        }

        if (first is not null)
        {
            context.Run.AddAll(first);
        }
    }

    public override string ToString() => "as " + string.Join('|', profiles);
}
