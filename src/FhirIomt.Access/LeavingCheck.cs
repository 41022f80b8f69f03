using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>
/// The second, independent look at a resource before it leaves or is written: the same predicate, evaluated on the document itself instead of on the
/// search index. A disagreement with the query that selected it is a bug in one of the two, so the caller throws.
/// </summary>
public sealed class LeavingCheck(SearchIndexer indexer)
{
    private readonly CriterionMatch _match = new(indexer);

    /// <param name="find">Finds the current version of what the resource hangs on (<see cref="PatientCompartment.AttachedBy"/>); without it nothing is found.</param>
    public bool Permits(AccessPredicate predicate, string resourceType, JsonTree resource, Func<string, string, JsonTree?>? find = null) =>
        Permits(predicate, new JudgedResource(resourceType, resource, indexer.ServerBase), find);

    /// <summary>The same on the bytes of a stored resource that hangs on nothing.</summary>
    public bool Permits(AccessPredicate predicate, StoredResource stored) => Permits(predicate, new JudgedResource(stored, indexer.ServerBase), find: null);

    private bool Permits(AccessPredicate predicate, JudgedResource resource, Func<string, string, JsonTree?>? find) => predicate switch
    {
        AccessPredicate.Everything => true,
        AccessPredicate.Any any => OneOf(any.Alternatives, resource, find),
        AccessPredicate.All all => AllOf(all.Parts, resource, find),
        AccessPredicate.Not not => !Permits(not.Inner, resource, find),
        AccessPredicate.OfPatient patient => resource.Owner == patient.PatientId,
        AccessPredicate.OfPatients set => resource.Owner is { } owner && set.Patients.Contains(owner),
        AccessPredicate.WithId one => resource.Tree.Root["id"u8].AsString() == one.Id,
        AccessPredicate.Meets meets => Matches(meets.Criteria, resource),
        AccessPredicate.Through through => PatientCompartment.Referred(resource.Tree.Root, through.Element, indexer.ServerBase) is (var type, var id)
            && find?.Invoke(type, id) is { } target && Permits(through.Target(type), type, target),
        _ => false,
    };

    // Loops: closures would be made for each resource that leaves.
    private bool OneOf(IReadOnlyList<AccessPredicate> alternatives, JudgedResource resource, Func<string, string, JsonTree?>? find)
    {
        for (var index = 0; index < alternatives.Count; index++)
        {
            if (Permits(alternatives[index], resource, find))
            {
                return true;
            }
        }

        return false;
    }

    private bool AllOf(IReadOnlyList<AccessPredicate> parts, JudgedResource resource, Func<string, string, JsonTree?>? find)
    {
        for (var index = 0; index < parts.Count; index++)
        {
            if (!Permits(parts[index], resource, find))
            {
                return false;
            }
        }

        return true;
    }

    private bool Matches(IReadOnlyList<SearchCriterion> criteria, JudgedResource resource)
    {
        for (var index = 0; index < criteria.Count; index++)
        {
            if (!Matches(criteria[index], resource))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What a resource hangs on, when its type hangs on something; null otherwise.</summary>
    public (string Type, string Id)? AttachedTo(string resourceType, JsonTree resource) =>
        PatientCompartment.AttachedBy(resourceType) is { } element ? PatientCompartment.Referred(resource.Root, element, indexer.ServerBase) : null;

    /// <summary>Whether a criterion can be decided here: one document says it all, and exactly as the index does.</summary>
    public static bool CanDecide(SearchCriterion criterion) => criterion
        is SearchCriterion.Tokens { Negated: false } or SearchCriterion.Ids or SearchCriterion.Dates { Of.Code: not "_lastUpdated" }
        || (criterion is SearchCriterion.References references && references.Values.All(value => value is { Type: not null, Id: not null, Url: null } && !value.Id.Contains('/', StringComparison.Ordinal)));

    // Anything else fails closed.
    private bool Matches(SearchCriterion criterion, JudgedResource resource)
    {
        if ((criterion.Parameter is { } asked && !resource.MayHave(asked.Code)) || !CanDecide(criterion))
        {
            return false;
        }

        return _match.Matches(criterion, resource.Tree);
    }
}
