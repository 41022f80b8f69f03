using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>Whether a value meets a profile, asked on the side: findings stay out of the answer.</summary>
internal static class ProfileMatch
{
    // Resources refer to each other in circles, and so may their profiles.
    private const int MaxDepth = 12;

    /// <param name="type">The value's type; null for a resource, which says it.</param>
    public static bool MeetsAny(ProfileContext context, ResourceNode node, FhirType? type, IReadOnlyList<string> profiles)
    {
        foreach (var profile in profiles)
        {
            if (Meets(context, node, type, profile) != false)
            {
                return true;
            }
        }

        return profiles.Count == 0;
    }

    /// <summary>Null when the profile is unknown, or the question goes in a circle.</summary>
    public static bool? Meets(ProfileContext context, ResourceNode node, FhirType? type, string profile)
    {
        type ??= context.Plans.Types.Definitions.Type(node["resourceType"u8].AsString() ?? "");
        if (type is null || context.Plans.Find(profile) is not { } plan)
        {
            return null;
        }

        if (!type.Is(plan.Type))
        {
            return false;
        }

        if (context.Answers.TryGet(node, plan, out var known))
        {
            return known;
        }

        if (context.Depth >= MaxDepth || context.IsAsking(node, plan))
        {
            return null;
        }

        var trial = new ValidationRun(context.Plans.Types.Definitions);
        var scope = type.Kind == FhirTypeKind.Resource && node != context.Scope.Resource ? context.Scope.Of(node) : context.Scope;
        plan.Root.Run(context.Into(trial, plan, scope, node), new ProfileItem(node, default, type));
        context.Answers.Keep(node, plan, !trial.HasErrors);
        return !trial.HasErrors;
    }
}
