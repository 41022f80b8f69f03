using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>Holds each resource that the base walk has met to the profiles it claims, and the outermost one to those given.</summary>
internal sealed class ProfileWalk(ProfilePlans plans, ValidationRun run, IReadOnlyList<string> given)
{
    public void Run(ResourceNode resource, TypePlan type, ResourceScope scope)
    {
        var claims = resource["meta"u8]["profile"u8];
        foreach (var claim in claims.Items)
        {
            if (claim.IsString)
            {
                Meet(plans.Find(claim), resource, type, scope, claim);
            }
        }

        if (resource.Index != 0)
        {
            return;
        }

        foreach (var canonical in given)
        {
            if (!IsClaimed(claims, canonical))
            {
                Meet(plans.Find(canonical), resource, type, scope, resource);
            }
        }
    }

    private static bool IsClaimed(ResourceNode claims, string canonical)
    {
        foreach (var claim in claims.Items)
        {
            if (claim.AsString() == canonical)
            {
                return true;
            }
        }

        return false;
    }

    private void Meet(ProfilePlan? plan, ResourceNode resource, TypePlan type, ResourceScope scope, ResourceNode at)
    {
        if (plan is null)
        {
            run.Add(ValidationIssues.UnknownProfile, at, "The profile is not known here; it was not checked.");
        }
        else if (!type.Type.Is(plan.Type))
        {
            run.Add(ValidationIssues.ProfileOfOtherType, at, $"The profile {plan.Url} is for {plan.Type.Name}.");
        }
        else
        {
            plan.Root.Run(new ProfileContext(run, scope, plans), new ProfileItem(resource, default, type.Type));
        }
    }
}
