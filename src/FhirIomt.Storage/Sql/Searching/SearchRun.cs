using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>One search: a page of matches, what belongs to it, and how many there are.</summary>
internal sealed class SearchRun(SqlEngine engine, SqlConnection connection, SearchQuery query, SearchAccess access)
{
    public Outcome<SearchPage> Run() => query.Parts.Count > 0 ? OfSeveralTypes() : OfOneType();

    private Outcome<SearchPage> OfOneType()
    {
        var search = new TypeSearch(engine, connection, query, access.Matches, access);
        if (search.Refusal is { } refusal)
        {
            return refusal;
        }

        if ((query.Cursor is null ? SearchCursor.Start : search.Position(query.Cursor)) is not { } position)
        {
            return SearchIssues.BadCursor();
        }

        return query.CountOnly
            ? new SearchPage([], [], null, search.Count())
            : Page(search.Find(position, query.Count + 1), one => one.Position.ToText(query.Fingerprint, search.Order), search.Count);
    }

    private Outcome<SearchPage> OfSeveralTypes()
    {
        var search = new SystemSearch(engine, connection, query, access);
        if (search.Refusal is { } refusal)
        {
            return refusal;
        }

        if ((query.Cursor is null ? SearchCursor.Start : SystemSearch.Position(query)) is not { } position || search.Find(position, query.Count + 1) is not { } found)
        {
            return SearchIssues.BadCursor();
        }

        return query.CountOnly
            ? new SearchPage([], [], null, search.Count())
            : Page(found, one => one.Position.ToText(query.Fingerprint, SystemSearch.Order), search.Count);
    }

    private SearchPage Page(List<Found> found, Func<Found, string> cursor, Func<long> count)
    {
        var more = found.Count > query.Count;
        if (more)
        {
            found.RemoveRange(query.Count, found.Count - query.Count);
        }

        var matches = found.ConvertAll(one => one.Resource);
        var total = query.Total == TotalMode.Accurate ? count() : more || query.Cursor is not null ? null : (long?)matches.Count;
        var includes = new Includes(engine, connection, query.Includes, access);
        includes.AddFor(matches);
        return new SearchPage(matches, includes.Included, more ? cursor(found[^1]) : null, total) { IncludesCut = includes.IsCut };
    }
}
