using System.Text;
using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class SearchTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task Pages_follow_each_other_to_the_end_without_repeats_or_gaps()
    {
        var patient = Given.Unique("p");
        var ids = new List<string>();
        for (var number = 0; number < 23; number++)
        {
            ids.Add(await All.CreateAsync(Given.Observation(patient, effective: $"2026-02-01T10:{number:00}:00Z")));
        }

        foreach (var order in (string[])["", "&_sort=date", "&_sort=-date", "&_sort=_lastUpdated", "&_sort=-_lastUpdated"])
        {
            var found = new List<string>();
            string? next = $"Observation?patient={patient}&_count=5{order}";
            while (next is not null)
            {
                var page = await All.GetAsync(next);
                Assert.Equal(200, page.Status);
                Assert.Equal(("Bundle", "searchset"), (page.Json.Text("resourceType"), page.Json.Text("type")));
                Assert.InRange(page.Matches.Count, 1, 5);
                found.AddRange(page.Matches);
                next = page.Link("next");
            }

            var expected = order.Contains('-', StringComparison.Ordinal) ? Enumerable.Reverse(ids) : ids;
            Assert.Equal(order.Length == 0 ? expected.Order(StringComparer.Ordinal) : expected, order.Length == 0 ? found.Order(StringComparer.Ordinal) : found);
        }
    }

    [Fact]
    public async Task The_self_link_says_what_was_used()
    {
        var answer = await All.GetAsync("Patient?family=Nobody-Here&_count=5000&_format=json");
        Assert.Equal($"{fixture.Server.FhirBase}/Patient?family=Nobody-Here&_format=json&_count=1000", answer.Link("self"));
        Assert.Null(answer.Link("next"));
        Assert.Equal(0, answer.Json.GetProperty("total").GetInt64());
        Assert.False(answer.Json.TryGetProperty("entry", out _));
    }

    [Fact]
    public async Task Unknown_parameters_are_refused_or_leniently_left_out_of_the_self_link()
    {
        (await All.GetAsync("Patient?nonsense=1")).AssertOutcome(400, "IOMT-0700");
        foreach (var name in (string[])["nonsense", "nonsense:exact"])
        {
            var lenient = await All.GetAsync($"Patient?{name}=1&family=Nobody-Here", ("Prefer", "handling=lenient"));
            Assert.Equal(200, lenient.Status);
            Assert.DoesNotContain("nonsense", lenient.Link("self"), StringComparison.Ordinal);
            Assert.Equal("outcome", lenient.Json.GetProperty("entry")[0].GetProperty("search").Text("mode"));
        }

        (await All.GetAsync("Patient?birthdate=soon", ("Prefer", "handling=lenient"))).AssertOutcome(400, "IOMT-0702");
        Assert.Equal(200, (await All.GetAsync("Patient?family=Nobody-Here", ("Prefer", "handling=strict"))).Status);
    }

    [Theory]
    [InlineData("_count=-1")]
    [InlineData("_count=x")]
    [InlineData("_count=99999999999")]
    [InlineData("_sort=family")]
    [InlineData("_sort=date,_lastUpdated")]
    [InlineData("_total=maybe")]
    [InlineData("_include=*")]
    [InlineData("_include=Patient:nonsense")]
    [InlineData("_include=Observation:code")]
    [InlineData("_include:iterate=Observation:subject")]
    [InlineData("_revinclude=Observation:subject")]
    [InlineData("_revinclude=*")]
    [InlineData("_has:Observation:subject:code=x")]
    [InlineData("patient.name=x")]
    [InlineData("subject:Patient.birthdate=2000")]
    [InlineData("subject:identifier=x")]
    [InlineData("patient:not=x")]
    [InlineData("_filter=code eq x")]
    [InlineData("_query=x")]
    [InlineData("_text=x")]
    [InlineData("_content=x")]
    [InlineData("_list=x")]
    [InlineData("_type=Patient")]
    [InlineData("_elements=id")]
    [InlineData("code:in=x")]
    [InlineData("code:text=x")]
    [InlineData("code=|")]
    [InlineData("code=")]
    [InlineData("date=x")]
    [InlineData("_lastUpdated=now")]
    [InlineData("_cursor=x")]
    [InlineData("patient=Patient/1/_history/1")]
    public async Task Abuse_14_to_16_what_is_not_offered_is_refused_and_not_ignored(string query) =>
        (await All.GetAsync($"Observation?{query}")).AssertOutcome(400);

    [Fact]
    public async Task Counts_come_without_entries()
    {
        var patient = Given.Unique("p");
        for (var number = 0; number < 3; number++)
        {
            await All.CreateAsync(Given.Observation(patient));
        }

        foreach (var query in (string[])["_count=0", "_summary=count"])
        {
            var answer = await All.GetAsync($"Observation?patient={patient}&{query}");
            Assert.Equal(3, answer.Json.GetProperty("total").GetInt64());
            Assert.False(answer.Json.TryGetProperty("entry", out _));
            Assert.Null(answer.Link("next"));
        }

        var counted = await All.GetAsync($"Observation?patient={patient}&_count=1&_total=accurate");
        Assert.Equal((1, 3L), (counted.Matches.Count, counted.Json.GetProperty("total").GetInt64()));
        Assert.NotNull(counted.Link("next"));
    }

    [Fact]
    public async Task Includes_come_once_and_say_that_they_are()
    {
        var patient = await All.CreateAsync(Given.Patient());
        await All.CreateAsync(Given.Observation(patient));
        await All.CreateAsync(Given.Observation(patient));
        var answer = await All.GetAsync($"Observation?patient={patient}&_include=Observation:subject&_include=Observation:patient");
        Assert.Equal(2, answer.Matches.Count);
        Assert.Equal([patient], answer.Included);
        Assert.All(answer.Json.GetProperty("entry").EnumerateArray(), entry => Assert.Equal($"{fixture.Server.FhirBase}/{entry.GetProperty("resource").Text("resourceType")}/{entry.GetProperty("resource").Text("id")}", entry.Text("fullUrl")));
    }

    [Fact]
    public async Task A_posted_search_finds_the_same()
    {
        var mrn = Given.Unique("mrn +&=");
        var id = await All.CreateAsync(Given.Patient(mrn: mrn));
        var body = $"identifier={Uri.EscapeDataString($"urn:example:mrn|{mrn}")}&_count=7";
        var posted = await All.PostAsync("Patient/_search", body, ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal([id], posted.Matches);
        Assert.Equal(posted.Body, (await All.GetAsync($"Patient?{body}")).Body);
        Assert.Equal([id], (await All.GetAsync(posted.Link("self")!)).Matches);
        (await All.PostAsync("Patient/_search", "{}")).AssertOutcome(415);
        Assert.Empty((await All.PostAsync("Patient/_search?gender=female", body, ("Content-Type", "application/x-www-form-urlencoded"))).Matches);
    }

    [Fact]
    public async Task Each_listed_parameter_is_accepted_and_an_unlisted_one_refused()
    {
        using var statement = JsonDocument.Parse(await fixture.Server.Http.GetStringAsync("metadata"));
        var root = statement.RootElement;
        Assert.Equal(("CapabilityStatement", "4.0.1", "active", "instance"), (root.Text("resourceType"), root.Text("fhirVersion"), root.Text("status"), root.Text("kind")));
        foreach (var type in (string[])["Patient", "Device", "Observation", "DeviceUseStatement", "Encounter"])
        {
            var resource = root.GetProperty("rest")[0].GetProperty("resource").EnumerateArray().Single(one => one.Text("type") == type);
            var listed = resource.GetProperty("searchParam").EnumerateArray().ToDictionary(one => one.Text("name"), one => one.Text("type"), StringComparer.Ordinal);
            foreach (var (name, kind) in listed)
            {
                var answer = await All.GetAsync($"{type}?{name}={(kind == "date" ? "2026" : "x")}");
                Assert.True(answer.Status == 200, $"{type}?{name}: {answer.Body}");
            }

            foreach (var parameter in Fhir.Definitions.FhirDefinitions.R4.SearchParameters(type).Where(parameter => !listed.ContainsKey(parameter.Code)))
            {
                Assert.Equal(400, (await All.GetAsync($"{type}?{parameter.Code}=x")).Status);
            }

            if (resource.TryGetProperty("searchInclude", out var includes))
            {
                foreach (var include in includes.EnumerateArray())
                {
                    Assert.Equal(200, (await All.GetAsync($"{type}?_include={include.GetString()}&_count=1")).Status);
                }
            }
        }
    }

    [Fact]
    public async Task The_parameters_that_integrators_rely_on_are_listed()
    {
        using var statement = JsonDocument.Parse(await fixture.Server.Http.GetStringAsync("metadata"));
        var observation = statement.RootElement.GetProperty("rest")[0].GetProperty("resource").EnumerateArray().Single(one => one.Text("type") == "Observation");
        var names = observation.GetProperty("searchParam").EnumerateArray().Select(one => one.Text("name")).ToHashSet(StringComparer.Ordinal);
        Assert.Subset(names, new HashSet<string> { "_id", "identifier", "patient", "subject", "device", "code", "category", "date", "status", "_lastUpdated" });
    }

    [Fact]
    public async Task Metadata_needs_no_token_and_answers_head()
    {
        using var head = await fixture.Server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "metadata"));
        Assert.Equal(200, (int)head.StatusCode);
        Assert.Equal(Encoding.UTF8.GetByteCount(await fixture.Server.Http.GetStringAsync("metadata")), head.Content.Headers.ContentLength);
    }
}
