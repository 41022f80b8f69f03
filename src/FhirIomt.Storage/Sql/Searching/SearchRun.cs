using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>One search: a page of matches, what belongs to it, and how many there are.</summary>
internal sealed class SearchRun
{
    private readonly SqlEngine _engine;
    private readonly SqlConnection _connection;
    private readonly CatalogView _catalog;
    private readonly SearchQuery _query;
    private readonly SearchAccess _access;

    private SearchRun(SqlEngine engine, SqlConnection connection, CatalogView catalog, SearchQuery query, SearchAccess access) =>
        (_engine, _connection, _catalog, _query, _access) = (engine, connection, catalog, query, access);

    /// <summary>
    /// The page, its count and its includes. Where each statement is a round trip, a search that is a few statements in a row runs without a snapshot around them: what a chain leads to is found first, then the page, then
    /// what belongs to it, each as of its own moment and in that order, each authorised as what was remembered holds at the last of them (docs/adr/0015). All else is of one moment.
    /// </summary>
    public static Outcome<SearchPage> Search(SqlEngine engine, SqlConnection connection, SearchQuery query, SearchAccess access)
    {
        if (!connection.IsReadOnly)
        {
            return new SearchRun(engine, connection, new CatalogView(connection, engine.Catalog.At(null), inSnapshot: true), query, access).Run();
        }

        long? number = null;
        return connection.Dialect.Apply is not null && NeedsNoSnapshot(query) && TryRun(engine, connection, query, access, inSnapshot: false, ref number, out var page)
            ? page
            : connection.InSnapshot(() =>
            {
                Outcome<SearchPage> consistent;
                while (!TryRun(engine, connection, query, access, inSnapshot: true, ref number, out consistent))
                {
                    // The catalog had moved: once more, by what this snapshot says.
                }

                return consistent;
            });
    }

    private static bool TryRun(SqlEngine engine, SqlConnection connection, SearchQuery query, SearchAccess access, bool inSnapshot, ref long? number, out Outcome<SearchPage> page)
    {
        var catalog = new CatalogView(connection, engine.Catalog.At(number), inSnapshot);
        page = new SearchRun(engine, connection, catalog, query, access).Run();
        var holds = catalog.Confirm();
        number = catalog.Seen;
        return holds && (inSnapshot || !catalog.IsUncertain);
    }

    // A page and the number of all matches must not contradict each other.
    private static bool NeedsNoSnapshot(SearchQuery query) => query.Parts.Count == 0 && (query.CountOnly || query.Total != TotalMode.Accurate);

    private Outcome<SearchPage> Run() => _query.Parts.Count > 0 ? OfSeveralTypes() : OfOneType();

    private Outcome<SearchPage> OfOneType()
    {
        var search = new TypeSearch(_engine, _connection, _catalog, _query, _access.Matches, _access);
        if (search.Refusal is { } refusal)
        {
            return refusal;
        }

        if ((_query.Cursor is null ? SearchCursor.Start : search.Position(_query.Cursor)) is not { } position)
        {
            return SearchIssues.BadCursor();
        }

        if (!_catalog.InSnapshot && !_query.CountOnly && !search.IsOneStatement)
        {
            _catalog.Lacks();
            return new SearchPage([], [], null, null);
        }

        return _query.CountOnly
            ? new SearchPage([], [], null, search.Count())
            : Page(search.Find(position, _query.Count + 1), one => one.Position.ToText(_query.Fingerprint, search.Order), search.Count);
    }

    private Outcome<SearchPage> OfSeveralTypes()
    {
        var search = new SystemSearch(_engine, _connection, _catalog, _query, _access);
        if (search.Refusal is { } refusal)
        {
            return refusal;
        }

        if ((_query.Cursor is null ? SearchCursor.Start : SystemSearch.Position(_query)) is not { } position || search.Find(position, _query.Count + 1) is not { } found)
        {
            return SearchIssues.BadCursor();
        }

        return _query.CountOnly
            ? new SearchPage([], [], null, search.Count())
            : Page(found, one => one.Position.ToText(_query.Fingerprint, SystemSearch.Order), search.Count);
    }

    private SearchPage Page(List<Found> found, Func<Found, string> cursor, Func<long> count)
    {
        var more = found.Count > _query.Count;
        if (more)
        {
            found.RemoveRange(_query.Count, found.Count - _query.Count);
        }

        var matches = found.ConvertAll(one => one.Resource);
        var total = _query.Total == TotalMode.Accurate ? count() : more || _query.Cursor is not null ? null : (long?)matches.Count;
        var includes = new Includes(_engine, _connection, _catalog, _query.Includes, _access);
        includes.AddFor(matches);
        return new SearchPage(matches, includes.Included, more ? cursor(found[^1]) : null, total) { IncludesCut = includes.IsCut };
    }
}
