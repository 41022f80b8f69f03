using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>
/// Random documents and queries: what the store finds is what a plain loop over the documents finds, on every plan, in every order, page by page.
/// A failure names its seed and query.
/// </summary>
public class RandomSearchTests : StoreTests
{
    private const int Documents = 300;
    private const int Queries = 150;

    public static TheoryData<int> Seeds => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task The_store_finds_what_a_loop_over_the_documents_finds(int seed)
    {
        await using var store = NewStore();
        var world = await World.CreateAsync(store, new Random(seed), Documents, updates: 0);
        await CompareAsync(store, world, seed);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task The_same_holds_after_random_updates_and_no_row_of_an_old_version_is_left(int seed)
    {
        await using var store = NewStore();
        var world = await World.CreateAsync(store, new Random(seed), Documents / 2, updates: Documents);
        await CompareAsync(store, world, seed);

        await using var fresh = NewStore();
        await fresh.Store.WriteAsync([.. world.Texts.Select(pair => new Work(transaction => transaction.Put(TestStore.Prepare(pair.Value), pair.Key.Id, previous: null)))], CancellationToken.None);

        Assert.Equal(fresh.RowCounts(), store.RowCounts());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Paging_under_concurrent_inserts_neither_repeats_nor_skips_what_was_there(int seed)
    {
        await using var store = NewStore();
        var random = new Random(seed);
        var world = await World.CreateAsync(store, random, Documents, updates: 0);
        var inserted = 0;
        for (var number = 0; number < 25; number++)
        {
            var (type, arguments) = RandomDocuments.Query(random);
            var query = TestStore.Query(type, arguments) with { Count = random.Next(3, 30) };
            var before = world.Matching(query, TestStore.Everything).Select(document => document.Id).ToHashSet(StringComparer.Ordinal);
            var found = await store.WalkAsync(query, betweenPages: async () =>
            {
                var (newType, json) = RandomDocuments.Document(random);
                await store.PutAsync($"new{inserted++}", json);
            });
            var context = $"seed {seed}, query {number}: {type}?{string.Join('&', arguments.Select(argument => $"{argument.Name}={argument.Value}"))}";
            Assert.True(found.Count == found.Distinct(StringComparer.Ordinal).Count(), $"a duplicate: {context}");
            Assert.True(before.IsSubsetOf(found), $"a gap: {context}");
            await world.TakeUpAsync(store);
        }
    }

    private static async Task CompareAsync(TestStore store, World world, int seed)
    {
        var random = new Random(seed * 7919);
        for (var number = 0; number < Queries; number++)
        {
            var (type, arguments) = RandomDocuments.Query(random);
            var query = TestStore.Query(type, arguments);
            var access = world.RandomPredicate(random, type);
            var context = $"seed {seed}, query {number}: {type}?{string.Join('&', arguments.Select(argument => $"{argument.Name}={argument.Value}"))} as {access}";
            var expected = world.Matching(query, access).ToList();

            var whole = await store.PageAsync(query with { Count = SearchLimits.MaxCount, Total = TotalMode.Accurate }, access, world.Included);
            var found = whole.Matches.Select(match => match.Id).ToList();
            Equal(expected.Select(document => document.Id).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal), context);
            Assert.True(whole.Total == expected.Count, $"total {whole.Total} of {expected.Count}: {context}");
            Assert.True((await store.PageAsync(query with { CountOnly = true }, access)).Total == expected.Count, $"count: {context}");

            if (query.Criteria.All(CriterionMatch.CanDecide))
            {
                // What is decided on one resource by itself (contained ones, what leaves) is what the index finds.
                var match = new CriterionMatch(TestStore.Indexer);
                var all = world.Matching(query with { Criteria = [] }, TestStore.Everything);
                Equal(
                    world.Matching(query, TestStore.Everything).Select(document => document.Id).Order(StringComparer.Ordinal),
                    all.Where(document => query.Criteria.All(criterion => match.Matches(criterion, document.Tree))).Select(document => document.Id).Order(StringComparer.Ordinal),
                    $"one by one: {context}");
            }

            world.AssertOrder(query, found, context);
            Equal(found, await store.WalkAsync(query with { Count = random.Next(4, 40) }, access), $"paging: {context}");
            Equal(world.IncludesOf(query, found).Order(StringComparer.Ordinal), whole.Included.Select(one => $"{one.Type}/{one.Id}").Order(StringComparer.Ordinal), $"includes: {context}");
        }
    }

    private static void Equal(IEnumerable<string> expected, IEnumerable<string> found, string context)
    {
        var (left, right) = (string.Join(' ', expected), string.Join(' ', found));
        Assert.True(left == right, $"{context}\nexpected {left}\nfound    {right}");
    }
}

internal sealed record Document(string Type, string Id, JsonTree Tree, IReadOnlyList<IndexValue> Values, long WrittenAs);

/// <summary>The documents as a plain list, and the search written as loops over it.</summary>
internal sealed class World
{
    private readonly Dictionary<(string Type, string Id), Document> _documents = [];

    private Evaluation Evaluation => new(type => _documents.Values.Where(document => document.Type == type));

    public Dictionary<(string Type, string Id), string> Texts { get; } = [];

    public static async Task<World> CreateAsync(TestStore store, Random random, int documents, int updates)
    {
        var world = new World();
        var puts = new List<WriteOperation>();
        for (var number = 0; number < documents + updates; number++)
        {
            var (type, json) = RandomDocuments.Document(random);
            var id = number < 4 ? $"p{number}" : number < 7 ? $"d{number - 4}" : $"x{random.Next(documents):000}";
            if (number < 7)
            {
                (type, json) = number < 4 ? ("Patient", Sample.Patient($"Family{number}")) : ("Device", Sample.Device($"SN{number}", $"p{number - 4}"));
            }
            else if (updates == 0)
            {
                id = $"x{number:000}";
            }

            var (resource, step) = (TestStore.Prepare(json), TimeSpan.FromMilliseconds(random.Next(3)));
            puts.Add(new Work(transaction =>
            {
                store.Time.Advance(step);
                transaction.Put(resource, id, transaction.Find(type, id));
            }));
            world.Texts[(type, id)] = json;
        }

        // A dozen transactions, so that some updates meet what their own transaction wrote and some do not.
        foreach (var batch in puts.Chunk(50))
        {
            await store.Store.WriteAsync(batch, CancellationToken.None);
        }

        await world.TakeUpAsync(store);
        return world;
    }

    /// <summary>Reads the store's documents by their plain table, so that what was inserted meanwhile counts from now on.</summary>
    public Task TakeUpAsync(TestStore store)
    {
        using var connection = store.OpenReader();
        using var rows = connection.Prepare("SELECT t.name, r.id, r.body, r.key FROM resource r JOIN resource_type t ON t.id=r.type").Run();
        _documents.Clear();
        while (rows.Step())
        {
            var tree = JsonTree.Parse(rows.Blob(2)).Require();
            _documents[(rows.Text(0), rows.Text(1))] = new Document(rows.Text(0), rows.Text(1), tree, TestStore.Indexer.Extract(tree), rows.Int64(3));
        }

        return Task.CompletedTask;
    }

    public AccessPredicate RandomPredicate(Random random, string type)
    {
        var ofPatient = new AccessPredicate.OfPatient($"p{random.Next(5)}");
        var meets = type == "Observation"
            ? new AccessPredicate.Meets([TestStore.Parser.ParseCriterion(type, "category", RandomDocuments.Pick(random, ["vital-signs", "laboratory", "nothing"])).Require()])
            : (AccessPredicate)new AccessPredicate.OfPatient($"p{random.Next(5)}");
        return random.Next(6) switch
        {
            0 => new AccessPredicate.Any([ofPatient]),
            1 => new AccessPredicate.Any([meets]),
            2 => new AccessPredicate.Any([new AccessPredicate.All([ofPatient, meets])]),
            3 => new AccessPredicate.Any([ofPatient, meets]),
            _ => AccessPredicate.Everything.Instance,
        };
    }

    public AccessPredicate Included(string type) => type == "Patient" ? new AccessPredicate.Any([new AccessPredicate.OfPatient("p0"), new AccessPredicate.OfPatient("p1")]) : AccessPredicate.Everything.Instance;

    public IEnumerable<Document> Matching(SearchQuery query, AccessPredicate access) => _documents.Values
        .Where(document => document.Type == query.ResourceType && Permits(access, document) && query.Criteria.All(criterion => Evaluation.Matches(criterion, document)));

    public IEnumerable<string> IncludesOf(SearchQuery query, IReadOnlyList<string> found) => found
        .SelectMany(id => _documents[(query.ResourceType, id)].Values.OfType<IndexValue.Reference>())
        .Where(reference => reference.Id is not null && query.Includes.Any(rule => rule.Parameter == reference.Parameter && (rule.TargetType ?? reference.Type) == reference.Type))
        .Select(reference => (reference.Type!, reference.Id!)).Distinct()
        .Where(key => _documents.TryGetValue(key, out var target) && Permits(Included(target.Type), target) && !(key.Item1 == query.ResourceType && found.Contains(key.Item2)))
        .Select(key => $"{key.Item1}/{key.Item2}");

    public void AssertOrder(SearchQuery query, IReadOnlyList<string> found, string context)
    {
        if (query.Sort.Count == 0)
        {
            return;
        }

        var keys = found.Select(id => query.Sort.Select(key => Evaluation.SortValue(key, _documents[(query.ResourceType, id)])).ToArray()).ToList();
        for (var index = 1; index < keys.Count; index++)
        {
            Assert.True(IsInOrder(query.Sort, keys[index - 1], keys[index]), $"order: {string.Join(',', keys[index - 1].AsEnumerable())} before {string.Join(',', keys[index].AsEnumerable())}: {context}");
        }
    }

    // Missing values last, whatever the direction.
    private static bool IsInOrder(IReadOnlyList<SortKey> sort, IComparable?[] before, IComparable?[] after)
    {
        for (var index = 0; index < sort.Count; index++)
        {
            var order = (before[index], after[index]) switch
            {
                (null, null) => 0,
                (null, _) => 1,
                (_, null) => -1,
                var (left, right) => left.CompareTo(right) * (sort[index].Descending ? -1 : 1),
            };
            if (order != 0)
            {
                return order < 0;
            }
        }

        return true;
    }

    private bool Permits(AccessPredicate predicate, Document document) => predicate switch
    {
        AccessPredicate.Everything => true,
        AccessPredicate.Any any => any.Alternatives.Any(one => Permits(one, document)),
        AccessPredicate.All all => all.Parts.All(one => Permits(one, document)),
        AccessPredicate.OfPatient patient => PatientCompartment.OwnerOf(document.Type, document.Tree.Root) == patient.PatientId,
        AccessPredicate.Meets meets => meets.Criteria.All(criterion => Evaluation.Matches(criterion, document)),
        _ => false,
    };
}

public sealed class RandomSearchTestsOnPostgreSql : RandomSearchTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
