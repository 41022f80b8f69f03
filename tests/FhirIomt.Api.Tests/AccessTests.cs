using System.Net.Http.Headers;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>401, 403 and 404, and the abuse cases of facts §10 that apply to backend services, under their numbers.</summary>
public sealed class AccessTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Vital = "system/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";

    private TestServer Server => fixture.Server;

    private FhirCaller All => fixture.All;

    [Theory]
    [InlineData("GET", "Patient")]
    [InlineData("GET", "Patient/x")]
    [InlineData("GET", "Patient/x/_history/1")]
    [InlineData("HEAD", "Patient/x")]
    [InlineData("POST", "Patient")]
    [InlineData("POST", "Patient/_search")]
    [InlineData("PUT", "Patient/x")]
    [InlineData("GET", "Gadget/x")]
    [InlineData("GET", "anything/at/all/else")]
    public async Task Without_a_token_everything_is_401(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var answer = await Answer.OfAsync(await Server.Http.SendAsync(request));
        Assert.Equal(401, answer.Status);
        Assert.StartsWith("Bearer", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Abuse_80_tokens_in_other_places_or_forms_are_401()
    {
        string[] headers = ["Bearer", "Bearer ", "Bearer x", $"Basic {All.Token}", All.Token, $"Bearer {All.Token}x", $"Bearer {All.Token[..^1]}", $"Bearer {All.Token.ToUpperInvariant()}", $"Bearer {All.Token} x", $"Token {All.Token}", "Bearer " + new string('x', 5000)];
        foreach (var header in headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "Patient");
            request.Headers.TryAddWithoutValidation("Authorization", header);
            (await Answer.OfAsync(await Server.Http.SendAsync(request))).AssertOutcome(401);
        }

        Assert.Equal(401, (int)(await Server.Http.GetAsync($"Patient?access_token={All.Token}")).StatusCode);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("access_token", All.Token)]);
        Assert.Equal(401, (int)(await Server.Http.PostAsync("Patient/_search", form)).StatusCode);
        using var lower = new HttpRequestMessage(HttpMethod.Get, "Patient?_count=1");
        lower.Headers.TryAddWithoutValidation("Authorization", $"bearer {All.Token}");
        Assert.Equal(200, (int)(await Server.Http.SendAsync(lower)).StatusCode);
    }

    [Fact]
    public async Task Abuse_74_an_assertion_is_no_access_token()
    {
        var client = await Server.RegisterAsync("system/*.rs");
        (await new FhirCaller(Server, client.Assertion()).GetAsync("Patient")).AssertOutcome(401, "IOMT-0821");
    }

    [Fact]
    public async Task Abuse_52_each_letter_grants_its_interaction_only()
    {
        var id = await All.CreateAsync(Given.Patient());
        var body = Given.Patient("New", id);
        foreach (var letter in "cruds")
        {
            var caller = await Server.CallerAsync($"system/Patient.{letter}");
            Assert.Equal(letter == 'r' ? 200 : 403, (await caller.GetAsync($"Patient/{id}")).Status);
            Assert.Equal(letter == 'r' ? 200 : 403, (await caller.GetAsync($"Patient/{id}/_history/1")).Status);
            Assert.Equal(letter == 's' ? 200 : 403, (await caller.GetAsync("Patient?_count=1")).Status);
            Assert.Equal(letter == 's' ? 200 : 403, (await caller.PostAsync("Patient/_search", "_count=1", ("Content-Type", "application/x-www-form-urlencoded"))).Status);
            Assert.Equal(letter == 'c' ? 201 : 403, (await caller.PostAsync("Patient", Given.Patient())).Status);
            Assert.Equal(letter == 'u' ? 200 : 403, (await caller.PutAsync($"Patient/{id}", body)).Status);
            Assert.Equal(403, (await caller.PostAsync("Patient", Given.Patient(), ("If-None-Exist", "family=Nobody-Here"))).Status);
            Assert.Equal(403, (await caller.GetAsync("Observation?_count=1")).Status);
        }
    }

    [Fact]
    public async Task Abuse_52_an_include_needs_the_read_right_of_its_type()
    {
        var patient = await All.CreateAsync(Given.Patient());
        await All.CreateAsync(Given.Observation(patient));
        var query = $"Observation?patient={patient}&_include=Observation:subject";
        Assert.Equal([patient], (await All.GetAsync(query)).Included);
        Assert.Empty((await (await Server.CallerAsync("system/Observation.rs")).GetAsync(query)).Included);
        Assert.Empty((await (await Server.CallerAsync("system/Observation.rs system/Patient.s")).GetAsync(query)).Included);
        Assert.Equal([patient], (await (await Server.CallerAsync("system/Observation.s system/Patient.r")).GetAsync(query)).Included);
    }

    [Fact]
    public async Task Abuse_1_to_4_26_33_a_hidden_instance_answers_as_one_that_never_existed()
    {
        var hidden = await All.CreateAsync(Given.Observation("p1", category: "laboratory"));
        var seen = await All.CreateAsync(Given.Observation("p1"));
        var granular = await Server.CallerAsync(Vital);
        Assert.Equal(200, (await granular.GetAsync($"Observation/{seen}")).Status);

        const string Never = "never-existed";
        foreach (var path in (string[])["Observation/ID", "Observation/ID/_history/1", "Observation/ID/_history/99"])
        {
            await AssertSameAsync(id => granular.GetAsync(path.Replace("ID", id, StringComparison.Ordinal)), hidden, Never);
            await AssertSameAsync(id => granular.GetAsync(path.Replace("ID", id, StringComparison.Ordinal), ("If-None-Match", "W/\"1\"")), hidden, Never);
            await AssertSameAsync(id => granular.SendAsync(HttpMethod.Head, path.Replace("ID", id, StringComparison.Ordinal), body: null), hidden, Never);
        }

        await AssertSameAsync(id => granular.GetAsync($"Observation?_id={id}"), hidden, Never);
        await AssertSameAsync(id => granular.GetAsync($"Observation?_id={id}&_count=0"), hidden, Never);
        await AssertSameAsync(id => granular.GetAsync($"Observation?_id={id}&_total=accurate"), hidden, Never);
    }

    [Fact]
    public async Task Abuse_37_39_45_an_update_of_a_hidden_instance_answers_as_one_that_never_existed()
    {
        var hidden = await All.CreateAsync(Given.Observation("p1", category: "laboratory"));
        var before = (await All.GetAsync($"Observation/{hidden}")).Body;
        var granular = await Server.CallerAsync(Vital);
        const string Never = "never-existed";
        foreach (var ifMatch in (string?[])[null, "W/\"1\"", "W/\"2\""])
        {
            (string, string)[] headers = ifMatch is null ? [] : [("If-Match", ifMatch)];
            await AssertSameAsync(id => granular.PutAsync($"Observation/{id}", Given.Observation("p1", id: id, mrn: "same"), headers), hidden, Never);
            await AssertSameAsync(id => granular.PutAsync($"Observation/{id}", Given.Observation("p1", category: "laboratory", id: id, mrn: "same"), headers), hidden, Never);
        }

        Assert.Equal(404, (await granular.PutAsync($"Observation/{hidden}", Given.Observation("p1", id: hidden))).Status);
        Assert.Equal(before, (await All.GetAsync($"Observation/{hidden}")).Body);
        Assert.Equal(404, (await All.GetAsync($"Observation/{Never}")).Status);
    }

    [Fact]
    public async Task Abuse_40_a_conditional_create_does_not_tell_of_a_hidden_match()
    {
        var mrn = Given.Unique("obs");
        var hidden = await All.CreateAsync(Given.Observation("p1", category: "laboratory", mrn: mrn));
        var granular = await Server.CallerAsync(Vital);
        var created = await granular.PostAsync("Observation", Given.Observation("p1", mrn: mrn), ("If-None-Exist", $"identifier=urn:example:obs|{mrn}"));
        Assert.Equal(201, created.Status);
        Assert.NotEqual(hidden, created.Json.Text("id"));
        Assert.DoesNotContain(hidden, created.Body + created.Header("Location"), StringComparison.Ordinal);

        var again = await granular.PostAsync("Observation", Given.Observation("p1", mrn: mrn), ("If-None-Exist", $"identifier=urn:example:obs|{mrn}"));
        Assert.Equal((200, created.Json.Text("id")), (again.Status, again.Json.Text("id")));
    }

    [Fact]
    public async Task Abuse_36_55_writes_that_leave_the_scope_are_refused_and_store_nothing()
    {
        var granular = await Server.CallerAsync(Vital);
        (await granular.PostAsync("Observation", Given.Observation("p1", category: "laboratory"))).AssertOutcome(403, "IOMT-0603");
        var id = await granular.CreateAsync(Given.Observation("p1"));
        (await granular.PutAsync($"Observation/{id}", Given.Observation("p1", category: "laboratory", id: id))).AssertOutcome(403, "IOMT-0603");
        Assert.Equal("W/\"1\"", (await All.GetAsync($"Observation/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task Abuse_5_a_version_counts_by_what_it_said_then()
    {
        var id = await All.CreateAsync(Given.Observation("p1", category: "laboratory"));
        Assert.Equal(200, (await All.PutAsync($"Observation/{id}", Given.Observation("p1", id: id))).Status);
        var granular = await Server.CallerAsync(Vital);
        Assert.Equal(200, (await granular.GetAsync($"Observation/{id}/_history/2")).Status);
        await AssertSameAsync(one => granular.GetAsync($"Observation/{one}/_history/1"), id, "never-existed");
    }

    [Fact]
    public async Task Abuse_54_no_search_finds_or_counts_what_the_scope_does_not_cover()
    {
        var patient = Given.Unique("p");
        var laboratory = await All.CreateAsync(Given.Observation(patient, category: "laboratory"));
        var vital = await All.CreateAsync(Given.Observation(patient));
        var granular = await Server.CallerAsync(Vital);
        foreach (var query in (string[])["", "&category=laboratory", "&category:not=vital-signs", "&code=8867-4", $"&_id={laboratory},{vital}", "&_sort=-date", "&category=laboratory,vital-signs", "&status=final&status=final", "&category:missing=false"])
        {
            var answer = await granular.GetAsync($"Observation?patient={patient}{query}&_total=accurate");
            Assert.DoesNotContain(laboratory, answer.Body.Replace(answer.Link("self")!, "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Equal(answer.Matches.Count, answer.Json.GetProperty("total").GetInt32());
        }

        Assert.Equal(2, (await All.GetAsync($"Observation?patient={patient}")).Matches.Count);
    }

    [Fact]
    public async Task Abuse_13_a_page_of_one_token_is_authorised_anew_for_another()
    {
        var patient = Given.Unique("p");
        for (var number = 0; number < 4; number++)
        {
            await All.CreateAsync(Given.Observation(patient, category: number % 2 == 0 ? "laboratory" : "vital-signs"));
        }

        var next = (await All.GetAsync($"Observation?patient={patient}&_count=1&_sort=date")).Link("next")!;
        var granular = await (await Server.CallerAsync(Vital)).GetAsync(next.Replace("_count=1", "_count=10", StringComparison.Ordinal));
        Assert.DoesNotContain("laboratory", granular.Body, StringComparison.Ordinal);
        Assert.Equal(403, (await (await Server.CallerAsync("system/Patient.rs")).GetAsync(next)).Status);
    }

    [Fact]
    public async Task Abuse_56_two_granular_scopes_are_a_union()
    {
        var patient = Given.Unique("p");
        foreach (var category in (string[])["laboratory", "vital-signs", "activity"])
        {
            await All.CreateAsync(Given.Observation(patient, category: category));
        }

        var caller = await Server.CallerAsync("system/Observation.rs?category=laboratory system/Observation.rs?category=activity");
        Assert.Equal(2, (await caller.GetAsync($"Observation?patient={patient}")).Matches.Count);
    }

    [Theory]
    [InlineData("%4fbservation?_count=1", 200)]
    [InlineData("/Observation", 404)]
    [InlineData("Observation/?_count=1", 200)]
    [InlineData("Observation;x=1", 404)]
    [InlineData("observation", 404)]
    [InlineData("./Observation/../Patient?_count=1", 403)]
    public async Task Abuse_32_other_spellings_of_an_address_open_nothing(string path, int status)
    {
        var caller = await Server.CallerAsync("system/Observation.rs");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Server.FhirBase}/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", caller.Token);
        Assert.Equal(status, (int)(await Server.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Abuse_32_a_method_override_header_is_refused()
    {
        var id = await All.CreateAsync(Given.Patient());
        var answer = await All.GetAsync($"Patient/{id}", ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE"));
        answer.AssertOutcome(400, "IOMT-0634");
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}")).Status);
    }

    private static async Task AssertSameAsync(Func<string, Task<Answer>> ask, string hidden, string never)
    {
        var (one, other) = (await ask(hidden), await ask(never));
        Assert.Equal(other.Status, one.Status);
        Assert.Equal(other.Body.Replace(never, "ID", StringComparison.Ordinal), one.Body.Replace(hidden, "ID", StringComparison.Ordinal));
        string[] varying = ["Date", "Content-Length"];
        static IEnumerable<string> Lines(Answer answer, string[] varying) =>
            answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(header => !varying.Contains(header.Key)).Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal);
        Assert.Equal(Lines(other, varying), Lines(one, varying));
    }
}
