using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>References by the numbers of what they point to.</summary>
internal sealed class ReferenceSql(SearchContext context)
{
    public Condition Matches(SearchCriterion.References references)
    {
        var entities = Entities(references);
        if (context.Whole(references.Of) is null)
        {
            return Condition.AnyOf([.. Probes(references.Of, entities).Select(probe => probe.About(context.Row))]);
        }

        // An Observation's subject stands in its row; what else the reference says (a version) has rows.
        var column = context.IsSubject(entities);
        return references.Values.Any(IsVersioned)
            ? Condition.AnyOf([column, .. Probes(references.Of, entities).Select(probe => probe.About(context.Row))])
            : column;
    }

    public List<Probe> Probes(SearchParameter parameter, List<long> entities) => context.Parameter(parameter) is { } number && entities.Count > 0
        ? [new Probe("reference_index", number, Condition.In("i.target", entities), entities.Count <= Probe.MaxPoints)]
        : [];

    public List<long> Entities(SearchCriterion.References references)
    {
        var entities = new List<long>();
        foreach (var value in references.Values)
        {
            // An Observation's patient is its subject when that is a Patient; the column holds any subject.
            if (context.Whole(references.Of) == "patient" && value.Type is not (null or "Patient"))
            {
                continue;
            }

            if (value is { Url: null, Type: null })
            {
                entities.AddRange(context.EntitiesOfId(value.Id!));
            }
            else if ((value.Url is { } url ? context.Entity("", url) : context.Entity(value.Type!, value.Id!)) is { } entity)
            {
                entities.Add(entity);
            }
        }

        return entities;
    }

    public static bool IsVersioned(ReferenceMatch value) => value.Id?.Contains('/', StringComparison.Ordinal) == true || value.Url?.Contains('|', StringComparison.Ordinal) == true;
}
