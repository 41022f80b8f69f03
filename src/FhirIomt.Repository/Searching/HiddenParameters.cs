using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository.Searching;

/// <summary>Searches that would tell what is hidden: by their conditions, their order, or what they include.</summary>
internal static class HiddenParameters
{
    /// <summary>One that the caller may not use; null when there is none.</summary>
    public static string? UsedBy(SearchQuery query, FieldRules fields)
    {
        if (!fields.HidesAnything)
        {
            return null;
        }

        foreach (var part in query.Parts.Count > 0 ? query.Parts : [query])
        {
            if (part.Criteria.Select(criterion => Reads(criterion, part.ResourceType, fields)).FirstOrDefault(found => found is not null) is { } found)
            {
                return found;
            }
        }

        return query.Sort.Where(key => SortedTypes(query, key).Any(fields.ReadsHidden)).Select(key => key.Parameter.Code).FirstOrDefault()
            ?? query.Includes.Where(rule => Reads(rule, fields)).Select(rule => rule.Parameter?.Code ?? "*").FirstOrDefault();
    }

    // A search over several types is sorted by the parameter of each.
    private static IEnumerable<SearchParameter> SortedTypes(SearchQuery query, SortKey key) => query.Parts.Count == 0 ? [key.Parameter]
        : query.Parts.Select(part => FhirDefinitions.R4.SearchParameter(part.ResourceType, key.Parameter.Code) ?? key.Parameter);

    private static bool Reads(IncludeRule rule, FieldRules fields) => rule.Parameter is { } parameter ? fields.ReadsHidden(parameter)
        : (rule.SourceType == "*" ? FhirDefinitions.R4.ResourceTypes : [rule.SourceType]).Where(fields.Hides)
            .Any(type => FhirDefinitions.R4.SearchParameters(type).Any(one => one.Type == SearchParameterType.Reference && fields.ReadsHidden(one)));

    private static string? Reads(SearchCriterion criterion, string type, FieldRules fields) => criterion switch
    {
        SearchCriterion.And and => First(and.Parts, type, fields),
        SearchCriterion.Or or => First(or.Parts, type, fields),
        SearchCriterion.Not not => Reads(not.Inner, type, fields),
        SearchCriterion.Chain chain => (fields.ReadsHidden(chain.Of) ? chain.Of.Code : null) ?? Reads(chain.Inner, chain.TargetType, fields),
        SearchCriterion.Has has => (fields.ReadsHidden(has.Reference) ? has.Reference.Code : null) ?? Reads(has.Inner, has.SourceType, fields),
        SearchCriterion.FullText => fields.Hides(type) ? "_text" : null,
        { Parameter: { } parameter } => fields.ReadsHidden(parameter) ? parameter.Code : null,
        SearchCriterion.InList => null,

        // A kind of condition that nobody thought of here is not let through.
        _ => fields.Hides(type) ? "condition" : null,
    };

    private static string? First(IReadOnlyList<SearchCriterion> parts, string type, FieldRules fields) => parts.Select(part => Reads(part, type, fields)).FirstOrDefault(found => found is not null);
}
