using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Searching;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Elements that a role does not see, or does not change, whatever way is tried.</summary>
public sealed class HiddenFieldTests : IAsyncLifetime
{
    private const string Phone = "+43 1 5550199";

    private const string Policies = """
        {
          "clinician": { "patients": ["Patient?general-practitioner={fhirUser}"], "types": {
            "*": { "interactions": "cruds", "of": "patients" },
            "Patient": { "interactions": "cruds", "of": "all", "hidden": ["telecom", "photo"], "readOnly": ["birthDate", "deceased"] } } },
          "patient": { "patients": ["{fhirUser}"], "confidentiality": "V", "types": { "*": { "interactions": "rs", "of": "patients" } } },
          "operator": { "patients": [], "types": {} }, "vendor": { "patients": [], "types": {} }, "client": { "patients": [], "confidentiality": "V", "types": {} }
        }
        """;

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("fhiriomt-policies-").FullName, "policies.json");
    private TestServer _server = null!;
    private FhirCaller _all = null!;
    private FhirCaller _doctor = null!;
    private string _patient = "";
    private string _practitioner = "";

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Policies);
        _server = await TestServer.StartAsync(options => options.Access.Policies = _file);
        _all = await _server.CallerAsync("system/*.cruds");
        _practitioner = await _all.CreateAsync(People.Practitioner);
        _patient = await _all.CreateAsync(PatientJson());
        _doctor = _server.Caller("user/*.cruds", People.Clinician(_practitioner));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
    }

    [Fact]
    public async Task What_is_hidden_is_in_no_answer_and_each_says_that_something_is_missing()
    {
        var observation = await _all.CreateAsync(Given.Observation(_patient));
        var containing = await _all.CreateAsync($$"""
            {"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","telecom":[{"system":"phone","value":"{{Phone}}"}]}],"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{_patient}}"},"focus":[{"reference":"#p"}]}
            """);
        foreach (var path in (string[])[
            $"Patient/{_patient}", $"Patient/{_patient}/_history/1", $"Patient/{_patient}/_history", "Patient/_history", $"Patient?_id={_patient}", $"Observation?_id={observation}&_include=Observation:subject",
            $"Patient?_id={_patient}&_elements=telecom", $"Patient?_id={_patient}&_summary=true", $"Patient/{_patient}/$everything", $"Observation/{containing}", $"?_type=Patient&_id={_patient}", $"Patient/{_patient}?_format=xml"])
        {
            var answer = await _doctor.GetAsync(path);
            Assert.True(answer.Status == 200, $"{path}: {answer.Body}");
            Assert.DoesNotContain("5550199", answer.Body, StringComparison.Ordinal);
            Assert.Contains("SUBSETTED", answer.Body, StringComparison.Ordinal);
            Assert.Contains("5550199", (await _all.GetAsync(path)).Body, StringComparison.Ordinal);
        }

        var batch = await _doctor.PostAsync("", $$"""{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/{{_patient}}"} }]}""");
        Assert.DoesNotContain("5550199", batch.Body, StringComparison.Ordinal);
        Assert.Contains("SUBSETTED", batch.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Patient?telecom=%2B43%201%205550199")]
    [InlineData("Patient?phone=%2B43%201%205550199")]
    [InlineData("Patient?email=x")]
    [InlineData("Patient?telecom:missing=true")]
    [InlineData("Patient?_sort=phone")]
    [InlineData("Patient?_filter=phone eq 5550199")]
    [InlineData("Patient?_content=5550199")]
    [InlineData("Patient?_text=5550199")]
    [InlineData("Observation?patient.phone=5550199")]
    [InlineData("Observation?subject:Patient.telecom=5550199")]
    [InlineData("Practitioner?_has:Patient:general-practitioner:phone=5550199")]
    public async Task Nobody_searches_or_sorts_by_what_is_hidden(string search)
    {
        var answer = await _doctor.GetAsync(search);
        Assert.True(answer.Status == 403, $"{answer.Status} {answer.Body}");
        Assert.Contains(answer.IssueCode, (string[])["IOMT-0893", "IOMT-0602"]);
        Assert.NotEqual(403, (await _all.GetAsync(search)).Status);
    }

    [Fact]
    public async Task Conditions_of_writes_do_not_tell_it_either()
    {
        var condition = "phone=%2B43%201%205550199";
        (await _doctor.PostAsync("Patient", Given.Patient(), ("If-None-Exist", condition))).AssertOutcome(403, "IOMT-0893");
        (await _doctor.PutAsync($"Patient?{condition}", Given.Patient())).AssertOutcome(403, "IOMT-0893");
        (await _doctor.SendAsync(HttpMethod.Delete, $"Patient?{condition}", body: null)).AssertOutcome(403, "IOMT-0893");
        var entry = $$$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?{{{condition}}}"} }""";
        (await _doctor.PostAsync("", $$"""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{{entry}},"request":{"method":"POST","url":"Observation"} }]}""")).AssertOutcome(403, "IOMT-0893");
    }

    [Fact]
    public async Task What_is_hidden_stays_through_updates_and_patches()
    {
        var seen = (await _doctor.GetAsync($"Patient/{_patient}")).Body;
        var updated = await _doctor.PutAsync($"Patient/{_patient}", seen.Replace("\"Secret\"", "\"Changed\"", StringComparison.Ordinal));
        Assert.True(updated.Status == 200, updated.Body);
        Assert.DoesNotContain("5550199", updated.Body, StringComparison.Ordinal);
        var patched = await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", """[{"op":"add","path":"/gender","value":"female"}]""", ("Content-Type", "application/json-patch+json"));
        Assert.True(patched.Status == 200, patched.Body);
        Assert.DoesNotContain("5550199", patched.Body, StringComparison.Ordinal);

        var stored = (await _all.GetAsync($"Patient/{_patient}")).Json;
        Assert.Equal((Phone, "Changed", "female"), (stored.GetProperty("telecom")[0].Text("value"), stored.GetProperty("name")[0].Text("family"), stored.Text("gender")));
        Assert.Contains("5550199", stored.GetProperty("text").Text("div"), StringComparison.Ordinal);
        Assert.DoesNotContain("SUBSETTED", stored.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"op":"test","path":"/telecom/0/value","value":"+43 1 5550199"}]""")]
    [InlineData("""[{"op":"copy","from":"/telecom/0/value","path":"/name/0/text"}]""")]
    [InlineData("""[{"op":"remove","path":"/telecom"}]""")]
    public async Task A_patch_neither_tests_nor_copies_nor_removes_what_is_hidden(string patch)
    {
        var answer = await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", patch, ("Content-Type", "application/json-patch+json"));
        Assert.InRange(answer.Status, 400, 422);
        Assert.DoesNotContain("5550199", answer.Body, StringComparison.Ordinal);
        Assert.Equal("1", (await _all.GetAsync($"Patient/{_patient}")).Json.GetProperty("meta").Text("versionId"));
    }

    [Fact]
    public async Task Nobody_writes_what_they_do_not_see_or_may_only_read()
    {
        var own = (await _all.GetAsync($"Patient/{_patient}")).Body;
        (await _doctor.PutAsync($"Patient/{_patient}", own)).AssertOutcome(403, "IOMT-0894");
        (await _doctor.PostAsync("Patient", own)).AssertOutcome(403, "IOMT-0894");
        var seen = (await _doctor.GetAsync($"Patient/{_patient}")).Body;
        (await _doctor.PutAsync($"Patient/{_patient}", seen.Replace("1958-03-14", "1958-03-15", StringComparison.Ordinal))).AssertOutcome(403, "IOMT-0895");
        (await _doctor.PutAsync($"Patient/{_patient}", seen.Replace("\"birthDate\"", "\"deceasedBoolean\":true,\"birthDate\"", StringComparison.Ordinal))).AssertOutcome(403, "IOMT-0895");
        (await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", """[{"op":"remove","path":"/birthDate"}]""", ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0895");
        Assert.Equal(200, (await _all.PutAsync($"Patient/{_patient}", own.Replace("1958-03-14", "1958-03-16", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("""{"interactions":"rs","of":"all","hidden":["telekom"]}""")]
    [InlineData("""{"interactions":"rs","of":"all","hidden":["meta"]}""")]
    [InlineData("""{"interactions":"rs","of":"all","hidden":["active"]}""")]
    [InlineData("""{"interactions":"rs","of":"all","readOnly":["nothing"]}""")]
    public void A_policy_that_hides_what_cannot_be_hidden_is_refused(string type)
    {
        var outcome = AccessPolicies.Read(System.Text.Encoding.UTF8.GetBytes(Policies.Replace("""{ "interactions": "cruds", "of": "all", "hidden": ["telecom", "photo"], "readOnly": ["birthDate", "deceased"] }""", type, StringComparison.Ordinal)), new IndexPolicy(FhirDefinitions.R4));
        Assert.Equal(["IOMT-0882"], outcome.Issues.Select(issue => issue.Code));
    }

    private string PatientJson() => JsonSerializer.Serialize(new
    {
        resourceType = "Patient",
        text = new { status = "generated", div = $"<div xmlns=\"http://www.w3.org/1999/xhtml\">{Phone}</div>" },
        name = new[] { new { family = "Secret" } },
        telecom = new[] { new { system = "phone", value = Phone } },
        birthDate = "1958-03-14",
        generalPractitioner = new[] { new { reference = $"Practitioner/{_practitioner}" } },
    });
}
