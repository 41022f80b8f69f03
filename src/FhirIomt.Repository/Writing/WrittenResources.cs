using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository.Writing;

/// <summary>Resources of one type that a transaction is about to store, by the ids that they will have, and which of them meet a condition.</summary>
internal sealed class WrittenResources(SearchIndexer indexer)
{
    private readonly CriterionMatch _match = new(indexer);
    private readonly Dictionary<string, JsonTree> _byId = new(StringComparer.Ordinal);

    // Most conditions name an identifier. Comparing five thousand of them with five thousand resources took 15 s.
    private readonly Dictionary<string, ILookup<string, string>> _byCode = new(StringComparer.Ordinal);

    public int Count => _byId.Count;

    /// <summary>All are added before the first condition is asked.</summary>
    public void Add(string id, JsonTree resource) => _byId[id] = resource;

    public bool Contains(string id) => _byId.ContainsKey(id);

    /// <param name="query">One that <see cref="CriterionMatch.CanDecide"/>.</param>
    public IEnumerable<(string Id, JsonTree Resource)> Meeting(SearchQuery query) =>
        Candidates(query).Select(id => (id, _byId[id])).Where(one => query.Criteria.All(criterion => _match.Matches(criterion, one.Item2)));

    private IEnumerable<string> Candidates(SearchQuery query) =>
        query.Criteria.OfType<SearchCriterion.Tokens>().FirstOrDefault(tokens => !tokens.Negated && tokens.Values.All(value => value.Code is not null)) is { } named
            ? named.Values.SelectMany(value => ByCode(named.Of)[value.Code!]).Distinct(StringComparer.Ordinal)
            : _byId.Keys;

    private ILookup<string, string> ByCode(SearchParameter parameter)
    {
        if (!_byCode.TryGetValue(parameter.Code, out var known))
        {
            _byCode[parameter.Code] = known = _byId
                .SelectMany(one => indexer.Extract(one.Value, [parameter]).OfType<IndexValue.Token>().Select(token => (token.Code, one.Key)))
                .ToLookup(one => one.Code, one => one.Key, StringComparer.Ordinal);
        }

        return known;
    }
}
