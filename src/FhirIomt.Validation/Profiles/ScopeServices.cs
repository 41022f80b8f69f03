using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

internal sealed class ScopeServices(ProfilePlans plans) : IScopeServices
{
    public bool? MemberOf(FhirPathItem item, string valueSet)
    {
        var type = item.Type ?? plans.Types.Definitions.Type("code")!;
        var binding = new FhirBinding(BindingStrength.Required, valueSet, MaxValueSet: null);
        return !plans.Types.Bindings.Terminology.Knows(valueSet) || !item.Node.Exists ? null : BindingCheck.For(binding, type, plans.Types.Bindings)?.Holds(item.Node);
    }

    public bool? ConformsTo(ResourceScope scope, FhirPathItem item, string profile) =>
        ProfileMatch.Meets(new ProfileContext(new ValidationRun(plans.Types.Definitions), scope, plans, profile, new ProfileAnswers()), item.Node, item.Type, profile);
}
