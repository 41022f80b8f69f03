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
    public bool Permits(AccessPredicate predicate, string resourceType, JsonTree resource) => predicate switch
    {
        AccessPredicate.Everything => true,
        AccessPredicate.Any any => any.Alternatives.Any(alternative => Permits(alternative, resourceType, resource)),
        AccessPredicate.All all => all.Parts.All(part => Permits(part, resourceType, resource)),
        AccessPredicate.OfPatient patient => PatientCompartment.OwnerOf(resourceType, resource.Root, indexer.ServerBase) == patient.PatientId,
        AccessPredicate.Meets meets => meets.Criteria.All(criterion => Matches(criterion, resource)),
        _ => false,
    };

    // Granular scopes use token parameters only (SmartScope.GranularParameters); anything else fails closed.
    private bool Matches(SearchCriterion criterion, JsonTree resource)
    {
        if (criterion is not SearchCriterion.Tokens { Negated: false } tokens)
        {
            return false;
        }

        foreach (var value in indexer.Extract(resource, [tokens.Of]))
        {
            if (value is IndexValue.Token token && tokens.Values.Any(wanted => wanted.Matches(token.System, token.Code)))
            {
                return true;
            }
        }

        return false;
    }
}
