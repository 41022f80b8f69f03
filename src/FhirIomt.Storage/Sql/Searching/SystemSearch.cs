using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>A search over several types: one after the other, or merged when the order is that of their last change. Each is authorised by itself.</summary>
internal sealed class SystemSearch
{
    public const char Order = 'y';

    private readonly SqlEngine _engine;
    private readonly SearchQuery _query;
    private readonly List<TypeSearch> _searches;

    public SystemSearch(SqlEngine engine, SqlConnection connection, CatalogView catalog, SearchQuery query, SearchAccess access)
    {
        _engine = engine;
        _query = query;
        _searches = [.. query.Parts.Select(part => new TypeSearch(engine, connection, catalog, part with { Sort = query.Sort, Fingerprint = query.Fingerprint }, access.Part(part), access))];
    }

    public Issue? Refusal => _searches.Select(search => search.Refusal).FirstOrDefault(refusal => refusal is not null);

    /// <summary>The position of a page: the type's place and the cursor within it; merged, the tick of the last change.</summary>
    public static SearchCursor? Position(SearchQuery query) => SearchCursor.TryParse(query.Cursor!, query.Fingerprint, Order, query.Sort.Count > 0 ? "" : "ls");

    public long Count() => _searches.Sum(search => search.Count());

    /// <returns>Null when the position is none of this search.</returns>
    public List<Found>? Find(SearchCursor after, int limit) => _query.Sort.Count > 0 ? Merged(after, limit) : OneAfterTheOther(after, limit);

    private List<Found> Merged(SearchCursor after, int limit)
    {
        var found = new List<Found>();
        for (var index = 0; index < _searches.Count; index++)
        {
            // Ticks are the same clock for all types.
            var position = after.IsStart ? after : new SearchCursor([], ResourceKey.Of(_engine.TypeNumber(_query.Parts[index].ResourceType), after.Key & ResourceKey.TickMask));
            found.AddRange(_searches[index].Find(position, limit).Select(one => new Found.ByKey(one.Resource, one.Position.Key & ResourceKey.TickMask)));
        }

        found.Sort((left, right) => _query.Sort[0].Descending ? right.Position.Key.CompareTo(left.Position.Key) : left.Position.Key.CompareTo(right.Position.Key));
        return found.Count > limit ? found[..limit] : found;
    }

    private List<Found>? OneAfterTheOther(SearchCursor after, int limit)
    {
        var (first, inner) = (0L, SearchCursor.Start);
        if (!after.IsStart)
        {
            first = (long)(after.Values[0] ?? -1L);
            if (first < 0 || first >= _searches.Count || after.Values[1] is not string text || _searches[(int)first].Position(text) is not { } position)
            {
                return null;
            }

            inner = position;
        }

        var found = new List<Found>();
        for (var index = (int)first; index < _searches.Count && found.Count < limit; index++)
        {
            var search = _searches[index];
            var place = index;
            found.AddRange(search.Find(index == first ? inner : SearchCursor.Start, limit - found.Count).Select(one => new Found.OfType(one, place, search, _query.Fingerprint)));
        }

        return found;
    }
}
