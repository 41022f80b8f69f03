using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Searching;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Elements below the top level that a role does not see, or does not change, whatever way is tried.</summary>
public sealed class HiddenPathTests : IAsyncLifetime
{
    private const string Secret = "5550199";

    private const string Policies = """
        {
          "clinician": { "patients": ["Patient?general-practitioner={fhirUser}"], "types": {
            "*": { "interactions": "cruds", "of": "patients" },
            "Patient": { "interactions": "cruds", "of": "all", "hidden": ["Patient.contact.telecom", "contact.name.family", "name.period", "managingOrganization.display"], "readOnly": ["contact.period", "maritalStatus.text"] },
            "Observation": { "interactions": "cruds", "of": "patients", "hidden": ["component.valueQuantity"], "readOnly": ["Observation.component.code"] },
            "QuestionnaireResponse": { "interactions": "cruds", "of": "patients", "hidden": ["item.text"] } } },
          "patient": { "patients": ["{fhirUser}"], "confidentiality": "V", "types": { "*": { "interactions": "rs", "of": "patients" } } },
          "operator": { "patients": [], "types": {} }, "vendor": { "patients": [], "types": {} }, "client": { "patients": [], "confidentiality": "V", "types": {} }
        }
        """;

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("fhiriomt-policies-").FullName, "policies.json");
    private TestServer _server = null!;
    private FhirCaller _all = null!;
    private FhirCaller _doctor = null!;
    private string _practitioner = "";
    private string _patient = "";

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Policies);
        _server = await TestServer.StartAsync(options => options.Access.Policies = _file);
        _all = await _server.CallerAsync("system/*.cruds");
        _practitioner = await _all.CreateAsync(People.Practitioner);
        _patient = await PatientAsync(Kin("Kin", 1), Kin("Friend", 2));
        _doctor = _server.Caller("user/*.cruds", People.Clinician(_practitioner));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
    }

    [Fact]
    public async Task What_is_hidden_inside_is_in_no_answer_and_what_stands_beside_it_is()
    {
        var observation = await _all.CreateAsync(Pressure(_patient));
        var containing = await _all.CreateAsync($$"""
            {"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","contact":[{{Kin("Kin", 1)}}]}],"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{_patient}}"},"focus":[{"reference":"#p"}]}
            """);
        foreach (var (path, beside) in ((string, string)[])[
            ($"Patient/{_patient}", "Kin"), ($"Patient/{_patient}/_history/1", "Kin"), ($"Patient/{_patient}/_history", "Kin"), ("Patient/_history", "Kin"), ($"Patient?_id={_patient}", "Kin"),
            ($"Observation?_id={observation}&_include=Observation:subject", "Kin"), ($"Patient?_id={_patient}&_revinclude=Observation:subject", "Kin"), ($"Patient?_id={_patient}&_elements=contact", "Kin"),
            ($"Patient/{_patient}/$everything", "Kin"), ($"Observation/{containing}", "Kin"), ($"?_type=Patient&_id={_patient}", "Kin"), ($"Patient/{_patient}?_format=xml", "Kin"), ($"Patient/{_patient}/Observation", "8480-6"),
            ($"Observation/{observation}", "8480-6"), ($"Observation/{observation}?_format=xml", "8480-6"), ($"Observation/$lastn?patient={_patient}", "8480-6")])
        {
            var answer = await _doctor.GetAsync(path);
            Assert.True(answer.Status == 200, $"{path}: {answer.Body}");
            Assert.DoesNotContain(Secret, answer.Body, StringComparison.Ordinal);
            Assert.Contains("SUBSETTED", answer.Body, StringComparison.Ordinal);
            Assert.Contains(beside, answer.Body, StringComparison.Ordinal);
            Assert.Contains(Secret, (await _all.GetAsync(path)).Body, StringComparison.Ordinal);
        }

        var batch = await _doctor.PostAsync("", $$"""{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/{{_patient}}"} }]}""");
        Assert.DoesNotContain(Secret, batch.Body, StringComparison.Ordinal);
        Assert.Contains("Kin", batch.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_element_that_holds_itself_is_hidden_at_every_depth()
    {
        var id = await _all.CreateAsync($$"""
            {"resourceType":"QuestionnaireResponse","status":"completed","subject":{"reference":"Patient/{{_patient}}"},"item":[{"linkId":"1","text":"{{Secret}}","item":[{"linkId":"1.1","text":"{{Secret}}"},
             {"linkId":"1.3","answer":[{"valueString":"shown","item":[{"linkId":"1.2","text":"{{Secret}}"}]}]}]}]}
            """);
        var seen = (await _doctor.GetAsync($"QuestionnaireResponse/{id}")).Body;
        Assert.DoesNotContain(Secret, seen, StringComparison.Ordinal);
        Assert.All((string[])["1.1", "1.2", "shown"], text => Assert.Contains(text, seen, StringComparison.Ordinal));
        var brought = seen.Replace("\"linkId\":\"1.2\"", "\"linkId\":\"1.2\",\"text\":\"new\"", StringComparison.Ordinal);
        (await _doctor.PutAsync($"QuestionnaireResponse/{id}", brought)).AssertOutcome(403, "IOMT-0894");
        Assert.Equal(200, (await _doctor.PutAsync($"QuestionnaireResponse/{id}", seen.Replace("completed", "amended", StringComparison.Ordinal))).Status);
        Assert.Equal(3, (await _all.GetAsync($"QuestionnaireResponse/{id}")).Body.Split(Secret).Length - 1);
    }

    [Theory]
    [InlineData("Observation?component-value-quantity=120")]
    [InlineData("Observation?combo-value-quantity=120")]
    [InlineData("Observation?component-code-value-quantity=8480-6$120")]
    [InlineData("Observation?combo-code-value-quantity=8480-6$120")]
    [InlineData("Observation?component-value-quantity:missing=false")]
    [InlineData("Observation?_filter=component-value-quantity eq 120")]
    [InlineData("Observation?has-member:Observation.component-value-quantity=120")]
    [InlineData("Observation?_sort=component-value-quantity")]
    [InlineData("Observation?_content=120")]
    [InlineData("Patient?_has:Observation:subject:component-value-quantity=120")]
    [InlineData("Patient?name=Secret")]
    [InlineData("Patient?_sort=name")]
    [InlineData("Observation?patient.name=Secret")]
    [InlineData("Patient?_include=Patient:organization")]
    [InlineData("Patient?organization.name=x")]
    public async Task Nobody_searches_by_what_is_hidden_inside(string search)
    {
        var answer = await _doctor.GetAsync(search);
        Assert.True(answer.Status == 403, $"{answer.Status} {answer.Body}");
        Assert.Contains(answer.IssueCode, (string[])["IOMT-0893", "IOMT-0602"]);
        Assert.NotEqual(403, (await _all.GetAsync(search)).Status);
    }

    [Theory]
    [InlineData("Observation?component-code=8480-6")]
    [InlineData("Observation?combo-code=8480-6")]
    [InlineData("Observation?value-quantity=120")]
    [InlineData("Patient?family=Secret")]
    [InlineData("Patient?given=Ann&_sort=family")]
    [InlineData("Patient?telecom=x")]
    public async Task What_stands_beside_it_is_searched(string search) => Assert.Equal(200, (await _doctor.GetAsync(search)).Status);

    [Fact]
    public async Task A_search_parameter_of_ones_own_reads_a_hidden_path_for_nobody()
    {
        foreach (var (code, expression) in ((string, string)[])[("kin-phone", "Patient.contact.telecom.value"), ("kin-any", "Patient.contact.select(telecom.value)"), ("kin-name", "Patient.contact.name.text")])
        {
            var created = await _all.PostAsync("SearchParameter", $$"""
                {"resourceType":"SearchParameter","url":"https://hospital.example/{{code}}","name":"Kin","status":"active","description":"x","code":"{{code}}","base":["Patient"],"type":"string","expression":"{{expression}}","xpathUsage":"normal"}
                """);
            Assert.True(created.Status == 201, created.Body);
        }

        Assert.Equal(202, (await _all.PostAsync("$reindex", "")).Status);
        while ((await _all.GetAsync($"Patient?kin-phone={Secret}&kin-any={Secret}&kin-name=Kin")).Status == 400)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        (await _doctor.GetAsync($"Patient?kin-phone={Secret}")).AssertOutcome(403, "IOMT-0893");
        (await _doctor.GetAsync($"Patient?kin-any={Secret}")).AssertOutcome(403, "IOMT-0893");
        Assert.Equal([_patient], (await _doctor.GetAsync("Patient?kin-name=Kin")).Matches);
    }

    [Fact]
    public async Task What_is_hidden_inside_stays_through_updates_and_patches_and_follows_its_entry()
    {
        var seen = (await _doctor.GetAsync($"Patient/{_patient}")).Json;
        var turned = Changed(seen, contacts => [contacts[1], """{"name":{"text":"New"},"gender":"other"}""", contacts[0]]);
        var updated = await _doctor.PutAsync($"Patient/{_patient}", turned);
        Assert.True(updated.Status == 200, updated.Body);
        Assert.DoesNotContain(Secret, updated.Body, StringComparison.Ordinal);
        var patched = await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", """[{"op":"add","path":"/gender","value":"female"},{"op":"remove","path":"/contact/1"}]""", ("Content-Type", "application/json-patch+json"));
        Assert.True(patched.Status == 200, patched.Body);
        Assert.DoesNotContain(Secret, patched.Body, StringComparison.Ordinal);

        var stored = (await _all.GetAsync($"Patient/{_patient}")).Json;
        var contacts = stored.GetProperty("contact").EnumerateArray().Select(contact => (contact.GetProperty("name").Text("text"), contact.GetProperty("telecom")[0].Text("value"), contact.GetProperty("name").Text("family"), contact.GetProperty("name").GetProperty("_family").GetProperty("extension")[0].Text("valueString")));
        Assert.Equal([("Friend", $"2 {Secret}", $"F2 {Secret}", $"E2 {Secret}"), ("Kin", $"1 {Secret}", $"F1 {Secret}", $"E1 {Secret}")], contacts);
        Assert.Equal("female", stored.Text("gender"));
        Assert.DoesNotContain("SUBSETTED", stored.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_is_not_known_again_is_neither_taken_away_nor_changed()
    {
        var seen = (await _doctor.GetAsync($"Patient/{_patient}")).Json;
        (await _doctor.PutAsync($"Patient/{_patient}", Changed(seen, contacts => [contacts[0]]))).AssertOutcome(403, "IOMT-0819");
        (await _doctor.PutAsync($"Patient/{_patient}", Changed(seen, contacts => [contacts[0].Replace("Kin", "Other", StringComparison.Ordinal), contacts[1]]))).AssertOutcome(403, "IOMT-0819");
        (await _doctor.PutAsync($"Patient/{_patient}", Changed(seen, _ => []).Replace("\"contact\":[],", "", StringComparison.Ordinal))).AssertOutcome(403, "IOMT-0819");
        (await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", """[{"op":"remove","path":"/contact/0"}]""", ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0819");
        Assert.Equal("1", (await _all.GetAsync($"Patient/{_patient}")).Json.GetProperty("meta").Text("versionId"));
    }

    [Fact]
    public async Task An_entry_with_an_id_may_be_changed_beside_what_is_hidden_but_not_a_value_of_a_data_type()
    {
        var id = await PatientAsync("""{"id":"c1","gender":"male","telecom":[{"system":"phone","value":"5550199"}],"organization":{"display":"Old"}}""", Kin("Friend", 2));
        var seen = (await _doctor.GetAsync($"Patient/{id}")).Json;
        var changed = Changed(seen, contacts => [contacts[1], contacts[0].Replace("Old", "New", StringComparison.Ordinal)]);
        Assert.Equal(200, (await _doctor.PutAsync($"Patient/{id}", changed)).Status);
        var contact = (await _all.GetAsync($"Patient/{id}")).Json.GetProperty("contact")[1];
        Assert.Equal(("New", Secret), (contact.GetProperty("organization").Text("display"), contact.GetProperty("telecom")[0].Text("value")));

        // The family name is hidden: what is left of the name may not be given to somebody else.
        var renamed = Changed(seen, contacts => [contacts[1].Replace("\"Friend\"", "\"Foe\"", StringComparison.Ordinal), contacts[0]]);
        (await _doctor.PutAsync($"Patient/{id}", renamed)).AssertOutcome(403, "IOMT-0819");
    }

    [Fact]
    public async Task An_element_of_which_nothing_is_left_says_so_and_comes_back_whole()
    {
        var id = await _all.CreateAsync($$$"""
            {"resourceType":"Patient","name":[{"period":{"start":"1999-01-01"}},{"family":"Shown"}],"generalPractitioner":[{"reference":"Practitioner/{{{_practitioner}}}"}]}
            """);
        var seen = await _doctor.GetAsync($"Patient/{id}");
        Assert.DoesNotContain("1999", seen.Body, StringComparison.Ordinal);
        Assert.Equal("masked", seen.Json.GetProperty("name")[0].GetProperty("extension")[0].Text("valueCode"));
        Assert.Contains("masked", (await _doctor.GetAsync($"Patient/{id}?_format=xml")).Body, StringComparison.Ordinal);
        Assert.Equal(200, (await _doctor.PutAsync($"Patient/{id}", seen.Body.Replace("\"resourceType\":\"Patient\",", "\"resourceType\":\"Patient\",\"gender\":\"female\",", StringComparison.Ordinal))).Status);
        var stored = (await _all.GetAsync($"Patient/{id}")).Json;
        Assert.Equal(("1999-01-01", "female"), (stored.GetProperty("name")[0].GetProperty("period").Text("start"), stored.Text("gender")));
        Assert.DoesNotContain("masked", stored.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"op":"test","path":"/contact/0/telecom/0/value","value":"1 5550199"}]""")]
    [InlineData("""[{"op":"copy","from":"/contact/0/telecom/0/value","path":"/name/0/text"}]""")]
    [InlineData("""[{"op":"move","from":"/contact/0/name/family","path":"/name/0/text"}]""")]
    [InlineData("""[{"op":"replace","path":"/contact/0/telecom","value":[{"value":"x"}]}]""")]
    [InlineData("""[{"op":"add","path":"/contact/0/telecom","value":[{"system":"phone","value":"x"}]}]""")]
    public async Task A_patch_neither_tests_nor_copies_nor_replaces_what_is_hidden_inside(string patch)
    {
        var answer = await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{_patient}", patch, ("Content-Type", "application/json-patch+json"));
        Assert.InRange(answer.Status, 400, 422);
        Assert.DoesNotContain(Secret, answer.Body, StringComparison.Ordinal);
        Assert.Equal("1", (await _all.GetAsync($"Patient/{_patient}")).Json.GetProperty("meta").Text("versionId"));
    }

    [Fact]
    public async Task Nobody_writes_inside_what_they_do_not_see()
    {
        var own = (await _all.GetAsync($"Patient/{_patient}")).Body;
        (await _doctor.PutAsync($"Patient/{_patient}", own)).AssertOutcome(403, "IOMT-0894");
        (await _doctor.PostAsync("Patient", own)).AssertOutcome(403, "IOMT-0894");
        (await _doctor.PostAsync("Observation", Pressure(_patient))).AssertOutcome(403, "IOMT-0894");
        (await _doctor.PostAsync("", $$"""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{{own}},"request":{"method":"PUT","url":"Patient/{{_patient}}"} }]}""")).AssertOutcome(403, "IOMT-0894");
    }

    [Fact]
    public async Task What_may_only_be_read_inside_stays_in_its_place()
    {
        var id = await PatientAsync("""{"name":{"text":"One"},"period":{"start":"2020"}}""", """{"name":{"text":"Two"}}""");
        var seen = (await _doctor.GetAsync($"Patient/{id}")).Json;
        foreach (var body in (string[])[
            Changed(seen, contacts => [contacts[0].Replace("2020", "2021", StringComparison.Ordinal), contacts[1]]),
            Changed(seen, contacts => ["""{"name":{"text":"One"}}""", contacts[1]]),
            Changed(seen, contacts => ["""{"name":{"text":"One"}}""", """{"name":{"text":"Two"},"period":{"start":"2020"}}"""]),
            Changed(seen, contacts => [contacts[1], contacts[0]]),
            Changed(seen, contacts => [contacts[1]]),
            Changed(seen, contacts => [.. contacts, """{"name":{"text":"Three"},"period":{"start":"2022"}}"""]),
            seen.GetRawText().Replace("\"resourceType\":\"Patient\",", "\"resourceType\":\"Patient\",\"maritalStatus\":{\"text\":\"x\"},", StringComparison.Ordinal)])
        {
            (await _doctor.PutAsync($"Patient/{id}", body)).AssertOutcome(403, "IOMT-0895");
        }

        (await _doctor.SendAsync(HttpMethod.Patch, $"Patient/{id}", """[{"op":"remove","path":"/contact/0/period"}]""", ("Content-Type", "application/json-patch+json"))).AssertOutcome(403, "IOMT-0895");
        Assert.Equal(200, (await _doctor.PutAsync($"Patient/{id}", Changed(seen, contacts => [contacts[0].Replace("One", "Uno", StringComparison.Ordinal), contacts[1], """{"name":{"text":"Three"}}"""]))).Status);
        Assert.Equal("2020", (await _all.GetAsync($"Patient/{id}")).Json.GetProperty("contact")[0].GetProperty("period").Text("start"));
    }

    [Theory]
    [InlineData("Patient", "contact.telekom", false)]
    [InlineData("Patient", "contact.", false)]
    [InlineData("Patient", "", false)]
    [InlineData("Patient", "Observation.code", false)]
    [InlineData("Patient", "contact.id", false)]
    [InlineData("Patient", "birthDate.extension", false)]
    [InlineData("Patient", "meta.tag", false)]
    [InlineData("Patient", "contained.name", false)]
    [InlineData("Patient", "communication.language", false)]
    [InlineData("Patient", "identifier.use", false)]
    [InlineData("Patient", "birthDate[x]", false)]
    [InlineData("Patient", "deceasedBoolean", false)]
    [InlineData("Observation", "subject.display", false)]
    [InlineData("Observation", "value.unit", false)]
    [InlineData("Observation", "value[x].unit", false)]
    [InlineData("Observation", "component.code", false)]
    [InlineData("Questionnaire", "item.item.text", false)]
    [InlineData("Patient", "Patient.contact.telecom", true)]
    [InlineData("Patient", "contact.telecom.value", true)]
    [InlineData("Patient", "multipleBirth[x]", true)]
    [InlineData("Patient", "multipleBirthInteger", true)]
    [InlineData("Observation", "valueQuantity.unit", true)]
    [InlineData("Observation", "component.value[x]", true)]
    [InlineData("Questionnaire", "item.text", true)]
    public void A_policy_may_hide_a_path_to_an_element_that_may_be_absent(string type, string path, bool mayBe)
    {
        var policies = $$"""
            { "clinician": { "patients": [], "types": { "{{type}}": { "interactions": "rs", "of": "all", "hidden": ["{{path}}"] } } },
              "patient": { "patients": [], "types": {} }, "operator": { "patients": [], "types": {} }, "vendor": { "patients": [], "types": {} }, "client": { "patients": [], "types": {} } }
            """;
        var outcome = AccessPolicies.Read(System.Text.Encoding.UTF8.GetBytes(policies), new IndexPolicy(FhirDefinitions.R4));
        Assert.Equal(mayBe ? [] : ["IOMT-0882"], outcome.Issues.Select(issue => issue.Code));
    }

    private static string Kin(string name, int number) => $$$"""
        {"name":{"text":"{{{name}}}","family":"F{{{number}}} {{{Secret}}}","_family":{"extension":[{"url":"https://hospital.example/note","valueString":"E{{{number}}} {{{Secret}}}"}]}},"telecom":[{"system":"phone","value":"{{{number}}} {{{Secret}}}"}],"gender":"female"}
        """;

    private static string Pressure(string patient) => $$$"""
        {"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/{{{patient}}}"},"effectiveDateTime":"2026-02-01T10:00:00Z",
         "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":{{{Secret}}},"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}
        """;

    private Task<string> PatientAsync(params string[] contacts) => _all.CreateAsync($$"""
        {"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{{Secret}}</div>"},"name":[{"family":"Shown","given":["Ann"]}],
         "contact":[{{string.Join(',', contacts)}}],"generalPractitioner":[{"reference":"Practitioner/{{_practitioner}}"}]}
        """);

    /// <summary>What was read, with other contacts.</summary>
    private static string Changed(JsonElement seen, Func<string[], string[]> change)
    {
        var contacts = change([.. seen.GetProperty("contact").EnumerateArray().Select(contact => contact.GetRawText())]);
        return seen.GetRawText().Replace(seen.GetProperty("contact").GetRawText(), $"[{string.Join(',', contacts)}]", StringComparison.Ordinal);
    }
}
