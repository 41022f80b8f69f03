using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage.Tests;

public class WritingTests : StoreTests
{
    [Fact]
    public async Task What_was_written_is_read_back_with_its_version_and_time()
    {
        await using var store = NewStore();
        var written = await store.PutAsync("pa", Sample.Patient());
        var read = await store.Store.ReadAsync("Patient", "pa", CancellationToken.None);

        Assert.NotNull(read);
        Assert.Equal(("Patient", "pa", 1L, false), (read.Type, read.Id, read.Version, read.IsDeleted));
        Assert.Equal(store.Time.GetUtcNow(), read.LastUpdated);
        Assert.Equal(written.Body.ToArray(), read.Body.ToArray());
        var meta = JsonTree.Parse(read.Body).Require().Root["meta"u8];
        Assert.Equal(("1", "2026-03-01T12:00:00.000Z"), (meta["versionId"u8].AsString(), meta["lastUpdated"u8].AsString()));
    }

    [Fact]
    public async Task An_id_never_used_and_a_type_without_rows_read_as_null()
    {
        await using var store = NewStore();
        await store.PutAsync("pa", Sample.Patient());
        Assert.Null(await store.Store.ReadAsync("Patient", "pb", CancellationToken.None));
        Assert.Null(await store.Store.ReadAsync("Observation", "pa", CancellationToken.None));
        Assert.Null(await store.Store.ReadVersionAsync("Patient", "pa", 2, CancellationToken.None));
    }

    [Fact]
    public async Task The_nearest_is_the_one_itself_or_the_next_of_its_type_alone_and_among_many()
    {
        await using var store = NewStore();
        await store.PutAsync("pb", Sample.Patient());
        await store.PutAsync("pd", Sample.Patient());
        string[] ids = ["pa", "pb", "pc", "pd", "pe"];
        string?[] nearest = ["pb", "pb", "pd", "pd", null];
        for (var index = 0; index < ids.Length; index++)
        {
            Assert.Equal(nearest[index], (await store.Store.ReadNearestAsync("Patient", ids[index], CancellationToken.None))?.Id);
            Assert.Equal(nearest[index] == ids[index], await store.Store.ReadAsync("Patient", ids[index], CancellationToken.None) is not null);
        }

        var together = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => store.Store.ReadNearestAsync("Patient", ids[number % ids.Length], CancellationToken.None).AsTask()));
        Assert.Equal(Enumerable.Range(0, 100).Select(number => nearest[number % ids.Length]), together.Select(found => found?.Id));
        Assert.Null(await store.Store.ReadNearestAsync("Observation", "pa", CancellationToken.None));
    }

    [Fact]
    public async Task Every_version_stays_readable_as_it_was()
    {
        await using var store = NewStore();
        for (var version = 1; version <= 3; version++)
        {
            store.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(version, (await store.PutAsync("pa", Sample.Patient($"Name{version}"))).Version);
        }

        for (var version = 1; version <= 3; version++)
        {
            var old = await store.Store.ReadVersionAsync("Patient", "pa", version, CancellationToken.None);
            Assert.Equal(version, old!.Version);
            Assert.Contains($"Name{version}", Encoding.UTF8.GetString(old.Body.Span), StringComparison.Ordinal);
            Assert.Equal(store.Time.GetUtcNow() - TimeSpan.FromSeconds(3 - version), old.LastUpdated);
        }
    }

    [Theory]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.0}}""", "72.0")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":0.010}}""", "0.010")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.20E+2}}""", "1.20E+2")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":12345678901234567890.123456789}}""", "12345678901234567890.123456789")]
    [InlineData("""{ "resourceType" : "Patient" , "name" : [ { "family" : "Müller\u00e9\/" } ] }""", """[ { "family" : "Müller\u00e9\/" } ]""")]
    public async Task Numbers_escapes_and_white_space_stay_as_they_came(string json, string kept)
    {
        await using var store = NewStore();
        var stored = await store.PutAsync("x", json);
        Assert.Contains(kept, Encoding.UTF8.GetString(stored.Body.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","active":true}""", """{"resourceType":"Patient","id":"x","meta":META,"active":true}""")]
    [InlineData("""{"active":true,"resourceType":"Patient"}""", """{"active":true,"resourceType":"Patient","id":"x","meta":META}""")]
    [InlineData("""{"id":"theirs","resourceType":"Patient"}""", """{"id":"x","meta":META,"resourceType":"Patient"}""")]
    [InlineData("""{"meta":{"versionId":"77","lastUpdated":"1999-01-01T00:00:00Z"},"resourceType":"Patient","id":"theirs"}""", """{"meta":META,"resourceType":"Patient","id":"x"}""")]
    [InlineData("""{"resourceType":"Patient","id":"theirs", "active":true}""", """{"resourceType":"Patient","id":"x","meta":META, "active":true}""")]
    public async Task Id_and_meta_are_spliced_in_and_nothing_else_moves(string json, string expected)
    {
        await using var store = NewStore();
        var stored = await store.PutAsync("x", json);
        Assert.Equal(expected.Replace("META", """{"versionId":"1","lastUpdated":"2026-03-01T12:00:00.000Z"}""", StringComparison.Ordinal), Encoding.UTF8.GetString(stored.Body.Span));
    }

    [Fact]
    public async Task Profiles_tags_and_labels_in_meta_are_kept_and_a_forged_version_is_not()
    {
        await using var store = NewStore();
        var stored = await store.PutAsync("x", """{"resourceType":"Patient","meta":{"lastUpdated":"1999-01-01T00:00:00Z","profile":["http://example.org/p"],"versionId":"9","tag":[{"code":"a"}]}}""");
        Assert.Equal(
            """{"resourceType":"Patient","id":"x","meta":{"versionId":"1","lastUpdated":"2026-03-01T12:00:00.000Z","profile":["http://example.org/p"],"tag":[{"code":"a"}]}}""",
            Encoding.UTF8.GetString(stored.Body.Span));
    }

    [Fact]
    public async Task Times_of_versions_never_go_back_when_the_clock_does()
    {
        await using var store = NewStore();
        var first = await store.PutAsync("a", Sample.Patient());
        store.Time.Advance(TimeSpan.FromHours(-1));
        var second = await store.PutAsync("b", Sample.Patient());
        Assert.True(second.LastUpdated >= first.LastUpdated);
        Assert.Equal(["a", "b"], await store.FindAsync("Patient", ("_sort", "_lastUpdated")));
    }

    [Fact]
    public async Task Ten_thousand_writes_of_one_millisecond_keep_their_order()
    {
        await using var store = NewStore();
        var patient = TestStore.Prepare("""{"resourceType":"Patient"}""");
        await store.RunAsync(transaction =>
        {
            for (var number = 0; number < 10_000; number++)
            {
                transaction.Put(patient, $"p{number:00000}", previous: null);
            }
        });
        var ids = await store.WalkAsync(TestStore.Query("Patient", ("_count", "1000"), ("_sort", "_lastUpdated")));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(number => $"p{number:00000}"), ids);
    }
}

public sealed class WritingTestsOnPostgreSql : WritingTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
