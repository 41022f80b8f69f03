using FhirIomt.Access;
using FhirIomt.Access.Consents;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// The consents that withhold something, read whole: each request asks all of them. Read again when a consent has changed, which two short searches tell
/// (how many there are, and which was written last).
/// </summary>
internal sealed class ConsentBook(IStore store, SearchQueryParser parser, SearchIndexer indexer)
{
    private Edition _edition = new("", []);

    public async ValueTask<IReadOnlyList<ConsentRule>> ReadAsync(CancellationToken cancellationToken)
    {
        // Taken before the consents are read: what changes in between is read again next time.
        var mark = await MarkAsync(cancellationToken).ConfigureAwait(false);
        var edition = Volatile.Read(ref _edition);
        if (edition.Mark != mark)
        {
            edition = new Edition(mark, await LoadAsync(cancellationToken).ConfigureAwait(false));
            Volatile.Write(ref _edition, edition);
        }

        return edition.Rules;
    }

    private async ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        var newest = (await SearchAsync("_sort=-_lastUpdated&_count=1&_total=accurate", cursor: null, cancellationToken).ConfigureAwait(false)).Matches;
        var count = (await SearchAsync("_summary=count", cursor: null, cancellationToken).ConfigureAwait(false)).Total;
        return newest is [var one] ? $"{count} {one.Id}/{one.Version} {one.LastUpdated.UtcTicks}" : "none";
    }

    private async ValueTask<List<ConsentRule>> LoadAsync(CancellationToken cancellationToken)
    {
        var rules = new List<ConsentRule>();
        string? cursor = null;
        do
        {
            var page = await SearchAsync($"status=active&_count={SearchLimits.MaxCount}", cursor, cancellationToken).ConfigureAwait(false);
            foreach (var consent in page.Matches)
            {
                if (ConsentRule.Read(JsonTree.Parse(consent.Body).Require().Root, indexer.ServerBase) is { } rule)
                {
                    rules.Add(rule);
                }
            }

            cursor = page.Next;
        }
        while (cursor is not null);

        return rules;
    }

    private async ValueTask<SearchPage> SearchAsync(string search, string? cursor, CancellationToken cancellationToken)
    {
        var query = parser.Parse("Consent", SearchCondition.Arguments(search), lenient: false).Require() with { Cursor = cursor };
        return (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
    }

    private sealed record Edition(string Mark, IReadOnlyList<ConsentRule> Rules);
}
