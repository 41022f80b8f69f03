using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class BundleTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_transaction_stores_all_and_its_references_point_to_what_was_stored()
    {
        var answer = await SendAsync("transaction",
            Entry("POST", "Patient", Given.Patient("Linked"), "urn:uuid:6c1b3f2e-0000-4000-8000-000000000001"),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", "urn:uuid:6c1b3f2e-0000-4000-8000-000000000001", StringComparison.Ordinal), "urn:uuid:6c1b3f2e-0000-4000-8000-000000000002"));
        Assert.Equal("transaction-response", answer.Json.Text("type"));
        Assert.Equal(["201", "201"], Statuses(answer));
        var patient = IdOf(answer, 0);
        var observation = await All.GetAsync($"Observation/{IdOf(answer, 1)}");
        Assert.Equal($"Patient/{patient}", observation.Json.GetProperty("subject").Text("reference"));
        Assert.Single((await All.GetAsync($"Observation?patient={patient}")).Matches);
    }

    [Fact]
    public async Task Only_what_is_typed_as_a_link_is_rewritten()
    {
        const string Url = "urn:uuid:6c1b3f2e-0000-4000-8000-000000000003";
        var patient = $$"""
            {"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{{Url}}\">me</a> {{Url}}</div>"},
             "extension":[{"url":"urn:example:uri","valueUri":"{{Url}}"},{"url":"urn:example:string","valueString":"{{Url}}"}],
             "identifier":[{"system":"urn:ietf:rfc:3986","value":"{{Url}}"}],"link":[{"other":{"reference":"{{Url}}"},"type":"seealso"}]}
            """;
        var answer = await SendAsync("transaction", Entry("POST", "Patient", patient, Url));
        var id = IdOf(answer, 0);
        var stored = (await All.GetAsync($"Patient/{id}")).Json;
        Assert.Equal(Url, stored.GetProperty("identifier")[0].Text("value"));
        Assert.Equal($"Patient/{id}", stored.GetProperty("extension")[0].Text("valueUri"));
        Assert.Equal(Url, stored.GetProperty("extension")[1].Text("valueString"));
        Assert.Equal($"Patient/{id}", stored.GetProperty("link")[0].GetProperty("other").Text("reference"));
        Assert.Contains($"href=\"Patient/{id}\">me</a> {Url}<", stored.GetProperty("text").Text("div"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_that_fails_anywhere_stores_nothing_and_says_where()
    {
        var mrn = Given.Unique("mrn");
        var existing = await All.CreateAsync(Given.Patient());
        (string[] Entries, int Status, string Place)[] cases =
        [
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("POST", "Patient", """{"resourceType":"Patient","gender":"unheard-of"}""")], 422, "Bundle.entry[1].resource.gender"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("PUT", $"Patient/{existing}", Given.Patient("New", existing), ifMatch: "W/\"9\"")], 412, "Bundle.entry[1].request"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("PUT", $"Patient/{existing}", Given.Patient("A", existing)), Entry("DELETE", $"Patient/{existing}")], 400, "Bundle.entry[2]"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", "Patient?identifier=nobody-has-this", StringComparison.Ordinal))], 412, "Bundle.entry[1]"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("POST", "Gadget", Given.Patient())], 404, "Bundle.entry[1]"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), "{\"resource\":{\"resourceType\":\"Patient\"}}"], 400, "Bundle.entry[1]"),
            ([Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("POST", "Patient", "{\"resourceType\":\"Patient\"}", "urn:uuid:1"), Entry("POST", "Patient", "{\"resourceType\":\"Patient\"}", "urn:uuid:1")], 400, "Bundle.entry[2]"),
        ];
        foreach (var (entries, status, place) in cases)
        {
            var answer = await SendAsync("transaction", entries);
            answer.AssertOutcome(status);
            Assert.StartsWith(place, answer.Json.GetProperty("issue")[0].GetProperty("expression")[0].GetString(), StringComparison.Ordinal);
            Assert.Empty((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
        }

        Assert.Equal("W/\"1\"", (await All.GetAsync($"Patient/{existing}")).Header("ETag"));
    }

    [Fact]
    public async Task Deletes_come_first_and_reads_last_and_answers_in_the_order_of_the_request()
    {
        var mrn = Given.Unique("mrn");
        var old = await All.CreateAsync(Given.Patient("Old", mrn: mrn));
        var answer = await SendAsync("transaction",
            Entry("GET", $"Patient?identifier={mrn}"),
            Entry("POST", "Patient", Given.Patient("New", mrn: mrn)),
            Entry("DELETE", $"Patient/{old}"));
        Assert.Equal(["200", "201", "204"], Statuses(answer));
        var found = answer.Json.GetProperty("entry")[0].GetProperty("resource").GetProperty("entry");
        Assert.Equal(IdOf(answer, 1), Assert.Single(found.EnumerateArray()).GetProperty("resource").Text("id"));
    }

    [Fact]
    public async Task A_transaction_with_a_read_that_fails_stores_nothing()
    {
        var mrn = Given.Unique("mrn");
        var (there, gone) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        foreach (var (read, status) in new[] { ("Patient/nobody", 404), ("Patient?birthdate=soon", 400), ($"Patient/{gone}", 410), ($"Patient/{there}/_history/7", 404) })
        {
            var answer = await SendAsync("transaction", Entry("POST", "Patient", Given.Patient(mrn: mrn)), Entry("DELETE", $"Patient/{gone}"), Entry("GET", read));
            answer.AssertOutcome(status);
            Assert.StartsWith("Bundle.entry[2]", answer.Json.GetProperty("issue")[0].GetProperty("expression")[0].GetString(), StringComparison.Ordinal);
            Assert.Empty((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
            Assert.Equal(200, (await All.GetAsync($"Patient/{gone}")).Status);
        }

        (await SendAsync("transaction", Entry("GET", $"Patient/{there}"), Entry("GET", "Patient/nobody"))).AssertOutcome(404);

        // What the transaction makes can be read in it, though it is not there before.
        var id = Given.Unique("own");
        Assert.Equal(["200", "201"], Statuses(await SendAsync("transaction", Entry("GET", $"Patient/{id}"), Entry("PUT", $"Patient/{id}", Given.Patient(id: id)))));
    }

    [Fact]
    public async Task Conditions_in_a_transaction_are_answered_and_references_follow()
    {
        var mrn = Given.Unique("mrn");
        string[] Entries() =>
        [
            Entry("POST", "Patient", Given.Patient("Once", mrn: mrn), "urn:uuid:p", ifNoneExist: $"identifier={mrn}"),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", "urn:uuid:p", StringComparison.Ordinal)),
        ];
        var first = await SendAsync("transaction", Entries());
        var second = await SendAsync("transaction", Entries());
        Assert.Equal(["201", "201"], Statuses(first));
        Assert.Equal(["200", "201"], Statuses(second));
        Assert.Equal(IdOf(first, 0), IdOf(second, 0));
        Assert.Equal(2, (await All.GetAsync($"Observation?patient={IdOf(first, 0)}")).Matches.Count);

        var conditional = await SendAsync("transaction", Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={mrn}", StringComparison.Ordinal)));
        Assert.Equal($"Patient/{IdOf(first, 0)}", (await All.GetAsync($"Observation/{IdOf(conditional, 0)}")).Json.GetProperty("subject").Text("reference"));
    }

    [Fact]
    public async Task What_a_transaction_deletes_is_not_there_for_its_conditions()
    {
        var mrn = Given.Unique("mrn");
        foreach (var byCondition in (bool[])[false, true])
        {
            var old = await All.CreateAsync(Given.Patient("Old", mrn: mrn));
            var answer = await SendAsync("transaction",
                Entry("POST", "Patient", Given.Patient("New", mrn: mrn), "urn:uuid:p", ifNoneExist: $"identifier={mrn}"),
                Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={mrn}", StringComparison.Ordinal)),
                Entry("DELETE", byCondition ? $"Patient?identifier={mrn}" : $"Patient/{old}"));
            Assert.Equal(["201", "201", "204"], Statuses(answer));
            Assert.NotEqual(old, IdOf(answer, 0));
            Assert.Equal([IdOf(answer, 0)], (await All.GetAsync($"Patient?identifier={mrn}")).Matches);
            Assert.Equal($"Patient/{IdOf(answer, 0)}", (await All.GetAsync($"Observation/{IdOf(answer, 1)}")).Json.GetProperty("subject").Text("reference"));
            await All.SendAsync(HttpMethod.Delete, $"Patient/{IdOf(answer, 0)}", body: null);
        }
    }

    [Fact]
    public async Task What_the_caller_may_not_delete_is_still_there_for_conditions()
    {
        var mrn = Given.Unique("mrn");
        var id = await All.CreateAsync(Given.Patient("Kept", mrn: mrn));
        var caller = await fixture.Server.CallerAsync("system/Patient.crus system/Patient.d?_tag=urn:example:tags|mine");
        var answer = await caller.PostAsync("", Bundle("transaction", Entry("DELETE", $"Patient/{id}"), Entry("POST", "Patient", Given.Patient("New", mrn: mrn), ifNoneExist: $"identifier={mrn}")));
        Assert.Equal(["204", "200"], Statuses(answer));
        Assert.Equal([id], (await All.GetAsync($"Patient?identifier={mrn}")).Matches);
    }

    [Fact]
    public async Task A_condition_that_finds_what_another_entry_deletes_is_about_the_same_resource()
    {
        var mrn = Given.Unique("mrn");
        var id = await All.CreateAsync(Given.Patient("One", mrn: mrn));
        var remove = Entry("DELETE", $"Patient?identifier={mrn}");
        var patch = """{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10="}""";
        foreach (var other in (string[])[Entry("PUT", $"Patient?identifier={mrn}", Given.Patient("Two", mrn: mrn)), Entry("PATCH", $"Patient?identifier={mrn}", patch), Entry("PUT", $"Patient/{id}", Given.Patient("Two", id, mrn))])
        {
            (await SendAsync("transaction", other, remove)).AssertOutcome(400, "IOMT-0611");
            (await SendAsync("transaction", remove, other)).AssertOutcome(400, "IOMT-0611");
        }

        Assert.Equal("W/\"1\"", (await All.GetAsync($"Patient/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task A_conditional_reference_finds_what_the_same_transaction_stores()
    {
        var mrn = Given.Unique("mrn");
        var answer = await SendAsync("transaction",
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={mrn}", StringComparison.Ordinal)),
            Entry("POST", "Patient", Given.Patient("New", mrn: mrn)));
        Assert.Equal(["201", "201"], Statuses(answer));
        Assert.Equal($"Patient/{IdOf(answer, 1)}", (await All.GetAsync($"Observation/{IdOf(answer, 0)}")).Json.GetProperty("subject").Text("reference"));

        // As it is at the end: what is updated counts by what it says then, and two that match are two.
        var renamed = Given.Unique("mrn");
        var updated = await SendAsync("transaction",
            Entry("PUT", $"Patient/{IdOf(answer, 1)}", Given.Patient("New", IdOf(answer, 1), renamed)),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={renamed}", StringComparison.Ordinal)));
        Assert.Equal($"Patient/{IdOf(answer, 1)}", (await All.GetAsync($"Observation/{IdOf(updated, 1)}")).Json.GetProperty("subject").Text("reference"));
        (await SendAsync("transaction",
            Entry("PUT", $"Patient/{IdOf(answer, 1)}", Given.Patient("New", IdOf(answer, 1), mrn)),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={renamed}", StringComparison.Ordinal)))).AssertOutcome(412, "IOMT-0612");
        (await SendAsync("transaction",
            Entry("POST", "Patient", Given.Patient("Twin", mrn: renamed)),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", $"Patient?identifier={renamed}", StringComparison.Ordinal)))).AssertOutcome(412, "IOMT-0605");
    }

    [Fact]
    public async Task References_to_a_version_stay_references_to_a_version()
    {
        var observation = Given.Observation("x");
        var answer = await SendAsync("transaction",
            Entry("POST", "Patient", Given.Patient(), "http://other.example/fhir/Patient/77"),
            Entry("POST", "Observation", observation.Replace("Patient/x", "http://other.example/fhir/Patient/77/_history/3", StringComparison.Ordinal)),
            Entry("POST", "Observation", observation.Replace("Patient/x", "Patient/77/_history/3", StringComparison.Ordinal), "http://other.example/fhir/Observation/1"),
            Entry("POST", "Observation", observation.Replace("Patient/x", "Patient/78/_history/3", StringComparison.Ordinal), "http://other.example/fhir/Observation/2"));
        Assert.Equal(["201", "201", "201", "201"], Statuses(answer));
        Assert.Equal($"Patient/{IdOf(answer, 0)}/_history/1", await SubjectAsync(1));
        Assert.Equal($"Patient/{IdOf(answer, 0)}/_history/1", await SubjectAsync(2));
        Assert.Equal("Patient/78/_history/3", await SubjectAsync(3));

        async Task<string> SubjectAsync(int entry) => (await All.GetAsync($"Observation/{IdOf(answer, entry)}")).Json.GetProperty("subject").Text("reference");
    }

    [Fact]
    public async Task Canonicals_and_what_is_quoted_otherwise()
    {
        const string Url = "http://other.example/fhir/Questionnaire/9";
        var response = $$"""
            {"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"{{Url}}",
             "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href='{{Url}}'>it</a></div>"} }
            """;
        var answer = await SendAsync("transaction", Entry("POST", "Questionnaire", $$"""{"resourceType":"Questionnaire","status":"draft"}""", Url), Entry("POST", "QuestionnaireResponse", response));
        Assert.Equal(["201", "201"], Statuses(answer));
        var stored = (await All.GetAsync($"QuestionnaireResponse/{IdOf(answer, 1)}")).Json;
        Assert.Equal(Url, stored.Text("questionnaire"));
        Assert.Contains($"href='Questionnaire/{IdOf(answer, 0)}'", stored.GetProperty("text").Text("div"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fifty_parallel_transactions_with_one_condition_make_one_patient()
    {
        var mrn = Given.Unique("mrn");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync("transaction",
            Entry("POST", "Patient", Given.Patient("Once", mrn: mrn), "urn:uuid:p", ifNoneExist: $"identifier={mrn}"),
            Entry("POST", "Observation", Given.Observation("x").Replace("Patient/x", "urn:uuid:p", StringComparison.Ordinal)))));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        var patient = Assert.Single((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
        Assert.Equal(50, (await All.GetAsync($"Observation?patient={patient}&_count=100")).Matches.Count);
    }

    [Fact]
    public async Task Entries_of_a_batch_stand_alone()
    {
        var mrn = Given.Unique("mrn");
        var answer = await SendAsync("batch",
            Entry("POST", "Patient", Given.Patient("Fine", mrn: mrn)),
            Entry("POST", "Patient", """{"resourceType":"Patient","gender":"unheard-of"}"""),
            Entry("GET", "Patient/nobody"),
            Entry("PATCH", "Patient/nobody", """{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10="}"""),
            Entry("GET", "metadata"),
            Entry("DELETE", "Patient/nobody"),
            Entry("POST", "_foo", Given.Patient()),
            Entry("GET", "$foo?code=x"),
            Entry("GET", "$foo/1"));
        Assert.Equal("batch-response", answer.Json.Text("type"));
        Assert.Equal(["201", "422", "404", "404", "404", "204", "404", "404", "404"], Statuses(answer));
        Assert.Equal("OperationOutcome", answer.Json.GetProperty("entry")[1].GetProperty("response").GetProperty("outcome").Text("resourceType"));
        Assert.Single((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
    }

    [Fact]
    public async Task An_entry_is_answered_as_a_request_of_its_own_would_be()
    {
        var mrn = Given.Unique("mrn");
        var id = await All.CreateAsync(Given.Patient(mrn: mrn));
        var answer = await SendAsync("batch",
            Entry("HEAD", $"Patient/{id}"),
            Entry("GET", $"?_type=Patient&_id={id}"),
            Entry("POST", $"Patient/{id}", Given.Patient()),
            Entry("PUT", $"Patient/{id}/_history/1", Given.Patient()),
            Entry("POST", "?_type=Patient", """{"resourceType":"Bundle","type":"batch"}"""));
        Assert.Equal(["200", "200", "405", "405", "404"], Statuses(answer));
        var head = answer.Json.GetProperty("entry")[0];
        Assert.Equal("W/\"1\"", head.GetProperty("response").Text("etag"));
        Assert.False(head.TryGetProperty("resource", out _));
        Assert.Equal(id, Assert.Single(answer.Json.GetProperty("entry")[1].GetProperty("resource").GetProperty("entry").EnumerateArray()).GetProperty("resource").Text("id"));
    }

    [Fact]
    public async Task What_came_back_is_what_was_preferred()
    {
        var body = Bundle("transaction", Entry("POST", "Patient", Given.Patient()));
        Assert.False((await All.PostAsync("", body)).Json.GetProperty("entry")[0].TryGetProperty("resource", out _));
        Assert.True((await All.PostAsync("", body, ("Prefer", "return=representation"))).Json.GetProperty("entry")[0].TryGetProperty("resource", out _));
    }

    [Fact]
    public async Task Rights_are_those_of_each_entry()
    {
        var caller = await fixture.Server.CallerAsync("system/Patient.c");
        (await caller.PostAsync("", Bundle("transaction", Entry("POST", "Patient", Given.Patient()), Entry("POST", "Observation", Given.Observation("x"))))).AssertOutcome(403);
        Assert.Equal(["201", "403"], Statuses(await caller.PostAsync("", Bundle("batch", Entry("POST", "Patient", Given.Patient()), Entry("POST", "Observation", Given.Observation("x"))))));
    }

    [Fact]
    public async Task A_patch_in_a_transaction_is_part_of_it()
    {
        var id = await All.CreateAsync(Given.Patient("Before"));
        var patch = Convert.ToBase64String("""[{"op":"replace","path":"/name/0/family","value":"After"}]"""u8);
        var answer = await SendAsync("transaction", Entry("PATCH", $"Patient/{id}", $$"""{"resourceType":"Binary","contentType":"application/json-patch+json","data":"{{patch}}"}"""), Entry("GET", $"Patient/{id}"));
        Assert.Equal(["200", "200"], Statuses(answer));
        Assert.Equal("After", answer.Json.GetProperty("entry")[1].GetProperty("resource").GetProperty("name")[0].Text("family"));
    }

    [Theory]
    [InlineData("""{"resourceType":"Bundle","type":"collection"}""")]
    [InlineData("""{"resourceType":"Bundle"}""")]
    [InlineData("""{"resourceType":"Patient"}""")]
    [InlineData("[]")]
    public async Task The_base_takes_nothing_else(string body) => (await All.PostAsync("", body)).AssertOutcome(400);

    private Task<Answer> SendAsync(string type, params string[] entries) => All.PostAsync("", Bundle(type, entries));

    private static string Bundle(string type, params string[] entries) => $$"""{"resourceType":"Bundle","type":"{{type}}","entry":[{{string.Join(',', entries)}}]}""";

    private static string Entry(string method, string url, string? resource = null, string? fullUrl = null, string? ifMatch = null, string? ifNoneExist = null) =>
        "{" + (fullUrl is null ? "" : $"\"fullUrl\":\"{fullUrl}\",") + (resource is null ? "" : $"\"resource\":{resource},")
        + $"\"request\":{{\"method\":\"{method}\",\"url\":\"{url}\"" + (ifMatch is null ? "" : $",\"ifMatch\":{JsonSerializer.Serialize(ifMatch)}") + (ifNoneExist is null ? "" : $",\"ifNoneExist\":\"{ifNoneExist}\"") + "}}";

    private static List<string> Statuses(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").Text("status"))];
    }

    private static string IdOf(Answer answer, int entry) => answer.Json.GetProperty("entry")[entry].GetProperty("response").Text("location").Split('/')[^3];
}
