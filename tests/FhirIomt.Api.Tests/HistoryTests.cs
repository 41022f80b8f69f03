using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class HistoryTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task The_history_of_a_resource_has_every_version_newest_first_deletions_included()
    {
        var id = await All.CreateAsync(Given.Patient("One"));
        await All.PutAsync($"Patient/{id}", Given.Patient("Two", id));
        await All.SendAsync(HttpMethod.Delete, $"Patient/{id}", null);
        await All.PutAsync($"Patient/{id}", Given.Patient("Three", id));
        var history = await All.GetAsync($"Patient/{id}/_history");
        Assert.Equal("history", history.Json.Text("type"));
        Assert.Equal(4, history.Json.GetProperty("total").GetInt32());
        Assert.Equal(["PUT", "DELETE", "PUT", "POST"], Entries(history).Select(entry => entry.GetProperty("request").Text("method")));
        Assert.Equal(["W/\"4\"", "W/\"3\"", "W/\"2\"", "W/\"1\""], Entries(history).Select(entry => entry.GetProperty("response").Text("etag")));
        Assert.False(Entries(history)[1].TryGetProperty("resource", out _));
        Assert.Contains("Two", (await All.GetAsync($"Patient/{id}/_history/2")).Body, StringComparison.Ordinal);
        (await All.GetAsync($"Patient/{id}/_history/3")).AssertOutcome(410, "IOMT-0601");
    }

    [Fact]
    public async Task Pages_of_a_history_leave_nothing_out_and_repeat_nothing()
    {
        var id = await All.CreateAsync(Given.Patient("V1"));
        for (var version = 2; version <= 7; version++)
        {
            await All.PutAsync($"Patient/{id}", Given.Patient($"V{version}", id));
        }

        foreach (var path in (string[])[$"Patient/{id}/_history", "Patient/_history", "_history"])
        {
            var seen = new List<string>();
            for (var next = $"{fixture.Server.FhirBase}/{path}?_count=2"; next is not null;)
            {
                var page = await All.GetAsync(next);
                Assert.True(Entries(page).Count <= 2);
                seen.AddRange(Entries(page).Select(entry => entry.Text("fullUrl") + entry.GetProperty("response").Text("etag")));
                next = page.Link("next");
            }

            Assert.Equal(seen.Distinct(StringComparer.Ordinal), seen);
            Assert.Equal(7, seen.Count(entry => entry.Contains(id, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Since_and_at_choose_versions_by_time()
    {
        var id = await All.CreateAsync(Given.Patient("One"));
        var first = (await All.GetAsync($"Patient/{id}")).Json.GetProperty("meta").Text("lastUpdated");
        await Task.Delay(20);
        await All.PutAsync($"Patient/{id}", Given.Patient("Two", id));
        var second = (await All.GetAsync($"Patient/{id}")).Json.GetProperty("meta").Text("lastUpdated");
        Assert.Single(Entries(await All.GetAsync($"Patient/{id}/_history?_since={second}")));
        Assert.Equal(2, Entries(await All.GetAsync($"Patient/{id}/_history?_since={first}")).Count);
        var at = Entries(await All.GetAsync($"Patient/{id}/_history?_at={first}"));
        Assert.Equal("W/\"1\"", Assert.Single(at).GetProperty("response").Text("etag"));
        Assert.Empty(Entries(await All.GetAsync($"Patient/{id}/_history?_since=2100-01-01")));
    }

    [Theory]
    [InlineData("Patient/nobody/_history", 404)]
    [InlineData("Patient/_history?_count=none", 400)]
    [InlineData("Patient/_history?_count=0", 400)]
    [InlineData("Patient/_history?_since=soon", 400)]
    [InlineData("Patient/_history?nonsense=1", 400)]
    [InlineData("Patient/_history?_cursor=x", 400)]
    public async Task A_history_that_cannot_be_had(string path, int status) => (await All.GetAsync(path)).AssertOutcome(status);

    [Fact]
    public async Task A_version_that_the_scope_does_not_cover_is_left_out()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var id = await All.CreateAsync(Given.Observation(patient, "laboratory"));
        await All.PutAsync($"Observation/{id}", Given.Observation(patient, "vital-signs", id: id));
        await All.SendAsync(HttpMethod.Delete, $"Observation/{id}", null);
        var vitals = await fixture.Server.CallerAsync("system/Observation.rs?category=vital-signs");
        Assert.Equal(["W/\"3\"", "W/\"2\""], Entries(await vitals.GetAsync($"Observation/{id}/_history")).Select(entry => entry.GetProperty("response").Text("etag")));
        var laboratory = await fixture.Server.CallerAsync("system/Observation.rs?category=laboratory");
        Assert.Equal(["W/\"1\""], Entries(await laboratory.GetAsync($"Observation/{id}/_history")).Select(entry => entry.GetProperty("response").Text("etag")));
        (await (await fixture.Server.CallerAsync("system/Patient.rs")).GetAsync("Observation/_history")).AssertOutcome(403);
        Assert.DoesNotContain(Entries(await vitals.GetAsync("_history?_count=1000")), entry => !entry.Text("fullUrl").Contains("/Observation/", StringComparison.Ordinal));
    }

    private static List<JsonElement> Entries(Answer bundle)
    {
        Assert.True(bundle.Status == 200, bundle.Body);
        return bundle.Json.TryGetProperty("entry", out var entries) ? [.. entries.EnumerateArray()] : [];
    }
}
