using FhirIomt.Core.Units;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>Criteria evaluated on a document's own values, by plain loops: what the store's answers are compared with. Everything is extracted here, derived parameters too.</summary>
internal sealed class Evaluation(Func<string, IEnumerable<Document>> ofType)
{
    public bool Matches(SearchCriterion criterion, Document document) => criterion switch
    {
        SearchCriterion.And and => and.Parts.All(part => Matches(part, document)),
        SearchCriterion.Or or => or.Parts.Any(part => Matches(part, document)),
        SearchCriterion.Not not => !Matches(not.Inner, document),
        SearchCriterion.Ids ids => ids.Values.Contains(document.Id),
        SearchCriterion.Chain chain => ValuesOf(chain, document).OfType<IndexValue.Reference>().Any(reference => reference.Type == chain.TargetType
            && ofType(chain.TargetType).Any(target => target.Id == reference.Id && Matches(chain.Inner, target))),
        SearchCriterion.Has has => ofType(has.SourceType).Any(source => Matches(has.Inner, source)
            && source.Values.OfType<IndexValue.Reference>().Any(reference => reference.Parameter == has.Reference && reference.Type == document.Type && reference.Id == document.Id)),
        SearchCriterion.Missing missing => missing.IsMissing != ValuesOf(missing, document).Any(value => value is not IndexValue.Token { Code: "", Texts.Count: 0 }),
        SearchCriterion.Dates { Parameter.Code: "_lastUpdated" } dates => Updated(document) is var at && dates.Values.Any(wanted => wanted.Matches(at, at.AddMilliseconds(1))),
        SearchCriterion.Dates { Parameter.Code: "date", Parameter.ResourceType: "Observation" } dates => Timed(document) is var (start, end) && dates.Values.Any(wanted => wanted.Matches(start, end)),
        SearchCriterion.Tokens { Negated: true } tokens => !ValuesOf(tokens, document).Any(value => Meets(new SearchCriterion.Tokens(tokens.Of, tokens.Values, Negated: false), value)),
        _ => ValuesOf(criterion, document).Any(value => Meets(criterion, value)),
    };

    public static DateTimeOffset Updated(Document document) => DateTimeOffset.Parse(document.Tree.Root["meta"u8]["lastUpdated"u8].AsString()!, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What the resource is sorted by; null for nothing.</summary>
    public static IComparable? SortValue(SortKey key, Document document)
    {
        var values = document.Values.Where(value => value.Parameter == key.Parameter).Select(value => SortValue(value, key.Descending)).OfType<IComparable>().ToList();
        return key.Parameter.Code == "_lastUpdated" ? document.WrittenAs : key.Parameter.Code == "_id" ? new Text(document.Id) : key.Descending ? values.Max() : values.Min();
    }

    private static IComparable? SortValue(IndexValue value, bool descending) => value switch
    {
        IndexValue.Token { Code.Length: > 0 } token => new Text(token.Code),
        IndexValue.Text text => new Text(Fold(text.Value)),
        IndexValue.Date date => date.Start.UtcTicks,
        IndexValue.Number number => number.Value,
        IndexValue.Quantity quantity => quantity.Value ?? (descending ? quantity.High : quantity.Low),
        IndexValue.Reference reference => new Text(reference.Id ?? reference.Url ?? ""),
        IndexValue.Uri uri => new Text(uri.Value),
        _ => null,
    };

    private static IEnumerable<IndexValue> ValuesOf(SearchCriterion criterion, Document document) => document.Values.Where(value => value.Parameter == criterion.Parameter);

    private static (DateTimeOffset Start, DateTimeOffset End)? Timed(Document document)
    {
        var dates = document.Values.OfType<IndexValue.Date>().Where(date => date.Parameter.Code == "date").ToList();
        return dates.Count == 0 ? null : (dates.Min(date => date.Start), dates.Max(date => date.End));
    }

    private static bool Meets(SearchCriterion criterion, IndexValue value) => (criterion, value) switch
    {
        (SearchCriterion.Tokens tokens, IndexValue.Token token) => token.Code.Length > 0 && tokens.Values.Any(wanted => wanted.Matches(token.System, token.Code)),
        (SearchCriterion.TokenTexts texts, IndexValue.Token token) => token.Texts.Any(text => texts.Values.Any(wanted => Fold(text).StartsWith(Fold(wanted), StringComparison.Ordinal))),
        (SearchCriterion.TypedIdentifiers typed, IndexValue.Token token) => typed.Values.Any(wanted => token.Code == wanted.Value && token.IdentifierTypes.Contains((wanted.System, wanted.Code))),
        (SearchCriterion.Dates dates, IndexValue.Date date) => dates.Values.Any(wanted => wanted.Matches(date.Start, date.End)),
        (SearchCriterion.Numbers numbers, IndexValue.Number number) => numbers.Values.Any(wanted => wanted.Matches(number.Value, number.Value)),
        (SearchCriterion.Quantities quantities, IndexValue.Quantity quantity) => quantities.Values.Any(wanted => Meets(wanted, quantity)),
        (SearchCriterion.References references, IndexValue.Reference reference) => references.Values.Any(wanted => Refers(wanted, reference)),
        (SearchCriterion.ReferenceIdentifiers identifiers, IndexValue.Reference reference) => reference.IdentifierValue is { } code && identifiers.Values.Any(wanted => wanted.Matches(reference.IdentifierSystem, code)),
        (SearchCriterion.Strings strings, IndexValue.Text text) => strings.Values.Any(wanted => Reads(strings.Mode, wanted, text.Value)),
        (SearchCriterion.Uris uris, IndexValue.Uri uri) => uris.Values.Any(wanted => Meets(uris.Mode, wanted, uri.Value)),
        (SearchCriterion.Composites composites, IndexValue.Composite composite) => composites.Values.Any(parts =>
            parts.Select((part, index) => composite.Parts[index].Any(one => Meets(part, one))).All(met => met)),
        _ => false,
    };

    private static bool Meets(QuantityMatch wanted, IndexValue.Quantity quantity)
    {
        var (low, high) = quantity.Value is { } point ? (point, point) : (quantity.Low, quantity.High);
        if (wanted is { System: "http://unitsofmeasure.org", Code: { } code })
        {
            return quantity.System == wanted.System && quantity.Code is { } stored && Converted(low, stored, code) is { } from && Converted(high, stored, code) is { } to && wanted.Number.Matches(from, to);
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
    private static decimal? Converted(decimal value, string from, string to) => value is decimal.MinValue or decimal.MaxValue && Ucum.Standard.AreComparable(from, to) ? value : Ucum.Standard.Convert(value, from, to);

    private static bool Refers(ReferenceMatch wanted, IndexValue.Reference reference) =>
        wanted.Url is not null ? reference.Url == wanted.Url : (reference.Id == wanted.Id || $"{reference.Id}/_history/{reference.Version}" == wanted.Id) && (wanted.Type is null || wanted.Type == reference.Type);

    private static bool Meets(UriMatchMode mode, string wanted, string stored) => mode switch
    {
        UriMatchMode.Below => stored == wanted || stored.StartsWith(wanted.TrimEnd('/') + "/", StringComparison.Ordinal),
        UriMatchMode.Above => stored == wanted || wanted.StartsWith(stored.TrimEnd('/') + "/", StringComparison.Ordinal),
        _ => stored == wanted,
    };

    private static bool Reads(StringMatchMode mode, string wanted, string text) => mode switch
    {
        StringMatchMode.Exact => text == wanted,
        StringMatchMode.Equals => Fold(text) == Fold(wanted),
        StringMatchMode.Contains => Fold(text).Contains(Fold(wanted), StringComparison.Ordinal),
        StringMatchMode.EndsWith => Fold(text).EndsWith(Fold(wanted), StringComparison.Ordinal),
        _ => Fold(text).StartsWith(Fold(wanted), StringComparison.Ordinal),
    };

    private static string Fold(string value) => value.ToLowerInvariant().Replace('ü', 'u').Replace('ö', 'o');

    // Byte by byte, as engines compare.
    private sealed record Text(string Value) : IComparable
    {
        public int CompareTo(object? other) => string.CompareOrdinal(Value, ((Text)other!).Value);
    }
}
