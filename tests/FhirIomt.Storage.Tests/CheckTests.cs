namespace FhirIomt.Storage.Tests;

/// <summary>A store compared with itself: what is sound is found sound, and each way of breaking it is found and mended.</summary>
public class CheckTests : StoreTests
{
    [Fact]
    public async Task A_store_that_was_only_written_to_is_sound()
    {
        await using var store = NewStore();
        await World.CreateAsync(store, new Random(11), documents: 120, updates: 120);
        await store.RunAsync(transaction => transaction.Delete(transaction.Find("Patient", "p1")!));
        var report = await CheckAsync(store);
        Assert.Empty(report.Named);
        Assert.True(report.Resources > 100);
    }

    [Theory]
    [InlineData("DELETE FROM timeline WHERE key=(SELECT min(key) FROM timeline)")]
    [InlineData("UPDATE timeline SET start=5 WHERE key=(SELECT max(key) FROM timeline)")]
    [InlineData("DELETE FROM string_index")]
    [InlineData("UPDATE string_index SET value='other' WHERE key=(SELECT min(key) FROM string_index)")]
    [InlineData("UPDATE token_index SET concept=concept+100000")]
    [InlineData("INSERT INTO reference_index(parameter, target, key) VALUES (1,1,1)")]
    [InlineData("INSERT INTO quantity_index(parameter, unit, low, high, codes, key) SELECT 1,1,1,1,0,min(key) FROM resource")]
    [InlineData("DELETE FROM quantity_index")]
    [InlineData("UPDATE identifier_index SET value='other'")]
    [InlineData("UPDATE date_index SET stop=stop+1")]
    [InlineData("DELETE FROM full_text")]
    [InlineData("DELETE FROM code_set_concept")]
    [InlineData("UPDATE resource SET subject=NULL WHERE subject IS NOT NULL")]
    [InlineData("UPDATE resource SET codes=(SELECT max(id) FROM code_set) WHERE codes=(SELECT min(codes) FROM resource)")]
    public async Task What_was_broken_in_the_index_is_found_and_mended(string sql)
    {
        await using var store = NewStore();
        await World.CreateAsync(store, new Random(12), documents: 60, updates: 0);
        await store.PutAsync("quantity", Sample.HeartRate(more: """
            "valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}
            """));
        store.Break(sql);
        var (found, left) = await store.Store.CheckAsync(repair: true, null, CancellationToken.None);
        Assert.NotEqual(0, found.Problems);
        Assert.NotEmpty(found.Named);
        Assert.Equal(0, left!.Problems);
        Assert.Empty((await CheckAsync(store)).Named);
        Assert.NotEmpty(await store.FindAsync("Observation", ("patient", "pa")));
    }

    [Theory]
    [InlineData("DELETE FROM resource_history WHERE version=1", "versions are missing")]
    [InlineData("DELETE FROM resource WHERE version=3", "history of nothing")]
    [InlineData("UPDATE clock SET last=1", "ahead of the store's clock")]
    [InlineData("UPDATE resource SET id='other' WHERE id='pa'", "another type, id or version")]
    public async Task What_indexing_cannot_mend_is_said(string sql, string words)
    {
        await using var store = NewStore();
        for (var version = 1; version <= 3; version++)
        {
            await store.PutAsync("pa", Sample.Patient($"Name{version}"));
        }

        store.Break(sql);
        var (found, left) = await store.Store.CheckAsync(repair: true, null, CancellationToken.None);
        Assert.Contains(found.Named, problem => problem.Contains(words, StringComparison.Ordinal));
        Assert.True(left is null || left.Problems > 0);
    }

    [Fact]
    public async Task A_store_is_checked_while_it_is_written_to()
    {
        await using var store = NewStore();
        var writing = Task.Run(async () =>
        {
            for (var number = 0; number < 150; number++)
            {
                await store.PutAsync($"x{number % 20}", Sample.HeartRate(code: $"c{number}"));
            }
        });
        for (var times = 0; times < 5; times++)
        {
            Assert.Empty((await CheckAsync(store)).Named);
        }

        await writing;
        Assert.Empty((await CheckAsync(store)).Named);
    }

    private static async Task<StoreCheckReport> CheckAsync(TestStore store) => (await store.Store.CheckAsync(repair: false, null, CancellationToken.None)).Found;
}

public sealed class CheckTestsOnPostgreSql : CheckTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
