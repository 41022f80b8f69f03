using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Tests;

/// <summary>What PostgreSQL's readers keep in memory.</summary>
public sealed class VersionCacheTests
{
    [Fact]
    public void What_is_asked_for_stays_and_the_rest_makes_way()
    {
        var cache = new VersionCache(limit: 150 * 1024);
        cache.Add(0, Version(0));
        for (var key = 1L; key < 1000; key++)
        {
            cache.Add(key, Version(key));
            Assert.True(cache.TryGet(0, out var kept));
            Assert.Equal("0", kept.Id);
        }

        // Newest first: looking for one moves it to the front, and may move others out.
        Assert.All(Enumerable.Range(960, 40).Reverse(), key => Assert.True(cache.TryGet(key, out _)));
        Assert.All(Enumerable.Range(1, 800), key => Assert.False(cache.TryGet(key, out _)));
    }

    [Theory]
    [InlineData(Engine.PostgreSql)]
    [InlineData(Engine.Sqlite)]
    public async Task A_change_is_found_at_once_by_searches_that_found_the_version_before(Engine engine)
    {
        await using var store = TestStore.New(engine);
        await store.PutAsync("a", Sample.InPeriod("2026-02-01T18:00:00Z", "2026-02-01T22:00:00Z"));
        await store.PutAsync("b", Sample.InPeriod("2026-02-01T19:00:00Z", "2026-02-01T22:00:00Z"));
        Assert.Equal(["a/1", "b/1"], await VersionsAsync(store));
        Assert.Equal(["a/1", "b/1"], await VersionsAsync(store));
        await store.PutAsync("a", Sample.InPeriod("2026-02-01T18:30:00Z", "2026-02-01T22:00:00Z"));
        Assert.Equal(["a/2", "b/1"], await VersionsAsync(store));
    }

    private static async Task<string[]> VersionsAsync(TestStore store) =>
        [.. (await store.PageAsync(TestStore.Query("Observation", ("subject", "Patient/pa"), ("_sort", "date")))).Matches.Select(match => $"{match.Id}/{match.Version}")];

    private static StoredResource Version(long key) => new("Observation", key.ToString(System.Globalization.CultureInfo.InvariantCulture), 1, default, new byte[1024 - 250]);
}
