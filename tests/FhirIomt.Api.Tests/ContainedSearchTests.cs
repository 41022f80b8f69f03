using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary><c>_contained</c> (R4 §3.1.1.5.5): resources found inside others.</summary>
public sealed class ContainedSearchTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task What_is_contained_is_found_when_it_is_asked_for_and_not_otherwise()
    {
        var code = Given.Unique("drug");
        var alone = await All.CreateAsync(Medication(code));
        var container = await All.CreateAsync(Request("p", ("m", code, "active")));

        Assert.Equal([alone], (await All.GetAsync($"Medication?code={code}")).Matches);
        Assert.Equal([alone], (await All.GetAsync($"Medication?code={code}&_contained=false")).Matches);
        Assert.Equal([container], (await All.GetAsync($"Medication?code={code}&_contained=true")).Matches);
        var answer = await All.GetAsync($"Medication?code={code}&_contained=true&_containedType=contained");
        var entry = Assert.Single(answer.Json.GetProperty("entry").EnumerateArray());
        Assert.Equal($"{fixture.Server.FhirBase}/MedicationRequest/{container}#m", entry.Text("fullUrl"));
        Assert.Equal(("Medication", "m"), (entry.GetProperty("resource").Text("resourceType"), entry.GetProperty("resource").Text("id")));
        Assert.Equal("match", entry.GetProperty("search").Text("mode"));
        Assert.Contains("_contained=true", answer.Link("self"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_conditions_must_hold_of_the_same_one_inside()
    {
        var code = Given.Unique("drug");
        var both = await All.CreateAsync(Request("p", ("m", code, "active"), ("n", "other", "inactive")));
        await All.CreateAsync(Request("p", ("m", code, "inactive"), ("n", "other", "active")));

        Assert.Equal([both], (await All.GetAsync($"Medication?code={code}&status=active&_contained=true")).Matches);
        Assert.Equal([both], (await All.GetAsync($"Medication?code={code}&status:not=inactive&_contained=true")).Matches);
        Assert.Equal([both], (await All.GetAsync($"Medication?_filter=code eq {code} and not (status eq inactive)&_contained=true")).Matches);
        Assert.Empty((await All.GetAsync($"Medication?code={code}&code:missing=true&_contained=true")).Matches);
        Assert.Equal(2, (await All.GetAsync($"Medication?code={code}&form:missing=true&_contained=true")).Matches.Count);
    }

    [Theory]
    [InlineData("_contained=both&_containedType=contained", 9)]
    [InlineData("_contained=both", 6)]
    [InlineData("_contained=true&_containedType=contained", 7)]
    [InlineData("_contained=true", 4)]
    public async Task Pages_lead_through_those_alone_and_those_inside_without_repeats_or_gaps(string how, int expected)
    {
        var code = Given.Unique("drug");
        for (var number = 0; number < 2; number++)
        {
            await All.CreateAsync(Medication(code));
            await All.CreateAsync(Request("p", ("m", code, "active"), ("n", code, "active")));
        }

        await All.CreateAsync(Request("p", ("m", code, "active"), ("n", code, "active"), ("o", "other", "active")));
        await All.CreateAsync(Administration(code));
        await All.CreateAsync(Request("p", ("m", "other", "active")));

        foreach (var count in (int[])[1, 2, 3, 50])
        {
            var found = new List<string>();
            for (var next = $"Medication?code={code}&{how}&_count={count}"; next is not null;)
            {
                var page = await All.GetAsync(next);
                Assert.True(page.Status == 200, page.Body);
                Assert.False(page.Json.TryGetProperty("total", out _));
                var urls = page.Json.TryGetProperty("entry", out var entries) ? entries.EnumerateArray().Select(entry => entry.Text("fullUrl")).ToList() : [];
                Assert.InRange(urls.Count, 0, count);
                found.AddRange(urls);
                next = page.Link("next");
            }

            Assert.Equal((expected, expected), (found.Count, found.Distinct(StringComparer.Ordinal).Count()));
        }

        var counted = await All.GetAsync($"Medication?code={code}&{how}&_summary=count");
        Assert.Equal(expected, counted.Json.GetProperty("total").GetInt32());
        Assert.False(counted.Json.TryGetProperty("entry", out _));
        for (var next = $"Medication?code={code}&{how}&_count=2&_total=accurate"; next is not null;)
        {
            var page = await All.GetAsync(next);
            Assert.Equal(expected, page.Json.GetProperty("total").GetInt32());
            next = page.Link("next");
        }
    }

    [Fact]
    public async Task Nobody_finds_what_is_inside_of_what_he_may_not_see()
    {
        var code = Given.Unique("drug");
        var (own, other) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        var mine = await All.CreateAsync(Request(own, ("m", code, "active")));
        await All.CreateAsync(Request(other, ("m", code, "active")));
        var query = $"Medication?code={code}&_contained=true";

        (await fixture.Server.Caller("patient/*.rs", patient: own).GetAsync(query)).AssertOutcome(403);
        Assert.Equal([mine], (await fixture.Server.Caller("patient/MedicationRequest.rs patient/Medication.rs", patient: own).GetAsync(query)).Matches);
        Assert.Empty((await fixture.Server.Caller("patient/Observation.rs patient/Medication.rs", patient: own).GetAsync(query)).Matches);
        Assert.Equal(1, (await fixture.Server.Caller("patient/MedicationRequest.rs patient/Medication.rs", patient: own).GetAsync(query + "&_total=accurate")).Json.GetProperty("total").GetInt32());
        Assert.Equal(0, (await fixture.Server.Caller("patient/Observation.rs patient/Medication.rs", patient: own).GetAsync(query + "&_summary=count")).Json.GetProperty("total").GetInt32());
        (await fixture.Server.Caller("patient/MedicationRequest.rs", patient: own).GetAsync(query)).AssertOutcome(403);

        // Inside a resource of one's own, what is about another stays his.
        var about = await All.CreateAsync($$"""
            {"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{own}}"},"result":[{"reference":"#o"},{"reference":"#q"}],
             "contained":[{{Given.Observation(own, id: "o", mrn: code)}},{{Given.Observation(other, id: "q", mrn: code)}}] }
            """);
        var answer = await fixture.Server.Caller("patient/*.rs", patient: own).GetAsync($"Observation?identifier={code}&_contained=true&_containedType=contained");
        Assert.Equal([$"{fixture.Server.FhirBase}/DiagnosticReport/{about}#o"], answer.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.Text("fullUrl")));
    }

    [Theory]
    [InlineData("Medication?_contained=true&_sort=code")]
    [InlineData("Medication?_contained=true&_include=Medication:manufacturer")]
    [InlineData("Medication?_contained=true&manufacturer.name=x")]
    [InlineData("Medication?_contained=true&_has:MedicationRequest:medication:status=active")]
    [InlineData("Medication?_contained=true&_lastUpdated=gt2020")]
    [InlineData("Medication?_contained=true&_text=x")]
    [InlineData("?_type=Medication,Patient&_contained=true")]
    public async Task What_is_not_searched_inside_others_is_refused(string query) => (await All.GetAsync(query)).AssertOutcome(400, "IOMT-0713");

    [Fact]
    public async Task A_condition_asks_for_nothing_inside_others_and_a_cursor_of_another_search_is_refused()
    {
        (await All.PostAsync("Medication", Medication("x"), ("If-None-Exist", "code=x&_contained=true"))).AssertOutcome(400, "IOMT-0713");
        var code = Given.Unique("drug");
        await All.CreateAsync(Request("p", ("m", code, "active"), ("n", code, "active")));
        var next = (await All.GetAsync($"Medication?code={code}&_contained=true&_containedType=contained&_count=1")).Link("next")!;
        (await All.GetAsync(next.Replace(code, "elsewhere", StringComparison.Ordinal))).AssertOutcome(400, "IOMT-0706");
        foreach (var cursor in (string[])["c.", "c.0.x.0.", "c.....", "c.0.Medication.-1."])
        {
            (await All.GetAsync($"Medication?_contained=true&_cursor={cursor}")).AssertOutcome(400, "IOMT-0706");
        }
    }

    private static string Medication(string code, string id = "", string status = "active") => JsonSerializer.Serialize(
        new Dictionary<string, object> { ["resourceType"] = "Medication", ["id"] = id, ["status"] = status, ["code"] = new { coding = new[] { new { system = "urn:example:drugs", code } } } }.Where(pair => pair.Value is not "").ToDictionary());

    private static string Request(string patient, params (string Id, string Code, string Status)[] inside) => $$"""
        {"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/{{patient}}"},"medicationReference":{"reference":"#{{inside[0].Id}}"},
         "supportingInformation":[{{string.Join(',', inside.Select(one => $$"""{"reference":"#{{one.Id}}"}"""))}}],
         "contained":[{{string.Join(',', inside.Select(one => Medication(one.Code, one.Id, one.Status)))}}] }
        """;

    private static string Administration(string code) => $$"""
        {"resourceType":"MedicationAdministration","status":"completed","subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-01-01","medicationReference":{"reference":"#m"},
         "contained":[{{Medication(code, "m")}}] }
        """;
}
