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

/// <summary>What a Reference points to, where it is here, meets one of the profiles; and it is where the aggregation allows (FHIR R4 §2.24.4).</summary>
internal sealed class TargetProfileCheck(IReadOnlyList<string> profiles, IReadOnlyList<string> aggregation, string? versioning) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Type.Name != "Reference" || item.Node["reference"u8] is not { IsString: true } reference)
        {
            return;
        }

        var target = context.Scope.Resolve(reference);
        Place(context, item.Node, reference, target.Exists);
        if (target.Exists && profiles.Count > 0 && !ProfileMatch.MeetsAny(context, target, type: null, profiles))
        {
            context.Add(ValidationIssues.TargetMeetsNone, item.Node, $"What the reference points to meets none of {string.Join(", ", profiles)}.");
        }
    }

    public override string ToString() => "to " + string.Join('|', profiles.Concat(aggregation));

    private void Place(ProfileContext context, ResourceNode node, ResourceNode reference, bool isHere)
    {
        if (aggregation.Count > 0)
        {
            var place = reference.ContentSpan.StartsWith((byte)'#') ? "contained" : isHere ? "bundled" : "referenced";
            if (!aggregation.Contains(place, StringComparer.Ordinal) && !(place == "bundled" && aggregation.Contains("referenced", StringComparer.Ordinal)))
            {
                context.Add(ValidationIssues.WrongAggregation, node, $"The reference is {place}; the profile allows {string.Join(", ", aggregation)}.");
            }
        }

        var isVersioned = reference.ContentSpan.IndexOf("/_history/"u8) >= 0;
        if (versioning is "specific" && !isVersioned || versioning is "independent" && isVersioned)
        {
            context.Add(ValidationIssues.WrongAggregation, node, versioning is "specific" ? "The profile asks for a reference to a version." : "The profile asks for a reference without version.");
        }
    }
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

/// <summary>minValue[x] and maxValue[x]: of numbers, dates, times, and quantities of comparable units.</summary>
internal sealed class RangeCheck(ProfileValue? min, ProfileValue? max) : ProfileCheck
{
    private readonly ResourceNode _min = min is null ? default : ValueComparison.Read(min);
    private readonly ResourceNode _max = max is null ? default : ValueComparison.Read(max);

    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (item.Node.Exists && (ValueOrder.Compare(item.Node, _min) < 0 || ValueOrder.Compare(item.Node, _max) > 0))
        {
            context.Add(ValidationIssues.OutOfRange, item.Node, "The value is outside the profile's limits.");
        }
    }

    public override string ToString() => $"in {min?.Json}..{max?.Json}";
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
            if (typeName == "Resource" && context.Plans.Types.Definitions.Type(item.Node["resourceType"u8].AsString() ?? "") is { } actual && !actual.Is(plan.Type))
            {
                trial.Add(ValidationIssues.WrongType, item.Node, $"The profile allows {plan.Type.Name} here.");
                first ??= trial;
                continue;
            }

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
