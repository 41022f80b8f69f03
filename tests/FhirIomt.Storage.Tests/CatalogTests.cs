using System.Globalization;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>What searches remember of the store must never hide what has been written since, by this process or another.</summary>
public class CatalogTests : StoreTests
{
    [Fact]
    public async Task A_search_finds_a_code_that_another_node_has_just_stored_for_the_first_time()
    {
        await using var one = NewStore();
        await using var two = one.Again();
        for (var number = 0; number < 30; number++)
        {
            // Remembered: nothing has that code, nothing of that type has an identifier.
            var code = $"http://loinc.org|c{number.ToString(CultureInfo.InvariantCulture)}";
            Assert.Empty(await FindAsync(two, "Observation", ("patient", "p1"), ("code", code)));
            Assert.Empty(await FindAsync(two, "Observation", ("patient", "p1"), ("code", $"c{number}")));

            await one.PutAsync($"o{number}", Sample.HeartRate(subject: "Patient/p1", code: $"c{number}"));
            Assert.Single(await FindAsync(two, "Observation", ("patient", "p1"), ("code", code)));
            Assert.Single(await FindAsync(two, "Observation", ("patient", "p1"), ("code", $"c{number}")));
            Assert.Equal(number + 1, (await FindAsync(two, "Observation", ("patient", "p1"))).Count);
        }
    }

    [Fact]
    public async Task A_search_finds_the_first_rows_of_a_parameter()
    {
        await using var one = NewStore();
        await using var two = one.Again();
        for (var round = 0; round < 3; round++)
        {
            Assert.Empty(await FindAsync(two, "Device", ("identifier", "urn:example:serial|SN-1")));
            Assert.Empty(await FindAsync(two, "Observation", ("value-quantity", "72")));
            Assert.Empty(await FindAsync(two, "Observation", ("value-quantity", "72|http://unitsofmeasure.org|/min")));
        }

        await one.PutAsync("d", Sample.Device("SN-1"));
        Assert.Single(await FindAsync(two, "Device", ("identifier", "urn:example:serial|SN-1")));
        await one.PutAsync("o", Sample.HeartRate(subject: "Patient/p1", more: "\"valueQuantity\":{\"value\":72,\"unit\":\"beats/minute\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"/min\"}"));
        Assert.Single(await FindAsync(two, "Observation", ("value-quantity", "72")));
        Assert.Single(await FindAsync(two, "Observation", ("value-quantity", "72|http://unitsofmeasure.org|/min")));
    }

    [Fact]
    public async Task What_an_acknowledged_write_stored_is_found_while_others_write_and_search()
    {
        await using var one = NewStore();
        await using var two = one.Again();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(lane => Task.Run(async () =>
        {
            for (var number = 0; number < 25; number++)
            {
                var code = $"c{lane}-{number}";
                await (lane % 2 == 0 ? one : two).PutAsync($"o{lane}-{number}", Sample.HeartRate(subject: $"Patient/p{lane}", code: code));
                Assert.Single(await FindAsync(two, "Observation", ("patient", $"p{lane}"), ("code", $"http://loinc.org|{code}")));
                Assert.Equal(number + 1, (await FindAsync(one, "Observation", ("patient", $"p{lane}"))).Count);
            }
        })));
    }

    // Without a count, which would need a snapshot: as most searches are.
    private static async Task<IReadOnlyList<string>> FindAsync(TestStore store, string type, params (string Name, string Value)[] arguments) =>
        [.. (await store.PageAsync(TestStore.Query(type, arguments) with { Count = SearchLimits.MaxCount })).Matches.Select(match => match.Id)];
}

public sealed class PostgresCatalogTests : CatalogTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
