using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>Predicates go into matches, counts and includes alike.</summary>
public class AccessTests : StoreTests
{
    [Theory]
    [InlineData("pa", "")]
    [InlineData("pb", "")]
    [InlineData("pa", "_sort=date")]
    [InlineData("pa", "_sort=-_lastUpdated")]
    [InlineData("pa", "code=8867-4")]
    [InlineData("pa", "code=8867-4&_sort=-date")]
    [InlineData("pa", "category=vital-signs")]
    [InlineData("pa", "patient=pb")]
    [InlineData("pa", "patient=pa,pb")]
    [InlineData("pa", "patient=pb&_sort=date")]
    [InlineData("pa", "subject=Patient/pb")]
    [InlineData("pa", "patient:missing=true")]
    [InlineData("pa", "subject:missing=true")]
    [InlineData("pa", "code:not=nothing")]
    [InlineData("pa", "_id=a1,b1,n1,v1,g1")]
    [InlineData("pa", "_lastUpdated=ge2000")]
    [InlineData("pa", "performer=Patient/pa")]
    public async Task Abuse_6_to_9_nothing_of_another_patient_is_found_or_counted(string patient, string query)
    {
        await using var store = await TwoPatientsAsync();
        var predicate = new AccessPredicate.Any([new AccessPredicate.OfPatient(patient)]);
        var parsed = Parse(query);
        var page = await store.PageAsync(parsed with { Total = TotalMode.Accurate }, predicate);
        string[] own = patient == "pa" ? ["a1", "a2", "v1"] : ["b1", "b2"];
        Assert.Subset(own.ToHashSet(), page.Matches.Select(match => match.Id).ToHashSet());
        Assert.Equal(page.Matches.Count, page.Total);
        Assert.Equal(page.Total, (await store.PageAsync(parsed with { CountOnly = true }, predicate)).Total);
        Assert.Equal(page.Matches.Select(match => match.Id), await store.WalkAsync(parsed with { Count = 1 }, predicate));
    }

    [Fact]
    public async Task A_patient_sees_all_of_its_own()
    {
        await using var store = await TwoPatientsAsync();
        Assert.Equal(["a1", "a2", "v1"], (await store.WalkAsync(Parse(""), new AccessPredicate.OfPatient("pa"))).Order(StringComparer.Ordinal));
        Assert.Equal(["pa"], await store.WalkAsync(TestStore.Query("Patient"), new AccessPredicate.OfPatient("pa")));
        Assert.Equal(["da"], await store.WalkAsync(TestStore.Query("Device"), new AccessPredicate.OfPatient("pa")));
    }

    [Fact]
    public async Task A_patient_that_was_never_stored_sees_nothing()
    {
        await using var store = await TwoPatientsAsync();
        Assert.Empty(await store.WalkAsync(Parse(""), new AccessPredicate.OfPatient("pz")));
        Assert.Empty(await store.WalkAsync(Parse("_sort=date"), new AccessPredicate.OfPatient("pz")));
        Assert.Empty(await store.WalkAsync(Parse(""), AccessPredicate.Nothing.Instance));
        Assert.Empty(await store.WalkAsync(Parse("patient=pa"), new AccessPredicate.Any([])));
    }

    [Fact]
    public async Task Abuse_54_criteria_of_a_scope_filter_whatever_the_search_says()
    {
        await using var store = await TwoPatientsAsync();
        var vitalSigns = new AccessPredicate.Any([new AccessPredicate.Meets([TestStore.Parser.ParseCriterion("Observation", "category", "vital-signs").Require()])]);
        foreach (var query in (string[])["", "category=laboratory", "category:not=vital-signs", "code=8867-4", "_id=a2,b2", "_sort=-date", "patient=pa", "category:missing=false"])
        {
            Assert.Subset(new HashSet<string> { "a1", "b1", "n1", "v1", "g1" }, (await store.WalkAsync(Parse(query), vitalSigns)).ToHashSet());
        }

        Assert.Equal(5, (await store.PageAsync(Parse("") with { CountOnly = true }, vitalSigns)).Total);
    }

    [Fact]
    public async Task Any_is_a_union_and_All_an_intersection()
    {
        await using var store = await TwoPatientsAsync();
        var laboratory = new AccessPredicate.Meets([TestStore.Parser.ParseCriterion("Observation", "category", "laboratory").Require()]);
        var ofA = new AccessPredicate.OfPatient("pa");
        Assert.Equal(["a2"], await store.WalkAsync(Parse(""), new AccessPredicate.All([ofA, laboratory])));
        Assert.Equal(["a1", "a2", "b2", "v1"], (await store.WalkAsync(Parse(""), new AccessPredicate.Any([ofA, laboratory]))).Order(StringComparer.Ordinal));
        Assert.Equal(["a1", "a2", "b2", "v1"], (await store.WalkAsync(Parse("_sort=date"), new AccessPredicate.Any([ofA, laboratory]))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Abuse_10_includes_are_authorised_by_the_predicate_of_their_own_type()
    {
        await using var store = await TwoPatientsAsync();
        var query = Parse("_include=Observation:subject&_include=Observation:device&_include=Observation:performer");
        var all = await store.PageAsync(query);
        Assert.Equal(["da", "db", "pa", "pb"], all.Included.Select(one => one.Id).Order(StringComparer.Ordinal));

        var own = await store.PageAsync(query, TestStore.Everything, type => type == "Patient" ? new AccessPredicate.OfPatient("pa") : AccessPredicate.Nothing.Instance);
        Assert.Equal(["pa"], own.Included.Select(one => one.Id));

        var devices = await store.PageAsync(query, TestStore.Everything, _ => new AccessPredicate.OfPatient("pa"));
        Assert.Equal(["da", "pa"], devices.Included.Select(one => one.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_include_of_a_type_narrows_and_each_target_comes_once()
    {
        await using var store = await TwoPatientsAsync();
        var page = await store.PageAsync(Parse("patient=pa&_include=Observation:subject:Patient&_include=Observation:subject:Group"));
        Assert.Equal(["pa"], page.Included.Select(one => one.Id));
        Assert.Empty((await store.PageAsync(Parse("patient=pa&_include=Observation:subject:Group"))).Included);
    }

    [Fact]
    public async Task A_reference_to_a_type_that_R4_does_not_know_includes_nothing()
    {
        await using var store = NewStore();
        await store.PutAsync("x", Sample.HeartRate("Gadget/1"));
        Assert.Empty((await store.PageAsync(Parse("_include=Observation:subject"))).Included);
    }

    [Fact]
    public async Task A_cursor_carries_no_authority()
    {
        await using var store = await TwoPatientsAsync();
        foreach (var query in (string[])["", "_sort=date", "code=8867-4", "_sort=_lastUpdated"])
        {
            var first = await store.PageAsync(Parse(query) with { Count = 1 });
            var outcome = await store.Store.SearchAsync(Parse(query) with { Count = 100, Cursor = first.Next }, SearchAccess.Only(new AccessPredicate.OfPatient("pb")), CancellationToken.None);
            if (outcome.TryGetValue(out var next, out var issues))
            {
                Assert.Subset(new HashSet<string> { "b1", "b2" }, next.Matches.Select(match => match.Id).ToHashSet());
            }
            else
            {
                Assert.Equal("IOMT-0706", Assert.Single(issues).Code);
            }
        }
    }

    private static SearchQuery Parse(string query) => TestStore.Query("Observation", [.. query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).Select(pair => (pair[0], pair[1]))]);

    private async Task<TestStore> TwoPatientsAsync()
    {
        var store = NewStore();
        await store.PutAsync("pa", Sample.Patient("Alpha"));
        await store.PutAsync("pb", Sample.Patient("Beta", "\"link\":[{\"other\":{\"reference\":\"Patient/pa\"},\"type\":\"seealso\"}]"));
        await store.PutAsync("da", Sample.Device("SN-A", "pa"));
        await store.PutAsync("db", Sample.Device("SN-B", "pb"));
        await store.PutAsync("dn", Sample.Device("SN-N"));
        await store.PutAsync("a1", Sample.HeartRate("Patient/pa", more: "\"device\":{\"reference\":\"Device/da\"}"));
        await store.PutAsync("a2", Sample.HeartRate("Patient/pa", "2026-02-02", category: "laboratory"));
        await store.PutAsync("v1", Sample.HeartRate("Patient/pa/_history/1", "2026-02-03"));
        await store.PutAsync("b1", Sample.HeartRate("Patient/pb", "2026-02-04", more: "\"device\":{\"reference\":\"Device/db\"},\"performer\":[{\"reference\":\"Patient/pa\"}],\"focus\":[{\"reference\":\"Patient/pa\"}]"));
        await store.PutAsync("b2", Sample.HeartRate("Patient/pb", "2026-02-05", category: "laboratory"));
        await store.PutAsync("n1", Sample.HeartRate(subject: null, effective: null));
        await store.PutAsync("g1", Sample.HeartRate("Group/pa", "2026-02-06"));
        return store;
    }
}

public sealed class AccessTestsOnPostgreSql : AccessTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
