using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>
/// Criteria decided on one resource by itself, from the values that the index would have of it: where there is no index (a contained resource), or where a second look must not ask it (what leaves).
/// </summary>
public sealed class CriterionMatch(SearchIndexer indexer)
{
    private const string UcumSystem = "http://unitsofmeasure.org";

    /// <summary>Whether one resource says it all: not what it refers to, who refers to it, or when it was stored.</summary>
    public static bool CanDecide(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.And and => and.Parts.All(CanDecide),
        SearchCriterion.Or or => or.Parts.All(CanDecide),
        SearchCriterion.Not not => CanDecide(not.Inner),
        SearchCriterion.Chain or SearchCriterion.Has or SearchCriterion.InList or SearchCriterion.FullText => false,
        _ => criterion.Parameter?.Code != "_lastUpdated",
    };

    /// <param name="resource">With a resourceType; what stands elsewhere in its document is not looked at.</param>
    public bool Matches(SearchCriterion criterion, JsonTree resource) => criterion switch
    {
        SearchCriterion.And and => and.Parts.All(part => Matches(part, resource)),
        SearchCriterion.Or or => or.Parts.Any(part => Matches(part, resource)),
        SearchCriterion.Not not => !Matches(not.Inner, resource),
        SearchCriterion.Ids ids => resource.Root["id"u8].AsString() is { } id && ids.Values.Contains(id, StringComparer.Ordinal),
        SearchCriterion.Missing missing => missing.IsMissing != Values(missing, resource).Any(value => value is not IndexValue.Token { Code: "", Texts.Count: 0 }),
        SearchCriterion.Tokens { Negated: true } tokens => !Matches(tokens with { Negated = false }, resource),
        _ when CanDecide(criterion) => Values(criterion, resource).Any(value => Meets(criterion, value)),
        _ => throw new ArgumentException($"A {criterion.GetType().Name} is not decided on one resource.", nameof(criterion)),
    };

    private IReadOnlyList<IndexValue> Values(SearchCriterion criterion, JsonTree resource) => indexer.Extract(resource, [criterion.Parameter!]);

    private static bool Meets(SearchCriterion criterion, IndexValue value) => (criterion, value) switch
    {
        (SearchCriterion.Tokens tokens, IndexValue.Token token) => token.Code.Length > 0 && tokens.Values.Any(wanted => wanted.Matches(token.System, token.Code)),
        (SearchCriterion.TokenTexts texts, IndexValue.Token token) => token.Texts.Any(text => texts.Values.Any(wanted => Reads(StringMatchMode.StartsWith, wanted, text))),
        (SearchCriterion.TypedIdentifiers typed, IndexValue.Token token) => typed.Values.Any(wanted => token.Code == wanted.Value && token.IdentifierTypes.Contains((wanted.System, wanted.Code))),
        (SearchCriterion.Dates dates, IndexValue.Date date) => dates.Values.Any(wanted => wanted.Matches(date.Start, date.End)),
        (SearchCriterion.Numbers numbers, IndexValue.Number number) => numbers.Values.Any(wanted => wanted.Matches(number.Value, number.Value)),
        (SearchCriterion.Quantities quantities, IndexValue.Quantity quantity) => quantities.Values.Any(wanted => Meets(wanted, quantity)),
        (SearchCriterion.References references, IndexValue.Reference reference) => references.Values.Any(wanted => Refers(wanted, reference)),
        (SearchCriterion.ReferenceIdentifiers identifiers, IndexValue.Reference { IdentifierValue: { } code } reference) => identifiers.Values.Any(wanted => wanted.Matches(reference.IdentifierSystem, code)),
        (SearchCriterion.Strings strings, IndexValue.Text text) => strings.Values.Any(wanted => Reads(strings.Mode, wanted, text.Value)),

        (SearchCriterion.Uris uris, IndexValue.Uri uri) => uris.Values.Any(wanted => Meets(uris.Mode, wanted, uri.Value)),
        (SearchCriterion.Composites composites, IndexValue.Composite composite) => composites.Values.Any(parts =>
            parts.Select((part, index) => composite.Parts[index].Any(one => Meets(part, one))).All(met => met)),
        _ => false,
    };

    // The stored value is the point it says (R4 §3.1.1.4.11), compared in the unit that is asked for.
    private static bool Meets(QuantityMatch wanted, IndexValue.Quantity quantity)
    {
        var (low, high) = quantity.Value is { } point ? (point, point) : (quantity.Low, quantity.High);
        if (wanted is { System: UcumSystem, Code: { } code } && Ucum.Standard.IsValid(code))
        {
            return quantity.System == UcumSystem && quantity.Code is { } stored && Converted(low, stored, code) is { } from && Converted(high, stored, code) is { } to
                && wanted.Number.Matches(Math.Min(from, to), Math.Max(from, to));
        }

        var isUnit = wanted switch
        {
            { Code: null, System: null } => true,
            { Code: null } => quantity.System == wanted.System,
            { System: null } => quantity.Code == wanted.Code || quantity.Unit == wanted.Code,
            _ => quantity.System == wanted.System && quantity.Code == wanted.Code,
        };
        return isUnit && wanted.Number.Matches(low, high);
    }

    // An open end is open in every unit.
    private static decimal? Converted(decimal value, string from, string to) =>
        from == to || (value is decimal.MinValue or decimal.MaxValue && Ucum.Standard.AreComparable(from, to)) ? value : Ucum.Standard.Convert(value, from, to);

    private static bool Refers(ReferenceMatch wanted, IndexValue.Reference reference)
    {
        if (wanted.Url is { } url)
        {
            return reference.Url is { } stored && (stored == url || (reference.Version is { } version && $"{stored}|{version}" == url));
        }

        return reference.Id is { } id && (wanted.Type is null || wanted.Type == reference.Type) && (wanted.Id == id || (reference.Version is { } asked && wanted.Id == $"{id}/_history/{asked}"));
    }

    private static bool Meets(UriMatchMode mode, string wanted, string stored) => stored == wanted || mode switch
    {
        UriMatchMode.Below => stored.StartsWith(wanted.TrimEnd('/') + "/", StringComparison.Ordinal),
        UriMatchMode.Above => wanted.StartsWith(stored.TrimEnd('/') + "/", StringComparison.Ordinal),
        _ => false,
    };

    private static bool Reads(StringMatchMode mode, string wanted, string text)
    {
        if (mode == StringMatchMode.Exact)
        {
            return text == wanted;
        }

        var (sought, folded) = (TextFolding.Fold(wanted), TextFolding.Fold(text));
        return mode switch
        {
            StringMatchMode.Equals => folded == sought,
            StringMatchMode.Contains => folded.Contains(sought, StringComparison.Ordinal),
            StringMatchMode.EndsWith => folded.EndsWith(sought, StringComparison.Ordinal),
            _ => folded.StartsWith(sought, StringComparison.Ordinal),
        };
    }
}
