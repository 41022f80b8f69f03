using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Definitions;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>
/// <c>$reindex</c>: indexes what is stored by a parameter of somebody's own, in the background, a few hundred resources to a transaction, with its position in the store:
/// what is stopped goes on from there. New writes are indexed from the moment the parameter is known; a second round takes what was prepared before that.
/// </summary>
public sealed class Reindexing(IStore store, IndexPolicy policy, ServerDefinitions definitions, TimeProvider time)
{
    // The write lock is held for about 30 ms.
    private const int GroupSize = 200;

    // Other nodes know a new parameter after a second at the latest (their generation poll), and a write is prepared long before another second is over.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);

    /// <summary>Begins, for whoever may change every search parameter.</summary>
    /// <param name="id">Of a SearchParameter; null for all that are not complete.</param>
    public async ValueTask<ReindexResult> StartAsync(string? id, AccessScope scope, CancellationToken cancellationToken)
    {
        if (scope.PredicateFor("SearchParameter", ScopeInteractions.Update) is not AccessPredicate.Everything)
        {
            return new ReindexResult.Refused(RepositoryIssues.TypeDenied("SearchParameter", "$reindex"));
        }

        await definitions.RefreshAsync(cancellationToken).ConfigureAwait(false);
        var chosen = Chosen(id);
        if (id is not null && chosen.Count == 0)
        {
            return new ReindexResult.Refused(RepositoryIssues.NoSuchParameter());
        }

        var begun = time.GetUtcNow();
        var states = chosen.Where(parameter => !policy.IsComplete(parameter)).Select(parameter => new ReindexState(parameter.Id, parameter.IndexName, begun, 0, 0, 0, 0)).ToList();
        var running = await ListAsync(cancellationToken).ConfigureAwait(false);
        var added = states.Where(state => !running.Any(one => one.IndexName == state.IndexName)).ToList();
        if (added.Count > 0)
        {
            await store.WriteAsync([new Recording(transaction => added.ForEach(state => transaction.PutRecord(state.ToRecord())))], cancellationToken).ConfigureAwait(false);
        }

        return new ReindexResult.States(await StatesAsync(id, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>How far the indexing of each known parameter is.</summary>
    public async ValueTask<ReindexResult> StatesAsync(string? id, AccessScope scope, CancellationToken cancellationToken)
    {
        if (scope.PredicateFor("SearchParameter", ScopeInteractions.Read) is not AccessPredicate.Everything)
        {
            return new ReindexResult.Refused(RepositoryIssues.TypeDenied("SearchParameter", "$reindex"));
        }

        var states = await StatesAsync(id, cancellationToken).ConfigureAwait(false);
        return id is not null && states.Count == 0 ? new ReindexResult.Refused(RepositoryIssues.NoSuchParameter()) : new ReindexResult.States(states);
    }

    private async ValueTask<IReadOnlyList<ReindexState>> StatesAsync(string? id, CancellationToken cancellationToken)
    {
        var running = await ListAsync(cancellationToken).ConfigureAwait(false);
        return [.. Chosen(id).Select(parameter => running.FirstOrDefault(state => state.IndexName == parameter.IndexName)
            ?? new ReindexState(parameter.Id, parameter.IndexName, default, 0, 0, 0, 0) { IsComplete = policy.IsComplete(parameter), IsWaiting = !policy.IsComplete(parameter) })];
    }

    /// <summary>Does the next piece of what was asked for; false when there is nothing to do.</summary>
    public async ValueTask<bool> StepAsync(CancellationToken cancellationToken)
    {
        if ((await ListAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault() is not { } state)
        {
            return false;
        }

        if (Known(state) is null)
        {
            // Another node may know the parameter before this one does.
            await definitions.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }

        if (Known(state) is not { } parameter)
        {
            // Deleted or changed meanwhile: whoever asks for it again begins anew.
            await store.WriteAsync([new Recording(transaction => transaction.DeleteRecord(RecordKind.Reindexing, state.RecordId))], cancellationToken).ConfigureAwait(false);
            return true;
        }

        if (state.Round == 1 && state.Position == 0 && state.Base == 0 && state.Begun + Settled - time.GetUtcNow() is { Ticks: > 0 } wait)
        {
            await Task.Delay(wait < Settled ? wait : Settled, time, cancellationToken).ConfigureAwait(false);
        }

        await store.WriteAsync([new Recording(transaction => Advance(transaction, parameter, state))], cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>A parameter that comes with the server needs no indexing where nothing of its types is stored yet.</summary>
    public async ValueTask CompleteEmptyAsync(CancellationToken cancellationToken)
    {
        var empty = new List<CustomParameter>();
        foreach (var parameter in policy.Custom.Where(parameter => !policy.IsComplete(parameter)))
        {
            var isEmpty = true;
            foreach (var one in parameter.Parameters)
            {
                var page = await store.SearchAsync(new SearchQuery { ResourceType = one.ResourceType, Count = 1 }, SearchAccess.Everything, cancellationToken).ConfigureAwait(false);
                isEmpty &= page.Require().Matches.Count == 0;
            }

            if (isEmpty)
            {
                empty.Add(parameter);
            }
        }

        if (empty.Count > 0)
        {
            await store.WriteAsync([new Recording(transaction => empty.ForEach(parameter => Complete(transaction, parameter.IndexName)))], cancellationToken).ConfigureAwait(false);
            await definitions.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private CustomParameter? Known(ReindexState state) => policy.Custom.FirstOrDefault(parameter => parameter.IndexName == state.IndexName);

    private static void Advance(IWriteTransaction transaction, CustomParameter parameter, ReindexState state)
    {
        if (transaction.FindRecord(RecordKind.Reindexing, state.RecordId) is not { } record || ReindexState.Of(record) != state)
        {
            // Another node has done this piece meanwhile; going on from an older state would bring back what it finished.
            return;
        }

        var since = state.Round == 0 ? DateTimeOffset.MinValue : state.Begun.AddMinutes(-1);
        var (position, count) = transaction.ReindexNext(parameter.Parameters[state.Base].ResourceType, state.Position, since, GroupSize);
        var next = count > 0 ? state with { Position = position, Done = state.Done + count }
            : state.Base + 1 < parameter.Parameters.Count ? state with { Base = state.Base + 1, Position = 0 }
            : state with { Round = state.Round + 1, Base = 0, Position = 0 };
        if (next.Round < 2)
        {
            transaction.PutRecord(next.ToRecord());
            return;
        }

        transaction.DeleteRecord(RecordKind.Reindexing, state.RecordId);
        Complete(transaction, state.IndexName);
    }

    private static void Complete(IWriteTransaction transaction, string indexName) => transaction.PutRecord(new StoredRecord(RecordKind.SearchIndex, indexName, "{}"u8.ToArray()));

    private List<CustomParameter> Chosen(string? id) => [.. policy.Custom.Where(parameter => id is null || parameter.Id == id)];

    private async ValueTask<List<ReindexState>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListRecordsAsync(RecordKind.Reindexing, cancellationToken).ConfigureAwait(false)).Select(ReindexState.Of)];

    private sealed class Recording(Action<IWriteTransaction> work) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => work(transaction);
    }
}

/// <summary>What <c>$reindex</c> answers. A closed set.</summary>
public abstract record ReindexResult
{
    private ReindexResult()
    {
    }

    public sealed record States(IReadOnlyList<ReindexState> Parameters) : ReindexResult;

    public sealed record Refused(Refusal Refusal) : ReindexResult;
}

/// <summary>How far the indexing by a parameter is.</summary>
/// <param name="ParameterId">Of the SearchParameter.</param>
/// <param name="Round">0: everything that is stored; 1: what changed since it was begun.</param>
/// <param name="Base">Which of the parameter's base types.</param>
/// <param name="Position">Within that type, as the store counts.</param>
/// <param name="Done">Resources so far.</param>
public sealed record ReindexState(string ParameterId, string IndexName, DateTimeOffset Begun, int Round, int Base, long Position, long Done)
{
    public bool IsComplete { get; init; }

    /// <summary>Nobody has asked for it yet.</summary>
    public bool IsWaiting { get; init; }

    public string RecordId => IndexName;

    public StoredRecord ToRecord() => new(RecordKind.Reindexing, RecordId, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["parameter"] = ParameterId,
        ["begun"] = Text(Begun.UtcTicks),
        ["round"] = Text(Round),
        ["base"] = Text(Base),
        ["position"] = Text(Position),
        ["done"] = Text(Done),
    }));

    public static ReindexState Of(StoredRecord record)
    {
        var fields = JsonSerializer.Deserialize<Dictionary<string, string>>(record.Body.Span)!;
        long Number(string name) => long.Parse(fields[name], System.Globalization.CultureInfo.InvariantCulture);
        return new ReindexState(fields["parameter"], record.Id, new DateTimeOffset(Number("begun"), TimeSpan.Zero), (int)Number("round"), (int)Number("base"), Number("position"), Number("done"));
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
