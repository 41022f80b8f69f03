using System.Globalization;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary><c>$submit-cgm-bundle</c> of HL7's guide for continuous glucose monitoring.</summary>
public sealed class CgmSubmissionTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Operation = "$submit-cgm-bundle";

    // As the guide asks patients for them: no right to read or search.
    private const string GuideScopes = "patient/Patient.r patient/DiagnosticReport.cu?category=LAB patient/Observation.cu?category=laboratory patient/Device.cu";

    private FhirCaller All => fixture.All;

    [Fact]
    public async Task The_capability_statement_names_the_operation_and_the_role_of_a_receiver()
    {
        var statement = (await All.GetAsync("metadata")).Json;
        Assert.Contains("http://hl7.org/fhir/uv/cgm/CapabilityStatement/cgm-data-receiver", statement.GetProperty("instantiates").EnumerateArray().Select(one => one.GetString()));
        var operation = Assert.Single(statement.GetProperty("rest")[0].GetProperty("operation").EnumerateArray(), one => one.Text("name") == "submit-cgm-bundle");
        Assert.Equal("http://hl7.org/fhir/uv/cgm/OperationDefinition/submit-cgm-bundle", operation.Text("definition"));
    }

    [Fact]
    public async Task A_submission_is_stored_and_sending_it_again_stores_nothing()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var submission = Submission(patient);
        var first = await All.PostAsync(Operation, submission);
        Assert.Equal("transaction-response", first.Json.Text("type"));
        Assert.Equal(Enumerable.Repeat("201", 12), Statuses(first));

        var second = await All.PostAsync(Operation, submission, ("Prefer", "return=representation"));
        Assert.Equal(Enumerable.Repeat("200", 12), Statuses(second));
        Assert.Equal(Locations(first), Locations(second));
        Assert.DoesNotContain("\"resource\":", second.Body, StringComparison.Ordinal);
        Assert.Equal(10, (await All.GetAsync($"Observation?patient={patient}&_count=100")).Matches.Count);
        Assert.Single((await All.GetAsync($"DiagnosticReport?patient={patient}")).Matches);
        Assert.Single((await All.GetAsync($"Device?patient={patient}")).Matches);

        var summary = Assert.Single((await All.GetAsync($"Observation?patient={patient}&code=107931-8")).Json.GetProperty("entry").EnumerateArray()).GetProperty("resource");
        var members = summary.GetProperty("hasMember").EnumerateArray().Select(member => member.Text("reference")).ToList();
        Assert.Equal(6, members.Count);
        foreach (var member in members)
        {
            Assert.Equal(200, (await All.GetAsync(member)).Status);
        }
    }

    [Fact]
    public async Task The_rights_that_the_guide_names_are_enough_and_reach_one_patient_only()
    {
        var (own, other) = (await All.CreateAsync(Given.Patient()), await All.CreateAsync(Given.Patient()));
        var app = fixture.Server.Caller(GuideScopes, patient: own);
        Assert.Equal(Enumerable.Repeat("201", 12), Statuses(await app.PostAsync(Operation, Submission(own))));
        Assert.Equal(Enumerable.Repeat("200", 12), Statuses(await app.PostAsync(Operation, Submission(own))));

        // Also where the very same is there: that it is, is nothing this caller may learn.
        Assert.Equal(Enumerable.Repeat("201", 12), Statuses(await All.PostAsync(Operation, Submission(other))));
        foreach (var minute in (int[])[0, 30])
        {
            (await app.PostAsync(Operation, Submission(other, minute))).AssertOutcome(403);
        }

        (await fixture.Server.Caller("patient/Observation.rs", patient: own).PostAsync(Operation, Submission(own))).AssertOutcome(403);
        Assert.Equal(10, (await All.GetAsync($"Observation?patient={other}&_count=100")).Matches.Count);
    }

    [Fact]
    public async Task A_corrected_value_is_a_new_version_and_an_old_submission_never_undoes_it()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var app = fixture.Server.Caller(GuideScopes, patient: patient);
        var (before, after) = (Bundle(Reading(patient, value: "120")), Bundle(Reading(patient, value: "124")));
        var location = Locations(await app.PostAsync(Operation, before)).Single();
        Assert.Equal(["200"], Statuses(await app.PostAsync(Operation, after)));
        Assert.Equal(["200"], Statuses(await app.PostAsync(Operation, before)));
        Assert.Equal("124", (await ReadAsync(location)).Json.GetProperty("valueQuantity").GetProperty("value").GetRawText());
        Assert.Equal("W/\"2\"", (await ReadAsync(location)).Header("ETag"));

        // Without the right to update a correction is not lost in silence.
        var creator = fixture.Server.Caller("patient/Observation.c", patient: patient);
        (await creator.PostAsync(Operation, Bundle(Reading(patient, value: "128")))).AssertOutcome(404);
        Assert.Equal(["200"], Statuses(await creator.PostAsync(Operation, after)));
    }

    [Fact]
    public async Task What_was_deleted_stays_deleted()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var location = Locations(await All.PostAsync(Operation, Bundle(Reading(patient)))).Single();
        await All.SendAsync(HttpMethod.Delete, location, body: null);
        Assert.Equal(["200"], Statuses(await All.PostAsync(Operation, Bundle(Reading(patient)))));
        Assert.Equal(410, (await All.GetAsync(location)).Status);
    }

    [Fact]
    public async Task Fifty_submissions_at_once_store_one_reading()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => All.PostAsync(Operation, Bundle(Reading(patient)))));
        Assert.Single(answers.SelectMany(Statuses), "201");
        Assert.Single((await All.GetAsync($"Observation?patient={patient}")).Matches);
    }

    [Fact]
    public async Task Readings_that_differ_in_time_device_or_identifier_are_different_and_one_twice_in_a_bundle_is_one()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var answer = await All.PostAsync(Operation, Bundle(
            Reading(patient), Reading(patient, minute: 5), Reading(patient, more: "\"device\":{\"display\":\"left\",\"identifier\":{\"system\":\"urn:x\",\"value\":\"1\"}},"),
            Reading(patient, more: "\"identifier\":[{\"system\":\"urn:x\",\"value\":\"1\"}],"), Reading(patient)));
        Assert.Equal(["201", "201", "201", "201", "201"], Statuses(answer));
        Assert.Equal(4, Locations(answer).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(4, (await All.GetAsync($"Observation?patient={patient}")).Matches.Count);
    }

    [Fact]
    public async Task A_condition_of_the_client_s_own_is_followed()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var key = Given.Unique("reading");
        string Conditional() => Bundle(Reading(patient, more: $"\"identifier\":[{{\"system\":\"urn:client\",\"value\":\"{key}\"}}],", condition: $"identifier=urn:client|{key}"));
        Assert.Equal(["201"], Statuses(await All.PostAsync(Operation, Conditional())));
        Assert.Equal(["200"], Statuses(await All.PostAsync(Operation, Conditional())));
        await All.CreateAsync(Given.Observation(patient, mrn: key).Replace("urn:example:obs", "urn:client", StringComparison.Ordinal));
        (await All.PostAsync(Operation, Conditional())).AssertOutcome(412);
    }

    [Fact]
    public async Task A_patient_in_the_bundle_is_found_by_identifier_and_its_readings_are_known_again()
    {
        var mrn = Given.Unique("mrn");
        string Whole() => Bundle(Entry(Given.Patient(mrn: mrn), "Patient", "urn:uuid:6c1b3f2e-0000-4000-8000-00000000000a"), Reading("urn:uuid:6c1b3f2e-0000-4000-8000-00000000000a"));
        Assert.Equal(["201", "201"], Statuses(await All.PostAsync(Operation, Whole())));
        Assert.Equal(["200", "200"], Statuses(await All.PostAsync(Operation, Whole())));
        var patient = Assert.Single((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
        Assert.Single((await All.GetAsync($"Observation?patient={patient}")).Matches);
    }

    [Fact]
    public async Task The_bundle_may_come_as_a_parameter_and_as_XML_is_asked_for()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var parameters = $$"""{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{{Bundle(Reading(patient))}}}]}""";
        Assert.Equal(["201"], Statuses(await All.PostAsync(Operation, parameters)));
        var xml = await All.PostAsync(Operation + "?_format=xml", Bundle(Reading(patient)));
        Assert.Equal(200, xml.Status);
        Assert.Contains("<status value=\"200\"/>", xml.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_but_creates_of_its_types_is_taken_and_nothing_is_stored_when_one_is_refused()
    {
        var patient = await All.CreateAsync(Given.Patient());
        string Put(string url) => Entry(Given.Patient(id: patient), "Patient", null).Replace("\"POST\",\"url\":\"Patient\"", $"\"PUT\",\"url\":\"{url}\"", StringComparison.Ordinal);
        (string Body, int Status, string? Code)[] cases =
        [
            ("""{"resourceType":"Bundle","type":"batch","entry":[]}""", 400, "IOMT-0618"),
            ("""{"resourceType":"Patient"}""", 400, "IOMT-0618"),
            ("""{"resourceType":"Parameters","parameter":[{"name":"other","valueString":"x"}]}""", 400, "IOMT-0618"),
            (Bundle(Reading(patient), Put($"Patient/{patient}")), 400, "IOMT-0618"),
            (Bundle(Reading(patient), Entry("""{"resourceType":"Group","type":"person","actual":true}""", "Group", null)), 400, "IOMT-0618"),
            (Bundle(Reading(patient), """{"request":{"method":"DELETE","url":"Patient/x"}}"""), 400, "IOMT-0618"),
            (Bundle(Reading(patient), """{"request":{"method":"GET","url":"Patient"}}"""), 400, "IOMT-0618"),
            (Bundle(Reading(patient), Entry(Given.Patient(), "Patient", null)), 422, "IOMT-0618"),
            (Bundle(Reading(patient), Reading(patient, minute: 5).Replace("\"effectiveDateTime\"", "\"issued\"", StringComparison.Ordinal)), 422, "IOMT-0618"),
            (Bundle(Reading(patient), Reading(patient, minute: 5).Replace("\"final\"", "\"finished\"", StringComparison.Ordinal)), 422, null),
            (Bundle(Reading(patient), Reading(patient, value: "99")), 400, null),
        ];
        foreach (var (body, status, code) in cases)
        {
            (await All.PostAsync(Operation, body)).AssertOutcome(status, code);
        }

        Assert.Empty((await All.GetAsync($"Observation?patient={patient}")).Matches);
    }

    private Task<Answer> ReadAsync(string location) => All.GetAsync(location);

    private static string Bundle(params string[] entries) => $$"""{"resourceType":"Bundle","type":"transaction","timestamp":"2024-05-02T14:30:00Z","entry":[{{string.Join(',', entries)}}]}""";

    private static string Entry(string resource, string type, string? fullUrl, string? condition = null) =>
        "{" + (fullUrl is null ? "" : $"\"fullUrl\":\"{fullUrl}\",") + $"\"resource\":{resource},\"request\":{{\"method\":\"POST\",\"url\":\"{type}\"" + (condition is null ? "" : $",\"ifNoneExist\":\"{condition}\"") + "}}";

    private static string Reading(string patient, int minute = 0, string value = "120", string more = "", string? condition = null)
    {
        var subject = patient.StartsWith("urn:", StringComparison.Ordinal) ? patient : "Patient/" + patient;
        var time = new DateTime(2024, 5, 2, 10, 15, 0, DateTimeKind.Utc).AddMinutes(minute).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var resource = $$"""
            {"resourceType":"Observation",{{more}}"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
             "code":{"coding":[{"system":"http://loinc.org","code":"99504-3"}]},"subject":{"reference":"{{subject}}"},"effectiveDateTime":"{{time}}",
             "valueQuantity":{"value":{{value}},"unit":"mg/dl","system":"http://unitsofmeasure.org","code":"mg/dL"} }
            """;
        return Entry(resource, "Observation", null, condition);
    }

    /// <summary>What the guide's example holds: a report, a summary with its six members, a device and three readings; the members are referred to as the guide does, relative to the base of the full URLs.</summary>
    private static string Submission(string patient, int minute = 0)
    {
        const string Base = "https://submitter.example.org/";
        (string Id, string Code, string Said)[] members =
        [
            ("mean", "97507-8", Value("145", "mg/dL")), ("ranges", "106793-3", Ranges()), ("gmi", "97506-0", Value("6.8", "%")),
            ("cv", "104638-2", Value("34", "%")), ("days", "104636-6", Value("28", "d")), ("active", "104637-4", Value("95", "%")),
        ];
        var references = string.Join(',', members.Select(member => $"{{\"reference\":\"Observation/{member.Id}\"}}"));
        var report = $$"""
            {"resourceType":"DiagnosticReport","id":"pdf","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}],
             "code":{"coding":[{"system":"http://loinc.org","code":"107931-8"}]},"subject":{"reference":"Patient/{{patient}}"},{{Period()}},
             "result":[{"reference":"Observation/summary"}],"presentedForm":[{"contentType":"application/pdf","data":"JVBERi0xLjAK"}]}
            """;
        var device = $$"""
            {"resourceType":"Device","id":"cgm","identifier":[{"system":"http://acme.example.org/devices","value":"D-{{patient}}"}],"serialNumber":"ABC123",
             "deviceName":[{"name":"Acme CGM","type":"user-friendly-name"}],"patient":{"reference":"Patient/{{patient}}"} }
            """;
        return Bundle(
        [
            Entry(report, "DiagnosticReport", Base + "DiagnosticReport/pdf"), Entry(device, "Device", Base + "Device/cgm"),
            Entry(Summary("summary", "107931-8", $"\"hasMember\":[{references}]"), "Observation", Base + "Observation/summary"),
            .. members.Select(member => Entry(Summary(member.Id, member.Code, member.Said), "Observation", Base + "Observation/" + member.Id)),
            .. Enumerable.Range(0, 3).Select(index => Reading(patient, minute + (index * 5), $"{120 + index}")),
        ]);

        string Period() => $"\"effectivePeriod\":{{\"start\":\"2024-05-{1 + (minute / 30):D2}\",\"end\":\"2024-05-31\"}}";

        string Value(string value, string unit) => $$"""
            "valueQuantity":{"value":{{value}},"unit":"{{unit}}","system":"http://unitsofmeasure.org","code":"{{unit}}"}
            """;

        string Ranges() => "\"component\":[" + string.Join(',', new[] { ("104642-4", 3), ("104641-6", 8), ("97510-2", 65), ("104640-8", 20), ("104639-0", 4) }
            .Select(range => $"{{\"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"{range.Item1}\"}}]}},{Value($"{range.Item2}", "%")}}}")) + "]";

        string Summary(string id, string code, string rest) => $$"""
            {"resourceType":"Observation","id":"{{id}}","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
             "code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"subject":{"reference":"Patient/{{patient}}"},{{Period()}},{{rest}} }
            """;
    }

    private static List<string> Statuses(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").Text("status"))];
    }

    // Type/id, without the version.
    private static List<string> Locations(Answer answer) =>
        [.. answer.Json.GetProperty("entry").EnumerateArray().Select(entry => string.Join('/', entry.GetProperty("response").Text("location").Split('/')[^4..^2]))];
}
