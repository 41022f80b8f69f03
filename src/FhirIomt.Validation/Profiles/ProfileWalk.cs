using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Extensions;

namespace FhirIomt.Validation.Profiles;

/// <summary>Holds each resource that the base walk has met to the profiles it claims, and the outermost one to those given.</summary>
internal sealed class ProfileWalk(ProfilePlans plans, ExtensionCheck extensions, ValidationRun run, IReadOnlyList<string> given)
{
    private readonly ProfileAnswers _answers = new();

    public IScopeServices Services { get; } = plans.Services;

    /// <summary>Holds an extension to its definition.</summary>
    public void Extension(ResourceNode extension, ResourceNode parent, FhirType type, bool isModifier, ResourceScope scope) =>
        extensions.Run(run, extension, parent, type, isModifier, scope, _answers);

    /// <summary>R4 has 46 profiles of resources; a resource that claims more than these costs time and means nothing.</summary>
    private const int MaxClaims = 64;

    public void Run(ResourceNode resource, TypePlan type, ResourceScope scope)
    {
        var claims = resource["meta"u8]["profile"u8];
        var checkedClaims = 0;
        foreach (var claim in claims.Items)
        {
            if (claim.IsString && ++checkedClaims <= MaxClaims)
            {
                Meet(plans.Find(claim), "", resource, type, scope, claim);
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
                Meet(plans.Find(canonical), canonical, resource, type, scope, resource);
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

    private void Meet(ProfilePlan? plan, string canonical, ResourceNode resource, TypePlan type, ResourceScope scope, ResourceNode at)
    {
        if (plan is null && at == resource && plans.Catalog.Library.HasAdded("StructureDefinition", Fhir.Definitions.Canonical.Parse(canonical).Url))
        {
            run.Add(ValidationIssues.UnreadableProfile, at, $"The profile {canonical} cannot be applied: its definition is not right.");
        }
        else if (plan is null)
        {
            run.Add(ValidationIssues.UnknownProfile, at, "The profile is not known here; it was not checked.");
        }
        else if (!type.Type.Is(plan.Type))
        {
            run.Add(ValidationIssues.ProfileOfOtherType, at, $"The profile {plan.Url} is for {plan.Type.Name}.");
        }
        else
        {
            plan.Root.Run(new ProfileContext(run, scope, plans, plan.Url, _answers), new ProfileItem(resource, default, type.Type));
        }
    }
}
