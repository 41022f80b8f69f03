using System.Text;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Storage.Sql;
using FhirIomt.Storage.Sqlite;
using FhirIomt.Tests;

namespace FhirIomt.Storage.Tests;

public enum Engine
{
    Sqlite,
    PostgreSql,
}

/// <summary>Tests that hold for every engine: each class of them has a subclass that runs them on PostgreSQL.</summary>
public abstract class StoreTests
{
    protected virtual Engine Engine => Engine.Sqlite;

    internal TestStore NewStore() => TestStore.New(Engine);
}

/// <summary>A real store of its own, with the few words that tests speak to it in.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    public static IndexPolicy Policy { get; } = new(FhirDefinitions.R4);

    public static SearchIndexer Indexer { get; } = new(FhirDefinitions.R4);

    public static SearchQueryParser Parser { get; } = new(Policy);

    private readonly bool _owns;

    private TestStore(Engine engine, string place, ManualTime time, bool serve, bool owns)
    {
        Engine = engine;
        Folder = place;
        Time = time;
        _owns = owns;
        Store = engine == Engine.Sqlite ? SqliteStore.Open(place, Indexer, Policy, time, serve) : PostgresStore.Open(place, Indexer, Policy, time);
    }

    public Engine Engine { get; }

    /// <summary>The folder, or the connection string with the schema.</summary>
    public string Folder { get; }

    public ManualTime Time { get; }

    public SqlStore Store { get; }

    public static TestStore New(Engine engine = Engine.Sqlite) =>
        new(engine, engine == Engine.Sqlite ? Directory.CreateTempSubdirectory("fhiriomt-storage-").FullName : PostgresCluster.NewSchema(), new ManualTime(), serve: true, owns: true);

    /// <summary>Another opening of the same folder, as another process would do it.</summary>
    public static TestStore On(string folder, bool serve = false) => On(Engine.Sqlite, folder, serve);

    public static TestStore On(Engine engine, string place, bool serve = false) => new(engine, place, new ManualTime(), serve, owns: false);

    /// <summary>Another opening of the same store: another process on the folder, or another node on the schema.</summary>
    public TestStore Again() => new(Engine, Folder, new ManualTime(), serve: false, owns: false);

    public static PreparedResource Prepare(string json)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();
        return PreparedResource.Create(tree.Root["resourceType"u8].AsString()!, tree, Indexer, Policy);
    }

    public static SearchQuery Query(string type, params (string Name, string Value)[] arguments) =>
        Parser.Parse(type, [.. arguments.Select(argument => new SearchArgument(argument.Name, argument.Value))], lenient: false).Require();

    public static AccessPredicate Everything => AccessPredicate.Everything.Instance;

    /// <summary>Writes the next version of a resource.</summary>
    public async Task<StoredResource> PutAsync(string id, string json)
    {
        var resource = Prepare(json);
        StoredResource? stored = null;
        await RunAsync(transaction => stored = transaction.Put(resource, id, transaction.Find(resource.Type, id)));
        return stored!;
    }

    public Task RunAsync(Action<IWriteTransaction> work) => Store.WriteAsync([new Work(work)], CancellationToken.None);

    public Task PutRecordAsync(StoredRecord record) => RunAsync(transaction => transaction.PutRecord(record));

    public async Task<SearchPage> PageAsync(SearchQuery query, AccessPredicate? access = null, Func<string, AccessPredicate>? accessToIncluded = null) =>
        (await Store.SearchAsync(query, new SearchAccess(access ?? Everything, accessToIncluded ?? (_ => Everything), _ => Everything), CancellationToken.None)).Require();

    /// <summary>The ids that a search finds, in its order, on one page.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(string type, params (string Name, string Value)[] arguments)
    {
        var page = await PageAsync(Query(type, arguments) with { Count = SearchLimits.MaxCount, Total = TotalMode.Accurate });
        Assert.Equal(page.Total, page.Matches.Count);

        // Without a count a search may run in another way (docs/adr/0015), and must find the same.
        var uncounted = await PageAsync(Query(type, arguments) with { Count = SearchLimits.MaxCount });
        Assert.Equal(page.Matches.Select(match => match.Id), uncounted.Matches.Select(match => match.Id));
        return [.. page.Matches.Select(match => match.Id)];
    }

    /// <summary>All pages of a search.</summary>
    public async Task<List<string>> WalkAsync(SearchQuery query, AccessPredicate? access = null, Func<Task>? betweenPages = null)
    {
        var ids = new List<string>();
        string? cursor = null;
        do
        {
            var page = await PageAsync(query with { Cursor = cursor }, access);
            Assert.InRange(page.Matches.Count, 0, query.Count);
            ids.AddRange(page.Matches.Select(match => match.Id));
            cursor = page.Next;
            if (betweenPages is not null)
            {
                await betweenPages();
            }
        }
        while (cursor is not null);

        return ids;
    }

    public async Task<string?> BodyAsync(string type, string id) =>
        await Store.ReadAsync(type, id, CancellationToken.None) is { } found ? Encoding.UTF8.GetString(found.Body.Span) : null;

    /// <summary>Rows of every search table, counted on a connection of the test's own.</summary>
    public IReadOnlyDictionary<string, long> RowCounts()
    {
        string[] tables = ["resource", "token_index", "identifier_index", "string_index", "date_index", "number_index", "quantity_index", "reference_index", "uri_index", "component_index", "timeline", "full_text"];
        using var connection = OpenReader();
        return tables.ToDictionary(table => table, table => connection.Scalar($"SELECT count(*) FROM {table}"), StringComparer.Ordinal);
    }

    /// <summary>A connection of the test's own.</summary>
    public SqlConnection OpenReader() => Engine == Engine.Sqlite
        ? new SqliteConnection(Path.Combine(Folder, "fhiriomt.db"), readOnly: true)
        : new PostgresConnection(PostgresStore.SourceOf(Folder), readOnly: true);

    /// <summary>Does what no store does, behind its back.</summary>
    public void Break(string sql)
    {
        using SqlConnection connection = Engine == Engine.Sqlite
            ? new SqliteConnection(Path.Combine(Folder, "fhiriomt.db"), readOnly: false)
            : new PostgresConnection(PostgresStore.SourceOf(Folder), readOnly: false);
        connection.Execute(sql);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (_owns && Engine == Engine.Sqlite)
        {
            Directory.Delete(Folder, recursive: true);
        }
        else if (_owns)
        {
            PostgresCluster.GiveBack(Folder);
        }
    }
}

/// <summary>A write operation made of a few lines.</summary>
internal sealed class Work(Action<IWriteTransaction> work) : WriteOperation
{
    public override void Run(IWriteTransaction transaction) => work(transaction);
}

/// <summary>A clock that moves when the test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan by) => _now += by;
}
