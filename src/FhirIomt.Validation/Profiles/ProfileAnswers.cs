using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Profiles;

/// <summary>
/// What is known of the values of one validation: which profiles they meet. Resources of a Bundle that all refer to each other would otherwise be
/// asked about once for every path between them, which grows without bound.
/// </summary>
internal sealed class ProfileAnswers
{
    private Dictionary<(ResourceNode Node, ProfilePlan Plan), bool>? _known;

    public bool TryGet(ResourceNode node, ProfilePlan plan, out bool meets)
    {
        meets = false;
        return _known is not null && _known.TryGetValue((node, plan), out meets);
    }

    public void Keep(ResourceNode node, ProfilePlan plan, bool meets) => (_known ??= [])[(node, plan)] = meets;
}
