using FhirIomt.Access;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Searching;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Abuse cases C: scopes are kept to the letter, under their numbers.</summary>
public sealed class AbuseScopeTests(TwoPatients world) : IClassFixture<TwoPatients>
{
    private const string Category = "http://terminology.hl7.org/CodeSystem/observation-category";
    private const string VitalSigns = "patient/Observation.cruds?category=" + Category + "|vital-signs";

    private TestServer Server => world.Server;

    [Fact]
    public async Task C52_C53_each_letter_grants_its_own_interaction()
    {
        foreach (var letter in "cruds")
        {
            var caller = Server.Caller($"patient/Observation.{letter}", patient: world.A.Patient);
            Assert.Equal(letter == 'r' ? 200 : 403, (await caller.GetAsync($"Observation/{world.A.Vital}")).Status);
            Assert.Equal(letter == 'r' ? 200 : 403, (await caller.GetAsync($"Observation/{world.A.Vital}/_history")).Status);
            Assert.Equal(letter == 's' ? 200 : 403, (await caller.GetAsync("Observation?_count=1")).Status);
            Assert.Equal(letter == 's' ? 200 : 403, (await caller.GetAsync("Observation/_history")).Status);
            Assert.Equal(letter == 'c' ? 201 : 403, (await caller.PostAsync("Observation", Given.Observation(world.A.Patient), ("Prefer", "return=representation"))).Status);
        }

        // A patch tests what is there, so it reads: u alone is not enough.
        var test = """[{"op":"test","path":"/status","value":"final"}]""";
        var mine = await world.All.CreateAsync(Given.Observation(world.A.Patient));
        (await Server.Caller("patient/Observation.u", patient: world.A.Patient).SendAsync(HttpMethod.Patch, $"Observation/{mine}", test, ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0602");
        Assert.Equal(200, (await Server.Caller("patient/Observation.ru", patient: world.A.Patient).SendAsync(HttpMethod.Patch, $"Observation/{mine}", test, ("Content-Type", "application/json-patch+json"))).Status);
    }

    [Fact]
    public async Task C54_G18_a_granular_scope_never_shows_another_category()
    {
        var caller = Server.Caller($"{VitalSigns} patient/Patient.rs patient/Encounter.rs patient/List.rs", patient: world.A.Patient);
        var laboratory = world.A.Laboratory;
        foreach (var query in (string[])["", "category=laboratory", "category:not=vital-signs", "code=8867-4", $"_id={laboratory}", "category:missing=true", "category=laboratory,vital-signs", "_sort=-date", "_filter=category eq laboratory", "identifier=laboratory-Ashton"])
        {
            AssertWithout(await caller.GetAsync($"Observation?{query}&_total=accurate"), laboratory);
        }

        foreach (var query in (string[])[$"Patient?_id={world.A.Patient}&_revinclude=Observation:subject", $"Patient/{world.A.Patient}/$everything", $"Patient/{world.A.Patient}/Observation", "Observation/_history?_count=1000", "_history?_count=1000", $"List?_id={world.List}&_include=List:item", $"Observation/$lastn?patient={world.A.Patient}&max=100"])
        {
            AssertWithout(await caller.GetAsync(query), laboratory);
        }

        foreach (var way in (string[])["", "/_history/1", "/_history", "/$meta", "/$validate"])
        {
            await TwoPatients.AssertUnknownAsync(id => caller.GetAsync($"Observation/{id}{way}"), laboratory);
        }

        Assert.Empty((await caller.GetAsync("Patient?_has:Observation:patient:identifier=laboratory-Ashton")).Matches);
    }

    [Fact]
    public async Task C55_writes_stay_within_a_granular_scope_before_and_after()
    {
        var caller = Server.Caller(VitalSigns, patient: world.A.Patient);
        (await caller.PostAsync("Observation", Given.Observation(world.A.Patient, category: "laboratory"))).AssertOutcome(403, "IOMT-0603");
        var id = await caller.CreateAsync(Given.Observation(world.A.Patient));
        (await caller.PutAsync($"Observation/{id}", Given.Observation(world.A.Patient, category: "laboratory", id: id))).AssertOutcome(403, "IOMT-0603");
        (await caller.SendAsync(HttpMethod.Patch, $"Observation/{id}", """[{"op":"replace","path":"/category/0/coding/0/code","value":"laboratory"}]""", ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0603");
        await TwoPatients.AssertUnknownAsync(one => caller.PutAsync($"Observation/{one}", Given.Observation(world.A.Patient, id: one, mrn: "same")), world.A.Laboratory);
        Assert.Equal(204, (await caller.SendAsync(HttpMethod.Delete, $"Observation/{world.A.Laboratory}", body: null)).Status);
        Assert.Equal(200, (await world.All.GetAsync($"Observation/{world.A.Laboratory}")).Status);
    }

    [Fact]
    public async Task C56_scopes_are_a_union_and_what_one_says_is_an_intersection()
    {
        var patient = await world.All.CreateAsync(Given.Patient());
        foreach (var category in (string[])["laboratory", "vital-signs", "activity"])
        {
            await world.All.CreateAsync(Given.Observation(patient, category: category));
        }

        async Task<int> CountAsync(string scopes) => (await Server.Caller(scopes, patient: patient).GetAsync("Observation?_total=accurate")).Total();
        Assert.Equal(2, await CountAsync("patient/Observation.rs?category=laboratory patient/Observation.rs?category=activity"));
        Assert.Equal(2, await CountAsync("patient/Observation.rs?category=laboratory,activity"));
        Assert.Equal(3, await CountAsync("patient/Observation.rs?category=laboratory patient/*.rs"));
        Assert.Equal(1, await CountAsync("patient/Observation.rs?category=laboratory&code=8867-4"));
        Assert.Equal(0, await CountAsync("patient/Observation.rs?category=laboratory&code=9279-1"));
        Assert.Equal(0, await CountAsync("patient/Observation.rs?category=laboratory&category=activity"));
    }

    [Theory]
    [InlineData("Patient/Observation.rs")]
    [InlineData("patient/observation.rs")]
    [InlineData("patient/*.*?category=x")]
    [InlineData("patient/Observation.rss")]
    [InlineData("patient/Observation.dus")]
    [InlineData("patient/Observation.")]
    [InlineData("patient/Observation.r?")]
    [InlineData("patient/Observation.rs?category=a?x=b")]
    [InlineData("patient/Observation.rsXYZ")]
    [InlineData("patient/Observation.rs ")]
    [InlineData("patient/Observation.rs?category=a\nb")]
    [InlineData("patient/Observation.rs?category:not=laboratory")]
    [InlineData("patient/Observation.rs?subject.name=x")]
    public void C57_what_is_not_exactly_a_scope_is_none(string text) => Assert.False(SmartScope.Parse(text, new IndexPolicy(FhirDefinitions.R4)).Succeeded);

    [Fact]
    public async Task C58_C59_without_a_scope_or_its_patient_there_is_nothing()
    {
        foreach (var caller in (FhirCaller[])[Server.Caller("", patient: world.A.Patient), Server.Caller("patient/*.cruds"), Server.Caller("user/*.cruds", patient: world.A.Patient)])
        {
            Assert.Equal("403 403 403 403", await People.StatusesAsync(caller, $"Patient/{world.A.Patient}", "Observation?_count=1", "_history", $"Patient/{world.A.Patient}/$everything"));
        }
    }

    [Fact]
    public async Task C60_C62_a_persons_token_holds_no_more_than_the_person()
    {
        var doctor = await world.All.CreateAsync(People.Practitioner);
        var mixed = Server.Caller("user/*.cruds patient/*.cruds system/*.cruds", People.Clinician(doctor), world.A.Patient);
        Assert.Equal("404 404", await People.StatusesAsync(mixed, $"Patient/{world.A.Patient}", $"Patient/{world.B.Patient}"));
        Assert.Equal(0, (await mixed.GetAsync("Observation?_summary=count")).Total());
    }

    [Fact]
    public async Task C63_what_a_policy_or_a_care_team_takes_away_is_gone_with_the_next_request()
    {
        var doctor = await world.All.CreateAsync(People.Practitioner);
        var team = await world.All.CreateAsync(People.Team(world.A.Patient, doctor));
        var caller = Server.Caller("user/*.rs", People.Clinician(doctor));
        var next = (await caller.GetAsync("Observation?_count=1&_sort=date")).Link("next")!;
        await world.All.SendAsync(HttpMethod.Delete, $"CareTeam/{team}", body: null);
        var page = await caller.GetAsync(next);
        Assert.True(page.Status is 400 || page.Matches.Count == 0, page.Body);
        Assert.Equal("404", await People.StatusesAsync(caller, $"Patient/{world.A.Patient}"));
    }

    private static void AssertWithout(Answer answer, string id)
    {
        Assert.Equal(200, answer.Status);
        if (answer.Json.TryGetProperty("entry", out var entries))
        {
            Assert.DoesNotContain(entries.EnumerateArray(), entry => entry.GetProperty("fullUrl").GetString()!.EndsWith(id, StringComparison.Ordinal));
        }

        if (answer.Json.TryGetProperty("total", out var total) && answer.Json.Text("type") == "searchset")
        {
            Assert.Equal(answer.Json.TryGetProperty("entry", out var all) ? all.EnumerateArray().Count(entry => entry.GetProperty("search").Text("mode") == "match") : 0, total.GetInt32());
        }
    }
}
