using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class WriteTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_create_answers_201_with_its_place_and_version_and_an_id_of_the_server()
    {
        var created = await All.PostAsync("Patient", Given.Patient(id: "mine"));
        Assert.Equal(201, created.Status);
        var id = created.Json.Text("id");
        Assert.NotEqual("mine", id);
        Assert.Equal($"{fixture.Server.FhirBase}/Patient/{id}/_history/1", created.Header("Location"));
        Assert.Equal("W/\"1\"", created.Header("ETag"));
        Assert.Equal(created.Body, (await All.GetAsync($"Patient/{id}")).Body);
        Assert.Equal(404, (await All.GetAsync("Patient/mine")).Status);
    }

    [Fact]
    public async Task Prefer_says_what_comes_back()
    {
        var minimal = await All.PostAsync("Patient", Given.Patient(), ("Prefer", "return=minimal"));
        Assert.Equal((201, ""), (minimal.Status, minimal.Body));
        Assert.NotNull(minimal.Header("Location"));
        Assert.Equal("W/\"1\"", minimal.Header("ETag"));

        var outcome = await All.PostAsync("Patient", Given.Patient(), ("Prefer", "return=OperationOutcome"));
        outcome.AssertOutcome(201);
        Assert.NotNull(outcome.Header("Location"));

        var representation = await All.PostAsync("Patient", Given.Patient(), ("Prefer", "return=representation"));
        Assert.Equal("Patient", representation.Json.Text("resourceType"));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task A_body_of_another_type_is_415(string contentType) =>
        (await All.PostAsync("Patient", Given.Patient(), ("Content-Type", contentType))).AssertOutcome(415, "IOMT-0623");

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/fhir+json; charset=utf-8")]
    [InlineData("application/fhir+json; fhirVersion=4.0")]
    [InlineData("APPLICATION/FHIR+JSON")]
    public async Task JSON_by_other_names_is_taken(string contentType) =>
        Assert.Equal(201, (await All.PostAsync("Patient", Given.Patient(), ("Content-Type", contentType))).Status);

    [Fact]
    public async Task A_body_beyond_the_limit_is_413()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "Patient") { Content = new ByteArrayContent(new byte[Fhir.Json.JsonLimits.Default.MaxBytes + 1]) };
        request.Headers.Authorization = new("Bearer", All.Token);
        request.Headers.ExpectContinue = true;
        request.Content.Headers.ContentType = new("application/fhir+json");
        (await Answer.OfAsync(await fixture.Server.Http.SendAsync(request))).AssertOutcome(413);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"resourceType\":\"Patient\",}")]
    [InlineData("{\"resourceType\":\"Patient\"} {}")]
    [InlineData("{\"resourceType\":\"Patient\",\"active\":true,\"active\":false}")]
    [InlineData("{\"resourceType\":\"Patient\",\"active\":NaN}")]
    [InlineData("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\\ud800\"}]}")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}}")]
    [InlineData("{\"resourceType\":[\"Patient\"]}")]
    public async Task A_body_that_cannot_be_read_or_is_another_resource_is_400(string body)
    {
        var answer = await All.PostAsync("Patient", body);
        Assert.True(answer.Status is 400 or 422, $"{answer.Status} {answer.Body}");
        answer.AssertOutcome(answer.Status);
    }

    [Fact]
    public async Task Ten_thousand_levels_are_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"extension\":[", 10_000)) + string.Concat(Enumerable.Repeat("]}", 10_000));
        (await All.PostAsync("Patient", deep)).AssertOutcome(400);
    }

    [Fact]
    public async Task A_conditional_create_makes_one_finds_one_and_refuses_several()
    {
        var mrn = Given.Unique("mrn");
        var condition = ("If-None-Exist", $"identifier=urn:example:mrn|{mrn}");
        var first = await All.PostAsync("Patient", Given.Patient(mrn: mrn), condition);
        var second = await All.PostAsync("Patient", Given.Patient("Other", mrn: mrn), condition);
        Assert.Equal((201, 200), (first.Status, second.Status));
        Assert.Equal(first.Json.Text("id"), second.Json.Text("id"));
        Assert.Equal(first.Header("Location"), second.Header("Location"));

        await All.CreateAsync(Given.Patient(mrn: mrn));
        (await All.PostAsync("Patient", Given.Patient(mrn: mrn), condition)).AssertOutcome(412, "IOMT-0605");
    }

    [Fact]
    public async Task Fifty_parallel_conditional_creates_give_one_201()
    {
        var mrn = Given.Unique("mrn");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => All.PostAsync("Patient", Given.Patient($"Family{number}", mrn: mrn), ("If-None-Exist", $"identifier=urn:example:mrn|{mrn}"))));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Equal(49, answers.Count(answer => answer.Status == 200));
        Assert.Single(answers.Select(answer => answer.Json.Text("id")).Distinct());
        Assert.Single((await All.GetAsync($"Patient?identifier=urn:example:mrn|{mrn}")).Matches);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?")]
    [InlineData("_count=1")]
    [InlineData("nonsense=1")]
    [InlineData("identifier=")]
    [InlineData("identifier:contains=x")]
    [InlineData("birthdate=soon")]
    public async Task A_condition_that_is_no_search_is_400(string condition) =>
        (await All.PostAsync("Patient", Given.Patient(), ("If-None-Exist", condition), ("Prefer", "handling=lenient"))).AssertOutcome(400);

    [Fact]
    public async Task An_update_needs_the_current_version_when_it_names_one()
    {
        var id = await All.CreateAsync(Given.Patient("One"));
        var two = await All.PutAsync($"Patient/{id}", Given.Patient("Two", id), ("If-Match", "W/\"1\""));
        Assert.Equal((200, "W/\"2\""), (two.Status, two.Header("ETag")));
        Assert.EndsWith("/_history/2", two.Header("Location"), StringComparison.Ordinal);
        (await All.PutAsync($"Patient/{id}", Given.Patient("Three", id), ("If-Match", "W/\"1\""))).AssertOutcome(412, "IOMT-0604");
        Assert.Equal(200, (await All.PutAsync($"Patient/{id}", Given.Patient("Three", id), ("If-Match", "\"2\""))).Status);
        foreach (var bad in (string[])["1", "W/1", "W/\"x\"", "W/\"2\", 3", "W/\"2\" W/\"3\"", "*, W/\"3\""])
        {
            (await All.PutAsync($"Patient/{id}", Given.Patient("Four", id), ("If-Match", bad))).AssertOutcome(400, "IOMT-0626");
        }

        Assert.Contains("Three", (await All.GetAsync($"Patient/{id}")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task If_Match_takes_several_versions_and_a_star_for_any()
    {
        var id = await All.CreateAsync(Given.Patient("One"));
        Assert.Equal(200, (await All.PutAsync($"Patient/{id}", Given.Patient("Two", id), ("If-Match", "*"))).Status);
        Assert.Equal(200, (await All.PutAsync($"Patient/{id}", Given.Patient("Three", id), ("If-Match", "W/\"1\", W/\"2\""))).Status);
        (await All.PutAsync($"Patient/{id}", Given.Patient("Four", id), ("If-Match", "W/\"1\", W/\"2\""))).AssertOutcome(412, "IOMT-0604");
        (await All.SendAsync(HttpMethod.Delete, $"Patient/{id}", body: null, ("If-Match", "W/\"1\",W/\"2\""))).AssertOutcome(412, "IOMT-0604");
        var never = Given.Unique("never");
        (await All.PutAsync($"Patient/{never}", Given.Patient(id: never), ("If-Match", "*"))).AssertOutcome(412, "IOMT-0604");
        (await All.GetAsync($"Patient/{never}")).AssertOutcome(404);
    }

    [Fact]
    public async Task Of_twenty_updates_on_one_version_one_wins()
    {
        var id = await All.CreateAsync(Given.Patient());
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => All.PutAsync($"Patient/{id}", Given.Patient($"Family{number}", id), ("If-Match", "W/\"1\""))));
        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(19, answers.Count(answer => answer.Status == 412));
        Assert.Equal("W/\"2\"", (await All.GetAsync($"Patient/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task An_update_that_changes_nothing_makes_no_version()
    {
        var id = await All.CreateAsync(Given.Observation("p1", value: "72.0"));
        var read = await All.GetAsync($"Observation/{id}");
        var same = await All.PutAsync($"Observation/{id}", read.Body);
        Assert.Equal((200, "W/\"1\""), (same.Status, same.Header("ETag")));
        Assert.Equal(404, (await All.GetAsync($"Observation/{id}/_history/2")).Status);

        // Zeros of a measurement are a change.
        var precise = await All.PutAsync($"Observation/{id}", read.Body.Replace("72.0", "72.00", StringComparison.Ordinal));
        Assert.Equal((200, "W/\"2\""), (precise.Status, precise.Header("ETag")));
    }

    [Fact]
    public async Task The_id_in_the_body_must_be_the_one_in_the_address()
    {
        var id = await All.CreateAsync(Given.Patient());
        (await All.PutAsync($"Patient/{id}", Given.Patient())).AssertOutcome(400, "IOMT-0606");
        (await All.PutAsync($"Patient/{id}", Given.Patient(id: "other"))).AssertOutcome(400, "IOMT-0606");
        (await All.PutAsync($"Patient/{id}", Given.Observation("p1", id: id))).AssertOutcome(400, "IOMT-0607");
    }

    [Fact]
    public async Task An_update_creates_where_everything_may_be_seen()
    {
        var id = Given.Unique("chosen");
        (await All.PutAsync($"Patient/{id}", Given.Patient(id: id), ("If-Match", "W/\"1\""))).AssertOutcome(412);
        Assert.Equal(201, (await All.PutAsync($"Patient/{id}", Given.Patient(id: id))).Status);
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}")).Status);
    }

    [Fact]
    public async Task Abuse_46_version_and_time_of_the_client_are_ignored()
    {
        var forged = Given.Patient().Replace("{\"resourceType\"", "{\"meta\":{\"versionId\":\"99\",\"lastUpdated\":\"1999-01-01T00:00:00Z\"},\"resourceType\"", StringComparison.Ordinal);
        var created = await All.PostAsync("Patient", forged);
        Assert.Equal(201, created.Status);
        Assert.Equal("1", created.Json.GetProperty("meta").Text("versionId"));
        Assert.DoesNotContain("1999", created.Body, StringComparison.Ordinal);
    }
}
