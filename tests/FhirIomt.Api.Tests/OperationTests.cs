using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class OperationTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task Validate_tells_what_it_finds_and_stores_nothing()
    {
        var mrn = Given.Unique("mrn");
        var good = await All.PostAsync("Patient/$validate", Given.Patient(mrn: mrn));
        good.AssertOutcome(200, "IOMT-0643");
        Assert.Empty((await All.GetAsync($"Patient?identifier={mrn}")).Matches);
        var bad = await All.PostAsync("Patient/$validate", """{"resourceType":"Patient","gender":"unheard-of"}""");
        bad.AssertOutcome(200);
        Assert.Equal("Patient.gender", bad.Json.GetProperty("issue")[0].GetProperty("expression")[0].GetString());
        var parameters = await All.PostAsync("Observation/$validate", Parameters("\"resource\"", $"\"resource\":{Given.Observation("x").Replace("vital-signs", "laboratory", StringComparison.Ordinal)}", "\"profile\"", "\"valueUri\":\"http://hl7.org/fhir/StructureDefinition/vitalsigns\""));
        Assert.Contains(parameters.Json.GetProperty("issue").EnumerateArray(), issue => issue.Text("severity") == "error");
        (await All.PostAsync("Patient/$validate?mode=sometimes", Given.Patient())).AssertOutcome(400, "IOMT-0632");
        (await All.PostAsync("Patient/$validate?profile=urn:unknown", Given.Patient())).AssertOutcome(400, "IOMT-0646");
        (await All.PostAsync("Patient/$validate", "")).AssertOutcome(400, "IOMT-0645");
        Assert.Contains(((await All.PostAsync("Patient/$validate", Given.Observation("x"))).Json).GetProperty("issue").EnumerateArray(), issue => issue.Text("severity") == "error");
        var id = await All.CreateAsync(Given.Patient());
        (await All.GetAsync($"Patient/{id}/$validate")).AssertOutcome(200, "IOMT-0643");
        (await All.GetAsync("Patient/nobody/$validate")).AssertOutcome(404);
    }

    [Fact]
    public async Task A_stored_profile_is_validated_against_at_once_and_cannot_stand_for_a_built_in_one()
    {
        var url = $"http://example.org/{Given.Unique("profile")}";
        string Profile(string address) => $$"""
            {"resourceType":"StructureDefinition","url":"{{address}}","name":"NeedsBirthDate","status":"active","fhirVersion":"4.0.1","kind":"resource","abstract":false,"type":"Patient",
             "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
             "differential":{"element":[{"id":"Patient","path":"Patient"},{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]} }
            """;
        await All.CreateAsync(Profile(url));
        var found = await All.PostAsync($"Patient/$validate?profile={url}", Given.Patient());
        Assert.Contains(found.Json.GetProperty("issue").EnumerateArray(), issue => issue.Text("severity") == "error");
        var claiming = Given.Patient().Replace("\"gender\"", $"\"meta\":{{\"profile\":[\"{url}\"]}},\"gender\"", StringComparison.Ordinal);
        (await All.PostAsync("Patient", claiming)).AssertOutcome(422);
        Assert.Equal(201, (await All.PostAsync("Patient", claiming.Replace("\"gender\"", "\"birthDate\":\"2000-01-01\",\"gender\"", StringComparison.Ordinal))).Status);

        await All.CreateAsync(Profile("http://hl7.org/fhir/StructureDefinition/Patient"));
        Assert.Equal(201, (await All.PostAsync("Patient", Given.Patient())).Status);
    }

    [Fact]
    public async Task Meta_is_shown_added_to_and_taken_from()
    {
        var id = await All.CreateAsync(Given.Patient());
        const string Label = """ "valueMeta":{"tag":[{"system":"urn:t","code":"a"}],"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]} """;
        var added = await All.PostAsync($"Patient/{id}/$meta-add", Parameters("\"meta\"", Label));
        Assert.Equal(200, added.Status);
        Assert.Single((await All.GetAsync($"Patient?_id={id}&_tag=urn:t|a&_security=R")).Matches);
        Assert.Equal("W/\"2\"", (await All.PostAsync($"Patient/{id}/$meta-add", Parameters("\"meta\"", Label))).Header("ETag"));
        var meta = (await All.GetAsync($"Patient/{id}/$meta")).Json.GetProperty("parameter")[0].GetProperty("valueMeta");
        Assert.Equal("a", Assert.Single(meta.GetProperty("tag").EnumerateArray()).Text("code"));
        await All.PostAsync($"Patient/{id}/$meta-delete", Parameters("\"meta\"", """ "valueMeta":{"tag":[{"system":"urn:t","code":"a"}]} """));
        Assert.Empty((await All.GetAsync($"Patient?_id={id}&_tag=urn:t|a")).Matches);
        Assert.Single((await All.GetAsync($"Patient?_id={id}&_security=R")).Matches);
        (await All.PostAsync($"Patient/{id}/$meta-add", Parameters("\"other\"", "\"valueString\":\"x\""))).AssertOutcome(400, "IOMT-0645");
        (await (await fixture.Server.CallerAsync("system/Patient.rs")).PostAsync($"Patient/{id}/$meta-add", Parameters("\"meta\"", Label))).AssertOutcome(403);
    }

    [Fact]
    public async Task Meta_of_a_type_and_of_the_server_has_what_visible_resources_have_together()
    {
        var (system, profile) = ($"urn:{Given.Unique("labels")}", $"http://example.org/{Given.Unique("profile")}|1.0");
        var patients = new[] { await All.CreateAsync(Labelled("one", profile)), await All.CreateAsync(Labelled("two", profile)) };
        var group = await All.CreateAsync(Labelled("three", profile).Replace("\"resourceType\":\"Patient\"", "\"resourceType\":\"Group\",\"type\":\"person\",\"actual\":true", StringComparison.Ordinal));

        Assert.Equal(["one", "two"], Tags(await All.GetAsync("Patient/$meta"), system));
        Assert.Equal(["one", "three", "two"], Tags(await All.GetAsync("$meta"), system));
        Assert.Contains(profile, (await All.GetAsync("Group/$meta")).Json.GetProperty("parameter")[0].GetProperty("valueMeta").GetProperty("profile").EnumerateArray().Select(one => one.GetString()));

        // Another patient's label is not told, nor is one that nobody has any more; one without a code is no label that could be told.
        var own = fixture.Server.Caller("patient/*.rs", patient: patients[0]);
        Assert.Equal(["one"], Tags(await own.GetAsync("Patient/$meta"), system));
        Assert.Empty(Tags(await own.GetAsync("Observation/$meta"), system));
        await All.CreateAsync(Labelled("four", profile, about: patients[0]));
        await All.CreateAsync(Labelled("five", profile, about: patients[0]));
        await All.CreateAsync(Labelled("six", profile, about: patients[1]));
        await All.CreateAsync(Labelled("", profile, about: patients[0]));
        Assert.Equal(["five", "four"], Tags(await own.GetAsync("Observation/$meta"), system));
        Assert.Equal(["five", "four", "one"], Tags(await own.GetAsync("$meta"), system));
        Assert.Contains(profile, (await own.GetAsync("Observation/$meta")).Json.GetProperty("parameter")[0].GetProperty("valueMeta").GetProperty("profile").EnumerateArray().Select(one => one.GetString()));
        await All.SendAsync(HttpMethod.Delete, $"Group/{group}", body: null);
        Assert.Empty(Tags(await All.GetAsync("Group/$meta"), system));
        (await (await fixture.Server.CallerAsync("system/Observation.rs")).GetAsync("Patient/$meta")).AssertOutcome(403);

        string Labelled(string tag, string canonical, string? about = null) => $$"""
            {"resourceType":"{{(about is null ? "Patient" : "Observation")}}","meta":{"profile":["{{canonical}}"],"tag":[{"system":"{{system}}",{{(tag.Length > 0 ? $"\"code\":\"{tag}\"" : "\"display\":\"no code\"")}}}] }
             {{(about is null ? "" : $",\"status\":\"final\",\"code\":{{\"text\":\"x\"}},\"subject\":{{\"reference\":\"Patient/{about}\"}}")}} }
            """;
    }

    [Fact]
    public async Task How_many_labels_others_have_changes_nothing_for_a_patient()
    {
        // A server of its own: the other tests of this class ask for few labels.
        await using var server = await TestServer.StartAsync();
        var all = await server.CallerAsync("system/*.cruds");
        var system = $"urn:{Given.Unique("labels")}";
        var patient = await all.CreateAsync(Tagged("mine"));
        var others = string.Join(',', Enumerable.Range(0, 501).Select(number => $$"""{"resource":{{Tagged($"t{number}")}},"request":{"method":"POST","url":"Patient"} }"""));
        Assert.Equal(200, (await all.PostAsync("", $$"""{"resourceType":"Bundle","type":"transaction","entry":[{{others}}]}""")).Status);

        (await all.GetAsync("Patient/$meta")).AssertOutcome(400, "IOMT-0703");
        Assert.Equal(["mine"], Tags(await server.Caller("patient/*.rs", patient: patient).GetAsync("Patient/$meta"), system));

        string Tagged(string tag) => $$"""{"resourceType":"Patient","meta":{"tag":[{"system":"{{system}}","code":"{{tag}}"}] } }""";
    }

    private static IEnumerable<string> Tags(Answer answer, string system)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json.GetProperty("parameter")[0].GetProperty("valueMeta").TryGetProperty("tag", out var tags)
            ? tags.EnumerateArray().Where(tag => tag.TryGetProperty("system", out var own) && own.GetString() == system).Select(tag => tag.Text("code"))
            : [];
    }

    [Fact]
    public async Task Terminology_is_answered_from_what_is_built_in_and_what_is_stored()
    {
        var expansion = await All.GetAsync("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-status");
        Assert.Equal(7, expansion.Json.GetProperty("expansion").GetProperty("contains").GetArrayLength());
        var lookup = await All.GetAsync("CodeSystem/$lookup?system=http://hl7.org/fhir/observation-status&code=final");
        Assert.Equal("Parameters", lookup.Json.Text("resourceType"));
        var valid = await All.GetAsync("ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/observation-status&code=final&system=http://hl7.org/fhir/observation-status");
        Assert.True(Result(valid));

        var system = $"http://example.org/{Given.Unique("system")}";
        await All.CreateAsync($$"""{"resourceType":"CodeSystem","url":"{{system}}","status":"active","content":"complete","concept":[{"code":"a","display":"A","concept":[{"code":"b","display":"B"}]} ]}""");
        var set = await All.CreateAsync($$"""{"resourceType":"ValueSet","url":"{{system}}/set","status":"active","compose":{"include":[{"system":"{{system}}"}]} }""");
        var expanded = await All.GetAsync($"ValueSet/{set}/$expand");
        Assert.True(expanded.Status == 200 && expanded.Body.Contains("expansion", StringComparison.Ordinal), expanded.Body);
        Assert.Equal(2, expanded.Json.GetProperty("expansion").GetProperty("total").GetInt32());
        Assert.False(Result(await All.PostAsync($"ValueSet/{set}/$validate-code", Parameters("\"code\"", "\"valueCode\":\"x\"", "\"system\"", $"\"valueUri\":\"{system}\""))));
        var subsumed = await All.GetAsync($"CodeSystem/$subsumes?system={system}&codeA=a&codeB=b");
        Assert.True(subsumed.Status == 200, subsumed.Body);
        Assert.Equal("subsumes", (await All.GetAsync($"CodeSystem/$subsumes?system={system}&codeA=a&codeB=b")).Json.GetProperty("parameter")[0].Text("valueCode"));
        var tagged = await All.CreateAsync(Given.Patient().Replace("\"gender\"", $"\"meta\":{{\"tag\":[{{\"system\":\"{system}\",\"code\":\"b\"}}]}},\"gender\"", StringComparison.Ordinal));
        Assert.Equal([tagged], (await All.GetAsync($"Patient?_tag:in={system}/set")).Matches);
        Assert.Equal([tagged], (await All.GetAsync($"Patient?_tag:below={system}|a")).Matches);
        (await All.GetAsync("ValueSet/$expand?url=urn:unknown")).AssertOutcome(404);
        (await All.GetAsync("ValueSet/nobody/$expand")).AssertOutcome(404);
    }

    [Fact]
    public async Task Everything_is_the_patient_the_compartment_and_what_it_refers_to_and_nothing_of_others()
    {
        var device = await All.CreateAsync("""{"resourceType":"Device","deviceName":[{"name":"cuff","type":"user-friendly-name"}]}""");
        var practitioner = await All.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"Who"}]}""");
        var (one, two) = (await All.CreateAsync(Given.Patient().Replace("\"gender\"", $"\"generalPractitioner\":[{{\"reference\":\"Practitioner/{practitioner}\"}}],\"gender\"", StringComparison.Ordinal)), await All.CreateAsync(Given.Patient("Other")));
        for (var index = 0; index < 25; index++)
        {
            await All.CreateAsync(Given.Observation(one, value: $"{60 + index}", effective: $"2026-02-{index + 1:00}T10:00:00Z").Replace("\"status\"", $"\"device\":{{\"reference\":\"Device/{device}\"}},\"status\"", StringComparison.Ordinal));
        }

        var condition = await All.CreateAsync($$"""{"resourceType":"Condition","subject":{"reference":"Patient/{{one}}"},"code":{"text":"x"} }""");
        await All.CreateAsync(Given.Observation(two));
        var whole = await All.GetAsync($"Patient/{one}/$everything");
        Assert.Equal(27, whole.Matches.Count);
        Assert.Equal(one, whole.Matches[0]);
        Assert.Contains(condition, whole.Matches);
        Assert.Equal(new[] { device, practitioner }.Order(StringComparer.Ordinal), whole.Included.Order(StringComparer.Ordinal));

        var seen = new List<string>();
        for (var next = $"{fixture.Server.FhirBase}/Patient/{one}/$everything?_count=10"; next is not null;)
        {
            var page = await All.GetAsync(next);
            Assert.True(page.Matches.Count <= 10);
            seen.AddRange(page.Matches);
            next = page.Link("next");
        }

        Assert.Equal(whole.Matches.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Equal(26, (await All.GetAsync($"Patient/{one}/$everything?_type=Observation,Patient")).Matches.Count);
        Assert.Equal(6, (await All.GetAsync($"Patient/{one}/$everything?_type=Observation&start=2026-02-20")).Matches.Count);
        Assert.Empty((await All.GetAsync($"Patient/{one}/$everything?_since=2100-01-01")).Matches);
        Assert.Contains("<Bundle", (await All.GetAsync($"Patient/{one}/$everything?_format=xml")).Body, StringComparison.Ordinal);
        (await All.GetAsync("Patient/nobody/$everything")).AssertOutcome(404);
        (await All.GetAsync($"Patient/{one}/$everything?_cursor=3.nonsense")).AssertOutcome(400, "IOMT-0706");
        (await All.GetAsync($"Patient/{one}/$everything?_type=Gadget")).AssertOutcome(400);
        var vitals = await fixture.Server.CallerAsync("system/Observation.rs system/Patient.rs");
        var part = await vitals.GetAsync($"Patient/{one}/$everything");
        Assert.Equal((26, 0), (part.Matches.Count, part.Included.Count));
        (await (await fixture.Server.CallerAsync("system/Observation.rs")).GetAsync($"Patient/{one}/$everything")).AssertOutcome(403);
    }

    [Fact]
    public async Task Lastn_answers_the_newest_of_each_code()
    {
        var patient = await All.CreateAsync(Given.Patient());
        foreach (var (code, count) in new[] { ("8867-4", 5), ("9279-1", 3), ("2708-6", 1) })
        {
            for (var day = 1; day <= count; day++)
            {
                await All.CreateAsync(Given.Observation(patient, value: $"{day}", effective: $"2026-03-{day:00}T10:00:00Z").Replace("8867-4", code, StringComparison.Ordinal).Replace(",\"display\":\"Heart rate\"", "", StringComparison.Ordinal));
            }
        }

        var one = await All.GetAsync($"Observation/$lastn?patient={patient}");
        Assert.Equal(["1", "3", "5"], Values(one).Order(StringComparer.Ordinal));
        Assert.Equal(["1", "2", "3", "4", "5"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}&max=2")).Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal));
        Assert.Equal(["5", "4"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}&code=8867-4&max=2")));
        (await All.GetAsync("Observation/$lastn?code=8867-4")).AssertOutcome(400, "IOMT-0645");
        (await All.GetAsync($"Observation/$lastn?patient={patient}&max=0")).AssertOutcome(400, "IOMT-0632");
        (await All.GetAsync($"Observation/$lastn?patient={patient}&nonsense=1")).AssertOutcome(400, "IOMT-0700");
    }

    [Fact]
    public async Task Lastn_answers_all_of_one_time()
    {
        var patient = await All.CreateAsync(Given.Patient());
        foreach (var (value, effective) in new[] { ("1", "2026-03-01T10:00:00Z"), ("2", "2026-03-02T10:00:00Z"), ("3", "2026-03-02T11:00:00+01:00"), ("4", "2026-03-03T10:00:00Z") })
        {
            await All.CreateAsync(Given.Observation(patient, value: value, effective: effective));
        }

        Assert.Equal(["4"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}")));
        Assert.Equal(["2", "3", "4"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}&max=2")).Order(StringComparer.Ordinal));
        Assert.Equal(["2", "3", "4"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}&max=3")).Order(StringComparer.Ordinal));
        Assert.Equal(["1", "2", "3", "4"], Values(await All.GetAsync($"Observation/$lastn?patient={patient}&max=4")).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("a b ac", "1", "0,1")]
    [InlineData("a b ab", "1", "0")]
    [InlineData("a b ab", "2", "0,1")]
    [InlineData("a b c ab bc", "1", "0")]
    [InlineData("a b c ab bc", "4", "0,1,2,3")]
    [InlineData("a b c", "1", "0,1,2")]
    public async Task Lastn_groups_codes_that_a_translation_joins(string newestFirst, string max, string expected)
    {
        var patient = await All.CreateAsync(Given.Patient());
        var codes = newestFirst.Split(' ');
        for (var index = 0; index < codes.Length; index++)
        {
            var codings = string.Join(',', codes[index].Select(code => $$"""{"system":"urn:example:codes","code":"{{code}}"}"""));
            await All.CreateAsync($$"""
                {"resourceType":"Observation","status":"final","code":{"coding":[{{codings}}]},"subject":{"reference":"Patient/{{patient}}"},"effectiveDateTime":"2026-03-{{20 - index}}","valueQuantity":{"value":{{index}} } }
                """);
        }

        Assert.Equal(expected.Split(','), Values(await All.GetAsync($"Observation/$lastn?patient={patient}&max={max}")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Stats_count_the_components_of_that_code_too()
    {
        var patient = await All.CreateAsync(Given.Patient());
        string Measured(string code, string value) => $$"""{"code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"valueQuantity":{"value":{{value}},"system":"http://unitsofmeasure.org","code":"mm[Hg]"} }""";
        string Observed(string code, string values) => $$"""
            {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"subject":{"reference":"Patient/{{patient}}"},"effectiveDateTime":"2026-03-01T10:00:00Z",{{values}} }
            """;
        await All.CreateAsync(Observed("85354-9", $"\"component\":[{Measured("8480-6", "120")},{Measured("8462-4", "80")}]"));
        await All.CreateAsync(Observed("8480-6", "\"valueQuantity\":{\"value\":130,\"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}"));
        Assert.Equal("125", await AverageAsync("http://loinc.org|8480-6"));
        Assert.Equal("80", await AverageAsync("8462-4"));

        async Task<string> AverageAsync(string code)
        {
            var answer = await All.GetAsync($"Observation/$stats?subject=Patient/{patient}&code={code}&statistic=average&duration=800000");
            Assert.True(answer.Status == 200, answer.Body);
            return answer.Json.GetProperty("parameter")[0].GetProperty("resource").GetProperty("component")[0].GetProperty("valueQuantity").GetProperty("value").GetRawText();
        }
    }

    [Fact]
    public async Task Stats_look_at_a_limit_only_where_sources_are_asked_for()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var path = $"Observation/$stats?subject=Patient/{patient}&code=8867-4&statistic=count&limit=20000";
        Assert.Equal(200, (await All.GetAsync(path)).Status);
        Assert.Equal(200, (await All.GetAsync(path + "&include=false")).Status);
        (await All.GetAsync(path + "&include=true")).AssertOutcome(400, "IOMT-0632");
    }

    [Fact]
    public async Task An_answer_with_nothing_in_it_has_no_empty_elements()
    {
        var patient = await All.CreateAsync(Given.Patient());
        foreach (var path in (string[])[$"Patient/{patient}/$everything?_type=Observation", $"Patient/{patient}/$everything?_since=2099-01-01T00:00:00Z", "ChargeItem/$meta"])
        {
            var json = await All.GetAsync(path);
            Assert.True(json.Status == 200, json.Body);
            Assert.DoesNotContain("[]", json.Body, StringComparison.Ordinal);
            Assert.DoesNotContain("{}", json.Body, StringComparison.Ordinal);
            var xml = await All.GetAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}_format=xml");
            Assert.True(xml.Status == 200, xml.Body);
        }
    }

    [Fact]
    public async Task Stats_calculate_and_convert_units()
    {
        var patient = await All.CreateAsync(Given.Patient());
        foreach (var (value, hour) in new[] { ("2", 1), ("4", 2), ("4", 3), ("4", 4), ("5", 5), ("5", 6), ("7", 7), ("9", 8) })
        {
            await All.CreateAsync(Given.Observation(patient, value: value, effective: $"2026-03-01T0{hour}:00:00Z"));
        }

        await All.CreateAsync(Given.Observation(patient, value: "99", effective: "2026-03-01T09:00:00Z", status: "entered-in-error"));
        var answer = await All.PostAsync("Observation/$stats", $$"""
            {"resourceType":"Parameters","parameter":[{"name":"subject","valueUri":"Patient/{{patient}}"},{"name":"coding","valueCoding":{"system":"http://loinc.org","code":"8867-4"} },
             {"name":"period","valuePeriod":{"start":"2026-03-01","end":"2026-03-02"} },{"name":"include","valueBoolean":true},
             {{string.Join(',', new[] { "average", "minimum", "maximum", "count", "median", "sum", "std-dev", "variance", "4-lower", "4-upper", "4-dev" }.Select(code => $"{{\"name\":\"statistic\",\"valueCode\":\"{code}\"}}"))}}]}
            """);
        Assert.True(answer.Status == 200, answer.Body);
        var statistics = answer.Json.GetProperty("parameter")[0].GetProperty("resource").GetProperty("component").EnumerateArray()
            .ToDictionary(component => component.GetProperty("code").GetProperty("coding")[0].Text("code"), component => component.GetProperty("valueQuantity").GetProperty("value").GetRawText());
        Assert.Equal("5", statistics["average"]);
        Assert.Equal(("2", "9", "8", "40"), (statistics["minimum"], statistics["maximum"], statistics["count"], statistics["sum"]));
        Assert.Equal("4.5", statistics["median"]);
        Assert.Equal("4.5714285714", statistics["variance"]);
        Assert.Equal(("4", "5.5", "0.75"), (statistics["4-lower"], statistics["4-upper"], statistics["4-dev"]));
        Assert.Equal(8, answer.Json.GetProperty("parameter").EnumerateArray().Count(parameter => parameter.Text("name") == "source"));
        var inAddress = await All.GetAsync($"Observation/$stats?subject=Patient/{patient}&code=http://loinc.org|8867-4&statistic=count&duration=800000");
        Assert.Equal(8, inAddress.Json.GetProperty("parameter")[0].GetProperty("resource").GetProperty("component")[0].GetProperty("valueQuantity").GetProperty("value").GetInt32());
        (await All.GetAsync($"Observation/$stats?subject=Patient/{patient}&code=8867-4")).AssertOutcome(400, "IOMT-0645");
        (await All.GetAsync($"Observation/$stats?subject=Patient/{patient}&code=8867-4&statistic=vibe")).AssertOutcome(400, "IOMT-0632");
    }

    [Fact]
    public async Task The_capability_statement_lists_what_there_is()
    {
        var statement = (await All.GetAsync("metadata")).Json;
        var rest = statement.GetProperty("rest")[0];
        var observation = rest.GetProperty("resource").EnumerateArray().Single(resource => resource.Text("type") == "Observation");
        Assert.Equal(["create", "delete", "history-instance", "history-type", "patch", "read", "search-type", "update", "vread"],
            observation.GetProperty("interaction").EnumerateArray().Select(interaction => interaction.Text("code")).Order(StringComparer.Ordinal));
        Assert.Contains(observation.GetProperty("operation").EnumerateArray(), operation => operation.Text("name") == "lastn" && operation.Text("definition") == "http://hl7.org/fhir/OperationDefinition/Observation-lastn");
        Assert.Equal(["batch", "history-system", "search-system", "transaction"], rest.GetProperty("interaction").EnumerateArray().Select(interaction => interaction.Text("code")).Order(StringComparer.Ordinal));
        Assert.Equal("multiple", observation.Text("conditionalDelete"));
        var validated = await All.PostAsync("CapabilityStatement/$validate", statement.GetRawText());

        // R4's package knows the first edition of oauth-uris, without introspect and revoke; SMART App Launch 1.0 added them, and they must agree with the well-known document.
        Assert.DoesNotContain(validated.Json.GetProperty("issue").EnumerateArray(), issue => issue.Text("severity") == "error"
            && !issue.GetProperty("details").Text("text")!.EndsWith("oauth-uris has no part 'introspect'.", StringComparison.Ordinal)
            && !issue.GetProperty("details").Text("text")!.EndsWith("oauth-uris has no part 'revoke'.", StringComparison.Ordinal));
    }

    private static bool Result(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json.GetProperty("parameter").EnumerateArray().Single(parameter => parameter.Text("name") == "result").GetProperty("valueBoolean").GetBoolean();
    }

    private static List<string> Values(Answer bundle)
    {
        Assert.True(bundle.Status == 200, bundle.Body);
        return [.. bundle.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("valueQuantity").GetProperty("value").GetRawText())];
    }

    private static string Parameters(params string[] namesAndValues) =>
        $$"""{"resourceType":"Parameters","parameter":[{{string.Join(',', namesAndValues.Chunk(2).Select(pair => $"{{\"name\":{pair[0]},{pair[1]}}}"))}}]}""";
}
