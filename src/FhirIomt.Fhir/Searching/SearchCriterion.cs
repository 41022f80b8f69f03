using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>One condition of a search. A closed set.</summary>
public abstract record SearchCriterion
{
    private SearchCriterion(SearchParameter? parameter) => Parameter = parameter;

    /// <summary>The parameter whose values are compared; null where a criterion is about more or about none.</summary>
    public SearchParameter? Parameter { get; }

    /// <summary><c>_id</c>.</summary>
    public sealed record Ids(SearchParameter Of, IReadOnlyList<string> Values) : SearchCriterion(Of);

    /// <param name="Negated"><c>:not</c>, <c>:not-in</c>: no value of the parameter matches any alternative.</param>
    public sealed record Tokens(SearchParameter Of, IReadOnlyList<TokenMatch> Values, bool Negated) : SearchCriterion(Of);

    /// <summary><c>:text</c>: displays and texts of the tokens, matched as strings are.</summary>
    public sealed record TokenTexts(SearchParameter Of, IReadOnlyList<string> Values) : SearchCriterion(Of);

    /// <summary><c>:of-type</c>.</summary>
    public sealed record TypedIdentifiers(SearchParameter Of, IReadOnlyList<TypedIdentifierMatch> Values) : SearchCriterion(Of);

    public sealed record Dates(SearchParameter Of, IReadOnlyList<DateMatch> Values) : SearchCriterion(Of);

    public sealed record References(SearchParameter Of, IReadOnlyList<ReferenceMatch> Values) : SearchCriterion(Of);

    /// <summary><c>:identifier</c>: what the reference itself says, not the resource it points to.</summary>
    public sealed record ReferenceIdentifiers(SearchParameter Of, IReadOnlyList<TokenMatch> Values) : SearchCriterion(Of);

    public sealed record Strings(SearchParameter Of, IReadOnlyList<string> Values, StringMatchMode Mode) : SearchCriterion(Of);

    public sealed record Uris(SearchParameter Of, IReadOnlyList<string> Values, UriMatchMode Mode) : SearchCriterion(Of);

    public sealed record Numbers(SearchParameter Of, IReadOnlyList<NumberMatch> Values) : SearchCriterion(Of);

    public sealed record Quantities(SearchParameter Of, IReadOnlyList<QuantityMatch> Values) : SearchCriterion(Of);

    /// <summary>Each alternative has one criterion for each component; one repetition must meet all of them.</summary>
    public sealed record Composites(SearchParameter Of, IReadOnlyList<IReadOnlyList<SearchCriterion>> Values) : SearchCriterion(Of);

    /// <summary><c>:missing</c>.</summary>
    public sealed record Missing(SearchParameter Of, bool IsMissing) : SearchCriterion(Of);

    /// <summary>The reference points to a resource of that type which meets the inner criterion.</summary>
    public sealed record Chain(SearchParameter Of, string TargetType, SearchCriterion Inner) : SearchCriterion(Of);

    /// <summary><c>_has</c>: a resource of that type meets the inner criterion and refers to this one by that parameter.</summary>
    public sealed record Has(string SourceType, SearchParameter Reference, SearchCriterion Inner) : SearchCriterion((SearchParameter?)null);

    /// <summary><c>_list</c>: is an item of one of those Lists.</summary>
    public sealed record InList(IReadOnlyList<string> ListIds) : SearchCriterion((SearchParameter?)null);

    /// <summary><c>_text</c> or <c>_content</c>: all words occur.</summary>
    public sealed record FullText(bool NarrativeOnly, string Words) : SearchCriterion((SearchParameter?)null);

    public sealed record And(IReadOnlyList<SearchCriterion> Parts) : SearchCriterion((SearchParameter?)null);

    public sealed record Or(IReadOnlyList<SearchCriterion> Parts) : SearchCriterion((SearchParameter?)null);

    public sealed record Not(SearchCriterion Inner) : SearchCriterion((SearchParameter?)null);
}
