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
            var (type, arguments) = world.RandomQuery(random);
            var query = TestStore.Query(type, arguments) with { Count = random.Next(3, 30) };
            var before = world.Matching(query, TestStore.Everything).Select(document => document.Id).ToHashSet(StringComparer.Ordinal);
            var found = await store.WalkAsync(query, betweenPages: async () =>
            {
                var (newType, json) = world.RandomDocument(random);
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
            var (type, arguments) = world.RandomQuery(random);
            var query = TestStore.Query(type, arguments);
            var access = world.RandomPredicate(random, type);
            var context = $"seed {seed}, query {number}: {type}?{string.Join('&', arguments.Select(argument => $"{argument.Name}={argument.Value}"))} as {access}";
            var expected = world.Matching(query, access).ToList();

            var whole = await store.PageAsync(query with { Count = SearchLimits.MaxCount, Total = TotalMode.Accurate }, access, world.Included);
            var found = whole.Matches.Select(match => match.Id).ToList();
            Equal(expected.Select(document => document.Id).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal), context);
            Assert.True(whole.Total == expected.Count, $"total {whole.Total} of {expected.Count}: {context}");
            Assert.True((await store.PageAsync(query with { CountOnly = true }, access)).Total == expected.Count, $"count: {context}");

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
    private static readonly string[] Codes = ["8867-4", "9279-1", "59408-5", "29463-7"];
    private static readonly string[] Days = ["2026-01-05", "2026-01-06", "2026-01-07"];
    private static readonly string[] Prefixes = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

    private readonly Dictionary<(string Type, string Id), Document> _documents = [];

    public Dictionary<(string Type, string Id), string> Texts { get; } = [];

    public static async Task<World> CreateAsync(TestStore store, Random random, int documents, int updates)
    {
        var world = new World();
        var puts = new List<WriteOperation>();
        for (var number = 0; number < documents + updates; number++)
        {
            var (type, json) = world.RandomDocument(random);
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
            _documents[(rows.Text(0), rows.Text(1))] = new Document(rows.Text(0), rows.Text(1), tree, TestStore.Indexer.Extract(tree, TestStore.Policy.IndexedParameters(rows.Text(0))), rows.Int64(3));
        }

        return Task.CompletedTask;
    }

    public (string Type, string Json) RandomDocument(Random random)
    {
        switch (random.Next(10))
        {
            case 0:
                return ("Patient", Sample.Patient(Pick(random, ["Chalmers", "Müller", "MULLER", "Öz", "Aa"]), random.Next(2) == 0 ? "" : $"\"birthDate\":\"{Pick(random, ["1980", "1980-05", "1980-05-01", "1981-01-01"])}\",\"gender\":\"{Pick(random, ["male", "female"])}\""));
            case 1:
                return ("Device", Sample.Device($"SN{random.Next(6)}", random.Next(2) == 0 ? null : $"p{random.Next(4)}"));
            default:
                return ("Observation", RandomObservation(random));
        }
    }

    public (string Type, (string Name, string Value)[] Arguments) RandomQuery(Random random)
    {
        var type = random.Next(10) switch { 0 => "Patient", 1 => "Device", _ => "Observation" };
        var arguments = new List<(string, string)>();
        for (var count = random.Next(4); count > 0; count--)
        {
            arguments.Add(type switch { "Patient" => PatientArgument(random), "Device" => DeviceArgument(random), _ => ObservationArgument(random) });
        }

        string[] orders = type == "Observation" ? ["", "date", "-date", "_lastUpdated", "-_lastUpdated"] : ["", "_lastUpdated", "-_lastUpdated"];
        if (Pick(random, orders) is { Length: > 0 } order)
        {
            arguments.Add(("_sort", order));
        }

        if (type == "Observation" && random.Next(3) == 0)
        {
            arguments.Add(("_include", Pick(random, ["Observation:subject", "Observation:device", "Observation:subject:Patient", "Observation:patient"])));
        }

        return (type, [.. arguments]);
    }

    public AccessPredicate RandomPredicate(Random random, string type)
    {
        var ofPatient = new AccessPredicate.OfPatient($"p{random.Next(5)}");
        var meets = type == "Observation"
            ? new AccessPredicate.Meets([TestStore.Parser.ParseCriterion(type, "category", Pick(random, ["vital-signs", "laboratory", "nothing"])).Require()])
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
        .Where(document => document.Type == query.ResourceType && Permits(access, document) && query.Criteria.All(criterion => Matches(criterion, document)));

    public IEnumerable<string> IncludesOf(SearchQuery query, IReadOnlyList<string> found) => found
        .SelectMany(id => _documents[(query.ResourceType, id)].Values.OfType<IndexValue.Reference>())
        .Where(reference => reference.Id is not null && query.Includes.Any(rule => rule.Parameter == reference.Parameter && (rule.TargetType ?? reference.Type) == reference.Type))
        .Select(reference => (reference.Type!, reference.Id!)).Distinct()
        .Where(key => _documents.TryGetValue(key, out var target) && Permits(Included(target.Type), target) && !(key.Item1 == query.ResourceType && found.Contains(key.Item2)))
        .Select(key => $"{key.Item1}/{key.Item2}");

    public void AssertOrder(SearchQuery query, IReadOnlyList<string> found, string context)
    {
        if (query.Sort is not [var sort])
        {
            return;
        }

        var keys = found.Select(id => _documents[(query.ResourceType, id)])
            .Select(document => sort.Parameter.Code == "date" ? document.Values.OfType<IndexValue.Date>().SingleOrDefault(date => date.Parameter.Code == "date")?.Start.UtcTicks ?? long.MinValue : document.WrittenAs).ToList();
        var sorted = sort.Descending ? keys.OrderDescending() : keys.Order();
        Assert.True(keys.SequenceEqual(sorted), $"order: {context}");
    }

    private static bool Permits(AccessPredicate predicate, Document document) => predicate switch
    {
        AccessPredicate.Everything => true,
        AccessPredicate.Any any => any.Alternatives.Any(one => Permits(one, document)),
        AccessPredicate.All all => all.Parts.All(one => Permits(one, document)),
        AccessPredicate.OfPatient patient => PatientCompartment.OwnerOf(document.Type, document.Tree.Root) == patient.PatientId,
        AccessPredicate.Meets meets => meets.Criteria.All(criterion => Matches(criterion, document)),
        _ => false,
    };

    private static bool Matches(SearchCriterion criterion, Document document)
    {
        var values = document.Values.Where(value => value.Parameter == criterion.Parameter).ToList();
        return criterion switch
        {
            SearchCriterion.Ids ids => ids.Values.Contains(document.Id),
            SearchCriterion.Missing missing => missing.IsMissing != (values.Count > 0),
            SearchCriterion.Tokens tokens => tokens.Negated != values.OfType<IndexValue.Token>().Any(token => token.Code.Length > 0 && tokens.Values.Any(wanted => wanted.Matches(token.System, token.Code))),
            SearchCriterion.Dates { Parameter.Code: "_lastUpdated" } dates => Updated(document) is var at && dates.Values.Any(wanted => wanted.Matches(at, at.AddMilliseconds(1))),
            SearchCriterion.Dates dates => values.OfType<IndexValue.Date>().Any(date => dates.Values.Any(wanted => wanted.Matches(date.Start, date.End))),
            SearchCriterion.References references => values.OfType<IndexValue.Reference>().Any(reference => references.Values.Any(wanted => Refers(wanted, reference))),
            SearchCriterion.Strings strings => values.OfType<IndexValue.Text>().Any(text => strings.Values.Any(wanted => Reads(strings.Mode, wanted, text.Value))),
            _ => throw new InvalidOperationException($"{criterion}"),
        };
    }

    private static DateTimeOffset Updated(Document document) => DateTimeOffset.Parse(document.Tree.Root["meta"u8]["lastUpdated"u8].AsString()!, System.Globalization.CultureInfo.InvariantCulture);

    private static bool Refers(ReferenceMatch wanted, IndexValue.Reference reference) =>
        wanted.Url is not null ? reference.Url == wanted.Url : reference.Id == wanted.Id && (wanted.Type is null || wanted.Type == reference.Type);

    private static bool Reads(StringMatchMode mode, string wanted, string text)
    {
        static string Fold(string value) => value.ToLowerInvariant().Replace('ü', 'u').Replace('ö', 'o');
        return mode switch
        {
            StringMatchMode.Exact => text == wanted,
            StringMatchMode.Contains => Fold(text).Contains(Fold(wanted), StringComparison.Ordinal),
            _ => Fold(text).StartsWith(Fold(wanted), StringComparison.Ordinal),
        };
    }

    private static string RandomObservation(Random random)
    {
        var code = random.Next(8) switch
        {
            0 => """{"text":"pulse"}""",
            1 => """{"coding":[{"code":"local"}]}""",
            2 => $$"""{"coding":[{"system":"http://loinc.org","code":"{{Pick(random, Codes)}}"},{"system":"urn:iso:std:iso:11073:10101","code":"147842"}]}""",
            _ => $$"""{"coding":[{"system":"http://loinc.org","code":"{{Pick(random, Codes)}}"}]}""",
        };
        var subject = random.Next(10) switch { 0 => null, 1 => "Group/p0", 2 => "Patient/p1/_history/1", 3 => "https://elsewhere.example/Patient/p1", _ => $"Patient/p{random.Next(4)}" };
        var day = Pick(random, Days);
        var effective = random.Next(9) switch
        {
            0 => null,
            1 => $"\"effectivePeriod\":{{\"start\":\"{day}\"}}",
            2 => $"\"effectivePeriod\":{{\"end\":\"{day}\"}}",
            3 => $"\"effectivePeriod\":{{\"start\":\"2026-01-05\",\"end\":\"{day}T12:00:00Z\"}}",
            4 => $"\"effectiveDateTime\":\"{Pick(random, ["2026", "2026-01", day])}\"",
            5 => $"\"effectiveInstant\":\"{day}T08:00:00.000Z\"",
            _ => $"\"effectiveDateTime\":\"{day}T{random.Next(8, 12):00}:00:00Z\"",
        };
        var more = random.Next(3) == 0 ? $"\"device\":{{\"reference\":\"Device/d{random.Next(4)}\"}}" : "";
        return Sample.Observation(code, subject, effective, Pick(random, ["vital-signs", "laboratory"]), more).Replace("\"final\"", $"\"{Pick(random, ["final", "amended"])}\"", StringComparison.Ordinal);
    }

    private static (string Name, string Value) ObservationArgument(Random random) => random.Next(14) switch
    {
        0 => ("patient", $"p{random.Next(5)}"),
        1 => ("subject", Pick(random, ["Patient/p0", "p0", "Group/p0", "Patient/p1,Patient/p2", "https://elsewhere.example/Patient/p1", "Patient/p3,p0"])),
        2 => ("code", Pick(random, [.. Codes, "local", "|local", "http://loinc.org|", "http://loinc.org|8867-4", "147842,9279-1", "nothing"])),
        3 => ("code:not", Pick(random, [.. Codes, "http://loinc.org|", "|local"])),
        4 or 5 or 6 => ("date", Pick(random, Prefixes) + Pick(random, ["2026", "2026-01", .. Days, "2026-01-06T09:00:00Z", "2026-01-06T09:00", "2026-01-06T12:00:00Z"])),
        7 => ("date", $"lt{Pick(random, Days)},gt{Pick(random, Days)}"),
        8 => ("category", Pick(random, ["vital-signs", "laboratory", "vital-signs,laboratory", "nothing"])),
        9 => ("status", Pick(random, ["final", "amended", "cancelled"])),
        10 => ("status:not", Pick(random, ["final", "amended"])),
        11 => (Pick(random, ["date:missing", "subject:missing", "patient:missing", "device:missing", "code:missing", "category:missing"]), Pick(random, ["true", "false"])),
        12 => ("device", $"Device/d{random.Next(5)}"),
        _ => ("_lastUpdated", Pick(random, ["ge", "lt", "gt", "le", "ne", "ap"]) + $"2026-03-01T12:00:00.{random.Next(900):000}Z"),
    };

    private static (string Name, string Value) PatientArgument(Random random) => random.Next(5) switch
    {
        0 => (Pick(random, ["family", "family:exact", "family:contains", "name"]), Pick(random, ["mul", "Müller", "all", "a", "Öz", "FAMILY"])),
        1 => ("birthdate", Pick(random, Prefixes) + Pick(random, ["1980", "1980-05", "1980-05-01"])),
        2 => ("gender", Pick(random, ["male", "female", "male,female"])),
        3 => (Pick(random, ["gender:not", "gender"]), "male"),
        _ => ("birthdate:missing", Pick(random, ["true", "false"])),
    };

    private static (string Name, string Value) DeviceArgument(Random random) => random.Next(4) switch
    {
        0 => ("identifier", Pick(random, ["SN1", "urn:example:serial|SN2", "urn:example:serial|", "|SN1", "SN1,SN2"])),
        1 => ("patient", $"p{random.Next(5)}"),
        2 => ("patient:missing", Pick(random, ["true", "false"])),
        _ => ("identifier:not", $"SN{random.Next(6)}"),
    };

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];
}

public sealed class RandomSearchTestsOnPostgreSql : RandomSearchTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
