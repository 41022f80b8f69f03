using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Delete, patch, and interactions whose target is a search.</summary>
public sealed class ConditionalTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string JsonPatch = "application/json-patch+json";

    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_deleted_resource_is_gone_and_no_search_finds_it()
    {
        var mrn = Given.Unique("mrn");
        var id = await All.CreateAsync(Given.Patient(mrn: mrn));
        var deleted = await DeleteAsync($"Patient/{id}");
        Assert.Equal((204, "", "W/\"2\""), (deleted.Status, deleted.Body, deleted.Header("ETag")));
        (await All.GetAsync($"Patient/{id}")).AssertOutcome(410, "IOMT-0601");
        Assert.Empty((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
        Assert.Equal(204, (await DeleteAsync($"Patient/{id}")).Status);
        Assert.Equal(204, (await DeleteAsync("Patient/never-there")).Status);
        Assert.Equal(201, (await All.PutAsync($"Patient/{id}", Given.Patient("Back", id))).Status);
        Assert.Equal("W/\"3\"", (await All.GetAsync($"Patient/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task A_delete_of_another_version_is_412_and_of_what_the_scope_hides_as_if_it_were_not_there()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var id = await All.CreateAsync(Given.Observation(patient, "laboratory"));
        (await All.SendAsync(HttpMethod.Delete, $"Observation/{id}", null, ("If-Match", "W/\"7\""))).AssertOutcome(412, "IOMT-0604");
        var vitals = await fixture.Server.CallerAsync("system/Observation.cruds?category=vital-signs");
        var (hidden, never) = (await vitals.SendAsync(HttpMethod.Delete, $"Observation/{id}", null), await vitals.SendAsync(HttpMethod.Delete, "Observation/never-there", null));
        Assert.Equal((never.Status, never.Body, never.Header("ETag")), (hidden.Status, hidden.Body, hidden.Header("ETag")));
        Assert.Equal(200, (await All.GetAsync($"Observation/{id}")).Status);
        (await (await fixture.Server.CallerAsync("system/Observation.rs")).SendAsync(HttpMethod.Delete, $"Observation/{id}", null)).AssertOutcome(403);
    }

    [Fact]
    public async Task A_conditional_delete_takes_all_that_match()
    {
        var patient = await All.CreateAsync(Given.Patient());
        for (var index = 0; index < 3; index++)
        {
            await All.CreateAsync(Given.Observation(patient, value: $"{70 + index}"));
        }

        Assert.Equal(204, (await DeleteAsync($"Observation?patient={patient}")).Status);
        Assert.Empty((await All.GetAsync($"Observation?patient={patient}")).Matches);
        Assert.Equal(204, (await DeleteAsync($"Observation?patient={patient}")).Status);
        (await DeleteAsync("Observation")).AssertOutcome(400, "IOMT-0627");
        (await DeleteAsync("Observation?nonsense=1")).AssertOutcome(400, "IOMT-0700");
    }

    [Fact]
    public async Task A_conditional_update_creates_updates_or_refuses()
    {
        var mrn = Given.Unique("mrn");
        var created = await All.PutAsync($"Patient?identifier=urn:example:mrn|{mrn}", Given.Patient("One", mrn: mrn));
        Assert.Equal(201, created.Status);
        var id = created.Json.Text("id");
        var updated = await All.PutAsync($"Patient?identifier=urn:example:mrn|{mrn}", Given.Patient("Two", mrn: mrn));
        Assert.Equal((200, id, "W/\"2\""), (updated.Status, updated.Json.Text("id"), updated.Header("ETag")));
        (await All.PutAsync($"Patient?identifier={mrn}", Given.Patient("Three", id: "another", mrn: mrn))).AssertOutcome(400, "IOMT-0606");
        await All.CreateAsync(Given.Patient("Twin", mrn: mrn));
        (await All.PutAsync($"Patient?identifier={mrn}", Given.Patient("Four", mrn: mrn))).AssertOutcome(412, "IOMT-0605");
        var withId = await All.PutAsync($"Patient?identifier={Given.Unique("mrn")}", Given.Patient("Five", id: Given.Unique("chosen")));
        Assert.Equal(201, withId.Status);
        Assert.StartsWith("chosen", withId.Json.Text("id"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_mark_in_the_value_of_a_condition_is_part_of_it()
    {
        var family = Given.Unique("Mark");
        var existing = await All.CreateAsync(Given.Patient(family));
        var created = await All.PostAsync("Patient", Given.Patient(family), ("If-None-Exist", $"identifier=http://example.org/?family={family}"));
        Assert.Equal(201, created.Status);
        var known = await All.PostAsync("Patient", Given.Patient(family), ("If-None-Exist", $"{fixture.Server.FhirBase}/Patient?_id={existing}"));
        Assert.Equal((200, existing), (known.Status, known.Json.Text("id")));
    }

    [Fact]
    public async Task Fifty_parallel_conditional_updates_make_one_resource()
    {
        var mrn = Given.Unique("mrn");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => All.PutAsync($"Patient?identifier={mrn}", Given.Patient($"F{number}", mrn: mrn))));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Equal(49, answers.Count(answer => answer.Status == 200));
        Assert.Single((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
    }

    [Fact]
    public async Task If_None_Match_star_only_creates()
    {
        var id = Given.Unique("only-new");
        Assert.Equal(201, (await All.PutAsync($"Patient/{id}", Given.Patient(id: id), ("If-None-Match", "*"))).Status);
        (await All.PutAsync($"Patient/{id}", Given.Patient("Other", id), ("If-None-Match", "*"))).AssertOutcome(412, "IOMT-0608");
    }

    [Fact]
    public async Task A_read_is_conditional_by_version_and_by_time()
    {
        var id = await All.CreateAsync(Given.Patient());
        var read = await All.GetAsync($"Patient/{id}");
        Assert.Equal(304, (await All.GetAsync($"Patient/{id}", ("If-None-Match", read.Header("ETag")!))).Status);
        Assert.Equal(304, (await All.GetAsync($"Patient/{id}", ("If-Modified-Since", read.Header("Last-Modified")!))).Status);
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}", ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"))).Status);
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}", ("If-None-Match", "W/\"9\""), ("If-Modified-Since", read.Header("Last-Modified")!))).Status);
    }

    [Fact]
    public async Task A_JSON_patch_makes_a_new_version_that_must_be_valid()
    {
        var id = await All.CreateAsync(Given.Patient("Before"));
        var patched = await PatchAsync($"Patient/{id}", """[{"op":"test","path":"/name/0/family","value":"Before"},{"op":"replace","path":"/name/0/family","value":"After"}]""");
        Assert.Equal((200, "W/\"2\""), (patched.Status, patched.Header("ETag")));
        Assert.Equal("After", patched.Json.GetProperty("name")[0].Text("family"));
        (await PatchAsync($"Patient/{id}", """[{"op":"replace","path":"/gender","value":"unheard-of"}]""")).AssertOutcome(422);
        (await PatchAsync($"Patient/{id}", """[{"op":"test","path":"/name/0/family","value":"Before"}]""")).AssertOutcome(422);
        (await PatchAsync($"Patient/{id}", """[{"op":"replace","path":"/id","value":"other"}]""")).AssertOutcome(400, "IOMT-0606");
        (await PatchAsync($"Patient/{id}", """{"op":"remove"}""")).AssertOutcome(422);
        (await PatchAsync($"Patient/{id}", "not json")).AssertOutcome(400);
        (await PatchAsync("Patient/nobody", "[]")).AssertOutcome(404);
        (await All.SendAsync(HttpMethod.Patch, $"Patient/{id}", "[]", ("Content-Type", "text/plain"))).AssertOutcome(415);
        (await All.SendAsync(HttpMethod.Patch, $"Patient/{id}", "[]", ("Content-Type", JsonPatch), ("If-Match", "W/\"1\""))).AssertOutcome(412);
        Assert.Equal("W/\"2\"", (await All.GetAsync($"Patient/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task A_FHIRPath_patch_works_too_and_on_what_a_search_finds()
    {
        const string Patch = """{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"female"}]}]}""";
        var mrn = Given.Unique("mrn");
        var id = await All.CreateAsync(Given.Patient(mrn: mrn));
        var patched = await All.SendAsync(HttpMethod.Patch, $"Patient?identifier={mrn}", Patch);
        Assert.Equal((200, "female"), (patched.Status, patched.Json.Text("gender")));
        (await All.SendAsync(HttpMethod.Patch, $"Patient?identifier={Given.Unique("none")}", Patch)).AssertOutcome(404);
        await All.CreateAsync(Given.Patient(mrn: mrn));
        (await All.SendAsync(HttpMethod.Patch, $"Patient?identifier={mrn}", Patch)).AssertOutcome(412);
        Assert.Equal("W/\"2\"", (await All.GetAsync($"Patient/{id}")).Header("ETag"));
    }

    [Fact]
    public async Task Parallel_patches_of_different_elements_are_all_kept()
    {
        var id = await All.CreateAsync($$"""{"resourceType":"Patient","telecom":[{{string.Join(',', Enumerable.Range(0, 10).Select(_ => "{\"system\":\"phone\",\"value\":\"0\"}"))}}]}""");
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async number =>
        {
            while (true)
            {
                var answer = await PatchAsync($"Patient/{id}", $$"""[{"op":"replace","path":"/telecom/{{number}}/value","value":"1"}]""");
                if (answer.Status != 409)
                {
                    return answer.Status;
                }
            }
        }));
        Assert.All(answers, status => Assert.Equal(200, status));
        var telecom = (await All.GetAsync($"Patient/{id}")).Json.GetProperty("telecom");
        Assert.All(telecom.EnumerateArray(), point => Assert.Equal("1", point.Text("value")));
    }

    [Fact]
    public async Task A_patch_cannot_move_a_resource_out_of_the_scope()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var id = await All.CreateAsync(Given.Observation(patient));
        var vitals = await fixture.Server.CallerAsync("system/Observation.cruds?category=vital-signs");
        var answer = await vitals.SendAsync(HttpMethod.Patch, $"Observation/{id}", """[{"op":"replace","path":"/category/0/coding/0/code","value":"laboratory"}]""", ("Content-Type", JsonPatch));
        answer.AssertOutcome(403, "IOMT-0603");
        var laboratory = await fixture.Server.CallerAsync("system/Observation.cruds?category=laboratory");
        (await laboratory.SendAsync(HttpMethod.Patch, $"Observation/{id}", "[]", ("Content-Type", JsonPatch))).AssertOutcome(404);
    }

    private Task<Answer> DeleteAsync(string path) => All.SendAsync(HttpMethod.Delete, path, null);

    private Task<Answer> PatchAsync(string path, string patch) => All.SendAsync(HttpMethod.Patch, path, patch, ("Content-Type", JsonPatch));
}
