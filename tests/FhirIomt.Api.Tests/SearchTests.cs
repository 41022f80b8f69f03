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
    public async Task Includes_follow_canonicals_to_the_version_that_they_name()
    {
        var url = $"http://example.org/{Given.Unique("form")}";
        var forms = new List<string>();
        foreach (var version in (string[])["1.0", "2.0"])
        {
            forms.Add(await All.CreateAsync($$"""{"resourceType":"Questionnaire","url":"{{url}}","version":"{{version}}","status":"active"}"""));
        }

        var first = await All.CreateAsync(Answers($"{url}|1.0"));
        var any = await All.CreateAsync(Answers(url));

        Assert.Equal([forms[0]], (await All.GetAsync($"QuestionnaireResponse?_id={first}&_include=QuestionnaireResponse:questionnaire")).Included);
        Assert.Equal(forms.Order(StringComparer.Ordinal), (await All.GetAsync($"QuestionnaireResponse?_id={any}&_include=QuestionnaireResponse:questionnaire")).Included.Order(StringComparer.Ordinal));
        Assert.Equal(forms.Order(StringComparer.Ordinal), (await All.GetAsync($"QuestionnaireResponse?_id={any}&_include=*")).Included.Order(StringComparer.Ordinal));
        Assert.Equal(new[] { first, any }.Order(StringComparer.Ordinal), (await All.GetAsync($"Questionnaire?_id={forms[0]}&_revinclude=QuestionnaireResponse:questionnaire")).Included.Order(StringComparer.Ordinal));
        Assert.Equal([any], (await All.GetAsync($"Questionnaire?_id={forms[1]}&_revinclude=QuestionnaireResponse:questionnaire")).Included);

        // What may not be read is not included this way either.
        var narrow = await fixture.Server.CallerAsync("system/QuestionnaireResponse.rs");
        Assert.Empty((await narrow.GetAsync($"QuestionnaireResponse?_id={any}&_include=QuestionnaireResponse:questionnaire")).Included);

        static string Answers(string questionnaire) => $$"""{"resourceType":"QuestionnaireResponse","questionnaire":"{{questionnaire}}","status":"completed"}""";
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
    [InlineData("QuestionnaireResponse?questionnaire.title=x")]
    [InlineData("QuestionnaireResponse?_filter=questionnaire.title eq x")]
    [InlineData("Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed")]
    [InlineData("PlanDefinition?composed-of.title=x")]
    [InlineData("PlanDefinition?composed-of:ActivityDefinition.title=x")]
    [InlineData("Patient?_has:QuestionnaireResponse:subject:questionnaire.title=x")]
    public async Task What_refers_by_canonical_is_not_followed_in_silence(string query) => (await All.GetAsync(query)).AssertOutcome(400, "IOMT-0722");

    [Theory]
    [InlineData("_count=-1")]
    [InlineData("_count=x")]
    [InlineData("_count=99999999999")]
    [InlineData("_sort=family")]
    [InlineData("_sort=code-value-quantity")]
    [InlineData("_sort=date,code,status,device,category")]
    [InlineData("_total=maybe")]
    [InlineData("_include=Patient:nonsense")]
    [InlineData("_include=Observation:code")]
    [InlineData("_include=Patient:organization")]
    [InlineData("_include=Observation:subject:Nothing")]
    [InlineData("_include=*:subject")]
    [InlineData("_revinclude=Observation:subject")]
    [InlineData("_revinclude=Patient")]
    [InlineData("_has:Observation:subject:code=x")]
    [InlineData("_has:X:y:z=1")]
    [InlineData("_has:Observation:subject=x")]
    [InlineData("_has=x")]
    [InlineData("patient.nonsense=x")]
    [InlineData("subject.nonsense=x")]
    [InlineData("code.name=x")]
    [InlineData("focus.name=x")]
    [InlineData("subject:Nobody.name=x")]
    [InlineData("subject:Patient.birthdate=soon")]
    [InlineData("subject:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name=x")]
    [InlineData("patient:not=x")]
    [InlineData("_filter=code")]
    [InlineData("_filter=code xx y")]
    [InlineData("_filter=(code eq x")]
    [InlineData("_filter=code eq \"x")]
    [InlineData("_filter=date eq soon")]
    [InlineData("_filter=nonsense eq x")]
    [InlineData("_filter=not code eq x")]
    [InlineData("_filter=code eq x and")]
    [InlineData("_query=x")]
    [InlineData("_text=%20")]
    [InlineData("_list=$current-problems")]
    [InlineData("_list=")]
    [InlineData("_type=Patient")]
    [InlineData("_contained=maybe")]
    [InlineData("_containedType=both")]
    [InlineData("code:in=x")]
    [InlineData("code:above=x")]
    [InlineData("code:below=http://nowhere.example%7Cy")]
    [InlineData("code:nonsense=x")]
    [InlineData("code=")]
    [InlineData("code=,")]
    [InlineData("date=x")]
    [InlineData("date:exact=2020")]
    [InlineData("_lastUpdated=now")]
    [InlineData("_cursor=x")]
    [InlineData("_cursor=AAAA")]
    [InlineData("value-quantity=abc")]
    [InlineData("value-quantity=5%7Cmg")]
    [InlineData("value-quantity=5%7Ca%7Cb%7Cc")]
    [InlineData("value-quantity=1e99")]
    [InlineData("code-value-quantity=a")]
    [InlineData("code-value-quantity=a$")]
    [InlineData("code-value-quantity=a$b")]
    [InlineData("identifier:of-type=a%7Cb")]
    [InlineData("_id=")]
    [InlineData("status:missing=maybe")]
    [InlineData("_has:Observation:nonsense:code=x")]
    [InlineData("code=%7C")]
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
            foreach (var (name, kind) in listed.Where(pair => pair.Value != "special"))
            {
                var answer = await All.GetAsync($"{type}?{name}={Value(type, name, kind)}");
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

    private static string Value(string type, string name, string kind) => kind switch
    {
        "special" => "_id eq x",
        "date" => "2026",
        "number" or "quantity" => "1",
        "composite" => string.Join('$', Fhir.Definitions.FhirDefinitions.R4.SearchParameter(type, name)!.Components
            .Select(component => Fhir.Definitions.FhirDefinitions.R4.SearchParameters(type).First(one => one.Url == component.DefinitionUrl))
            .Select(one => Value(type, one.Code, one.Type.ToString().ToLowerInvariant()))),
        _ => "x",
    };

    [Fact]
    public async Task The_parameters_that_integrators_rely_on_are_listed()
    {
        using var statement = JsonDocument.Parse(await fixture.Server.Http.GetStringAsync("metadata"));
        var observation = statement.RootElement.GetProperty("rest")[0].GetProperty("resource").EnumerateArray().Single(one => one.Text("type") == "Observation");
        var names = observation.GetProperty("searchParam").EnumerateArray().Select(one => one.Text("name")).ToHashSet(StringComparer.Ordinal);
        Assert.Subset(names, new HashSet<string> { "_id", "identifier", "patient", "subject", "device", "code", "category", "date", "status", "_lastUpdated" });
    }

    [Fact]
    public async Task A_search_at_the_base_finds_several_types_page_by_page()
    {
        var mrn = Given.Unique("several");
        List<string> ids = [await All.CreateAsync(Given.Patient(mrn: mrn)), await All.CreateAsync(Given.Observation("nobody", mrn: mrn)), await All.CreateAsync(Given.Patient(mrn: mrn)), await All.CreateAsync(Given.Observation("nobody", mrn: mrn))];
        foreach (var (order, expected) in new[] { ("", null), ("&_sort=_lastUpdated", ids), ("&_sort=-_lastUpdated", Enumerable.Reverse(ids).ToList()) })
        {
            var found = new List<string>();
            string? next = $"?_type=Patient,Observation&identifier={mrn},urn:example:mrn%7C{mrn}&_count=1{order}";
            while (next is not null)
            {
                var page = await All.GetAsync(next);
                Assert.True(page.Status == 200, page.Body);
                Assert.Single(page.Matches);
                found.AddRange(page.Matches);
                next = page.Link("next");
            }

            Assert.Equal(expected ?? [.. ids.Order(StringComparer.Ordinal)], expected is null ? [.. found.Order(StringComparer.Ordinal)] : found);
        }

        Assert.Equal(4, (await All.GetAsync($"?_type=Patient,Observation&identifier={mrn}&_summary=count")).Json.GetProperty("total").GetInt64());
        var posted = await All.PostAsync("_search", $"_type=Patient&identifier={mrn}", ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(2, posted.Matches.Count);
        Assert.Equal($"{fixture.Server.FhirBase}?_type=Patient&identifier={mrn}&_count=50", posted.Link("self"));
        Assert.Equal([ids[1]], (await All.GetAsync($"?_id={ids[1]}")).Matches);
        (await All.GetAsync("?_type=Nothing")).AssertOutcome(400, "IOMT-0718");
        (await All.GetAsync("?birthdate=2020")).AssertOutcome(400, "IOMT-0700");
        (await All.GetAsync("?_type=Patient,Observation&_sort=date")).AssertOutcome(400, "IOMT-0704");
        var lenient = await All.GetAsync("?_type=Patient,Observation&birthdate=2020&_id=none", ("Prefer", "handling=lenient"));
        Assert.Equal(200, lenient.Status);
        Assert.DoesNotContain("birthdate", lenient.Link("self"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compartment_is_searched_by_type_and_as_a_whole()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var own = await All.CreateAsync(Given.Observation(patient));
        await All.CreateAsync(Given.Observation("nobody"));
        var answer = await All.GetAsync($"Patient/{patient}/Observation?code=8867-4");
        Assert.Equal([own], answer.Matches);
        Assert.Equal($"{fixture.Server.FhirBase}/Patient/{patient}/Observation?code=8867-4&_count=50", answer.Link("self"));
        Assert.Empty((await All.GetAsync($"Patient/{patient}/Observation?code=other")).Matches);
        Assert.Equal(new[] { own, patient }.Order(StringComparer.Ordinal), (await All.GetAsync($"Patient/{patient}/*")).Matches.Order(StringComparer.Ordinal));
        Assert.Equal([own], (await All.GetAsync($"Patient/{patient}/*?_type=Observation")).Matches);
        Assert.Equal([own], (await All.PostAsync($"Patient/{patient}/Observation/_search", "code=8867-4", ("Content-Type", "application/x-www-form-urlencoded"))).Matches);
        (await All.GetAsync($"Patient/{patient}/Medication")).AssertOutcome(400, "IOMT-0714");
        (await All.GetAsync($"Observation/{own}/Patient")).AssertOutcome(404);
    }

    [Fact]
    public async Task What_refers_to_a_match_comes_as_an_include_and_iterates()
    {
        var patient = await All.CreateAsync(Given.Patient());
        var device = await All.CreateAsync($$"""{"resourceType":"Device","patient":{"reference":"Patient/{{patient}}"} }""");
        var own = await All.CreateAsync(Given.Observation(patient));
        var answer = await All.GetAsync($"Patient?_id={patient}&_revinclude=Observation:subject&_revinclude=Device:patient");
        Assert.Equal([patient], answer.Matches);
        Assert.Equal(new[] { device, own }.Order(StringComparer.Ordinal), answer.Included.Order(StringComparer.Ordinal));
        Assert.Equal(1, answer.Json.GetProperty("total").GetInt64());
        var iterated = await All.GetAsync($"Observation?_id={own}&_include=Observation:subject&_revinclude:iterate=Device:patient");
        Assert.Equal(new[] { device, patient }.Order(StringComparer.Ordinal), iterated.Included.Order(StringComparer.Ordinal));
        Assert.Equal(new[] { device, own }.Order(StringComparer.Ordinal), (await All.GetAsync($"Patient?_id={patient}&_revinclude=*")).Included.Order(StringComparer.Ordinal));
        Assert.Equal([patient], (await All.GetAsync($"Observation?_id={own}&_include=*")).Included);
    }

    [Fact]
    public async Task Chains_and_reverse_chains_look_only_through_what_may_be_searched()
    {
        var family = Given.Unique("Chained");
        var patient = await All.CreateAsync(Given.Patient(family));
        var own = await All.CreateAsync(Given.Observation(patient));
        string[] chains = [$"patient.family={family}", $"subject:Patient.name={family}", $"subject.family={family}", $"_filter=subject.family eq {family}", $"patient._has:Observation:patient:_id={own}"];
        foreach (var chain in chains)
        {
            Assert.Equal([own], (await All.GetAsync($"Observation?{chain}")).Matches);
        }

        Assert.Equal([patient], (await All.GetAsync($"Patient?family={family}&_has:Observation:patient:code=8867-4")).Matches);
        var narrow = await fixture.Server.CallerAsync("system/Observation.rs");
        foreach (var chain in chains)
        {
            (await narrow.GetAsync($"Observation?{chain}&_total=accurate")).AssertOutcome(403, "IOMT-0602");
        }

        var patientsOnly = await fixture.Server.CallerAsync("system/Patient.rs");
        (await patientsOnly.GetAsync($"Patient?_has:Observation:patient:_id={own}")).AssertOutcome(403, "IOMT-0602");
        Assert.Empty((await patientsOnly.GetAsync($"Patient?_id={patient}&_revinclude=Observation:patient")).Included);
        (await patientsOnly.GetAsync("?_type=Observation")).AssertOutcome(403);
        Assert.Equal([patient], (await patientsOnly.GetAsync($"?_id={patient},{own}")).Matches);
    }

    [Fact]
    public async Task Codes_are_searched_by_value_set_and_by_the_system_their_binding_implies()
    {
        var family = Given.Unique("Coded");
        var id = await All.CreateAsync(Given.Patient(family));
        foreach (var (query, isFound) in new[]
        {
            ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", true),
            ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", false),
            ("gender=http://hl7.org/fhir/administrative-gender%7Cmale", true),
            ("gender=http://hl7.org/fhir/administrative-gender%7C", true),
            ("gender=http://other.example%7Cmale", false),
            ("gender=%7Cmale", true),
            ("gender:below=http://hl7.org/fhir/administrative-gender%7Cmale", true),
            ("gender:above=http://hl7.org/fhir/administrative-gender%7Cfemale", false),
        })
        {
            var answer = await All.GetAsync($"Patient?family={family}&{query}");
            Assert.True(answer.Status == 200, answer.Body);
            Assert.True(answer.Matches.Contains(id) == isFound, query);
        }
    }

    [Fact]
    public async Task A_cursor_of_another_search_is_refused()
    {
        var patient = Given.Unique("p");
        for (var number = 0; number < 3; number++)
        {
            await All.CreateAsync(Given.Observation(patient));
        }

        var cursor = (await All.GetAsync($"Observation?patient={patient}&_count=1")).Link("next")!.Split("_cursor=")[1];
        Assert.Equal(200, (await All.GetAsync($"Observation?patient={patient}&_count=2&_cursor={cursor}")).Status);
        (await All.GetAsync($"Observation?patient=other&_count=1&_cursor={cursor}")).AssertOutcome(400, "IOMT-0706");
        (await All.GetAsync($"Observation?patient={patient}&_sort=code&_cursor={cursor}")).AssertOutcome(400, "IOMT-0706");
    }

    [Fact]
    public async Task Metadata_needs_no_token_and_answers_head()
    {
        using var head = await fixture.Server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "metadata"));
        Assert.Equal(200, (int)head.StatusCode);
        Assert.Equal(Encoding.UTF8.GetByteCount(await fixture.Server.Http.GetStringAsync("metadata")), head.Content.Headers.ContentLength);
    }
}
