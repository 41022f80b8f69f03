using FhirIomt.Access;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>
/// Search parameters of somebody's own: the stored SearchParameters that are active, and those that come with the server. New writes are indexed by them at once;
/// searches may use one when every stored resource has been (<see cref="Reindexing"/>).
/// </summary>
public sealed class CustomParameters(IStore store, IndexPolicy policy)
{
    /// <summary>Each costs an evaluation for each write of its types; a thousand is more than any guide defines.</summary>
    public const int MaxParameters = 1000;

    private List<CustomParameter>? _known;

    /// <summary>Takes up what has been written since, by whichever process. Not for two callers at once.</summary>
    /// <param name="changed">Some definition was written since the last call.</param>
    public async ValueTask RefreshAsync(IEnumerable<DefinitionResource> builtIn, bool changed, CancellationToken cancellationToken)
    {
        // What is complete first: a parameter must not count as complete by a record older than its definition.
        var complete = (await store.ListRecordsAsync(RecordKind.SearchIndex, cancellationToken).ConfigureAwait(false)).Select(record => record.Id).ToHashSet(StringComparer.Ordinal);
        _known = changed ? null : _known;
        var custom = _known ??= await ReadAsync(builtIn, cancellationToken).ConfigureAwait(false);
        policy.Use(custom, complete);
        await ForgetAsync([.. complete.Except(custom.Select(parameter => parameter.IndexName), StringComparer.Ordinal)], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<List<CustomParameter>> ReadAsync(IEnumerable<DefinitionResource> builtIn, CancellationToken cancellationToken)
    {
        var custom = builtIn.Select(definition => CustomParameter.Read(definition.Tree.Root, policy.Definitions).Parameter).OfType<CustomParameter>().ToList();
        var query = new SearchQuery { ResourceType = "SearchParameter", Count = SearchLimits.MaxCount, Sort = [new SortKey(policy.Find("SearchParameter", "_lastUpdated")!, Descending: false)] };
        do
        {
            var page = (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
            foreach (var stored in page.Matches)
            {
                var root = JsonTree.Parse(stored.Body).Require().Root;
                if (root["status"u8].TextEquals("active"u8) && custom.Count < MaxParameters && CustomParameter.Read(root, policy.Definitions).Parameter is { } parameter && !IsTaken(custom, parameter))
                {
                    custom.Add(parameter);
                }
            }

            query = query with { Cursor = page.Next };
        }
        while (query.Cursor is not null);

        return custom;
    }

    // What is written while a parameter is gone is not indexed by it: should it come back, it begins anew.
    private async ValueTask ForgetAsync(List<string> gone, CancellationToken cancellationToken)
    {
        if (gone.Count > 0)
        {
            await store.WriteAsync([new Forgetting(gone)], cancellationToken).ConfigureAwait(false);
        }
    }

    private sealed class Forgetting(List<string> gone) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => gone.ForEach(name => transaction.DeleteRecord(RecordKind.SearchIndex, name));
    }

    // Of two with the same code for a type the first one stays: what it finds must not change by somebody else's POST.
    private static bool IsTaken(List<CustomParameter> custom, CustomParameter parameter) =>
        custom.Exists(known => known.Parameters.Any(one => parameter.Parameters.Any(other => one.ResourceType == other.ResourceType && one.Code == other.Code)));
}
