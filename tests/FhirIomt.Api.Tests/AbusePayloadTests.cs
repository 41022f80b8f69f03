using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Abuse cases G: what is sent is data and nothing else, under their numbers. Every refusal is the sender's fault, and says nothing about the machine.</summary>
public sealed class AbusePayloadTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Theory]
    [InlineData("<!DOCTYPE Patient [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&x;\"/></Patient>")]
    [InlineData("<!DOCTYPE Patient [<!ENTITY % x SYSTEM \"http://169.254.169.254/\"> %x;]><Patient xmlns=\"http://hl7.org/fhir\"/>")]
    [InlineData("<!DOCTYPE lolz [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&b;\"/></Patient>")]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\" xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"file:///etc/passwd\"/></Patient>")]
    public async Task G122_no_entity_and_no_include_is_followed(string xml)
    {
        var answer = await All.PostAsync("Patient", xml, ("Content-Type", "application/fhir+xml"));
        AssertRefused(answer);
        Assert.DoesNotContain("root:", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G123_G125_odd_JSON_is_refused()
    {
        foreach (var body in (string[])
        [
            new string('[', 100_000), $$"""{"resourceType":"Patient","x":{{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}}1{{new string('}', 10_000)}}}""", """{"resourceType":"Patient","resourceType":"Observation"}""",
            """{"resourceType":"Patient","__proto__":{"admin":true}}""", """{"resourceType":"Patient","multipleBirthInteger":1e999999999}""", """{"resourceType":"Patient","multipleBirthInteger":NaN}""", "\uFEFF\uFEFF{}", """{"resourceType":"Patient","language":"\ud800"}""", "null", "",
        ])
        {
            AssertRefused(await All.PostAsync("Patient", body));
        }
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("<p onclick=\"alert(1)\">x</p>")]
    [InlineData("<a href=\"javascript:alert(1)\">x</a>")]
    [InlineData("<a href=\" java&#9;script:alert(1)\">x</a>")]
    [InlineData("<svg><script>alert(1)</script></svg>")]
    [InlineData("<iframe src=\"http://elsewhere.example\"></iframe>")]
    [InlineData("<meta http-equiv=\"refresh\" content=\"0\"/>")]
    public async Task G126_no_script_is_stored_in_a_narrative(string markup)
    {
        var div = System.Text.Json.JsonEncodedText.Encode($"<div xmlns=\"http://www.w3.org/1999/xhtml\">{markup}</div>");
        AssertRefused(await All.PostAsync("Patient", $$"""{"resourceType":"Patient","text":{"status":"generated","div":"{{div}}"} }"""));
    }

    [Fact]
    public async Task G127_G128_a_stored_page_is_no_page_of_this_server()
    {
        var id = await All.CreateAsync("""{"resourceType":"Binary","contentType":"text/html","data":"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}""");
        var answer = await All.GetAsync($"Binary/{id}", ("Accept", "text/html"));
        Assert.Equal(200, answer.Status);
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.StartsWith("attachment", answer.Header("Content-Disposition"), StringComparison.Ordinal);
        Assert.Contains("sandbox", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        foreach (var format in (string[])["html", "text/html", "application/xhtml+xml", "../../x"])
        {
            AssertRefused(await All.GetAsync($"Patient?_format={Uri.EscapeDataString(format)}"));
        }
    }

    [Fact]
    public async Task G129_G131_searches_take_texts_as_texts_and_have_limits()
    {
        var id = await All.CreateAsync(Given.Patient("O'Brien; DROP TABLE resource; --"));
        foreach (var text in (string[])["' OR '1'='1", "'; DELETE FROM resource; --", "%", "_", "\\", "*", "\" OR 1=1", "a' UNION SELECT body FROM resource --"])
        {
            foreach (var parameter in (string[])["family", "family:exact", "family:contains", "identifier", "_id", "birthdate", "_tag", "_profile", "organization", "_content", "_sort", "_elements", "_filter", "_list", "_type"])
            {
                var answer = await All.GetAsync($"Patient?{parameter}={Uri.EscapeDataString(text)}");
                Assert.InRange(answer.Status, 200, 499);
                Assert.DoesNotContain(id, answer.Status == 200 && parameter is not ("_elements" or "family" or "family:contains" or "_sort") ? answer.Body : "", StringComparison.Ordinal);
            }
        }

        Assert.Equal(200, (await All.GetAsync($"Patient/{id}")).Status);
        Assert.InRange((await All.GetAsync("Patient?_count=1000000000")).Status, 200, 499);
        foreach (var query in (string[])["_count=-1", $"_id={string.Join(',', Enumerable.Range(0, 1000))}", string.Join('&', Enumerable.Repeat("family=x", 60)), string.Concat(Enumerable.Repeat("_has:Observation:patient:", 10)) + "code=x", "_sort=family,birthdate,gender,given,_id,_lastUpdated,name,email,phone,address"])
        {
            AssertRefused(await All.GetAsync($"Patient?{query}"));
        }
    }

    [Fact]
    public async Task G130_expressions_are_not_run_for_ever()
    {
        var evil = $$"""{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.name.where(family.matches('(a+)+$'))"}]}]}""";
        var id = await All.CreateAsync(Given.Patient(new string('a', 200) + "!"));
        Assert.InRange((await All.SendAsync(HttpMethod.Patch, $"Patient/{id}", evil)).Status, 200, 499);
    }

    [Fact]
    public async Task G132_G133_no_id_becomes_a_header_or_a_path()
    {
        foreach (var id in (string[])["a%0d%0aX-Injected:%201", "..%2f..%2fetc%2fpasswd", "a%00b", "a%22b", new string('a', 65)])
        {
            var answer = await All.GetAsync($"Patient/{id}");
            AssertRefused(answer);
            Assert.Null(answer.Header("X-Injected"));
        }

        AssertRefused(await All.PostAsync("Patient", Given.Patient(), ("If-None-Exist", "identifier=a|b&&&&%%%")));
        AssertRefused(await All.PutAsync("Patient/x-1", Given.Patient(id: "x-1"), ("If-Match", "W/\"1\"x")));
    }

    [Fact]
    public async Task G134_links_do_not_follow_a_forged_host()
    {
        await All.CreateAsync(Given.Patient());
        foreach (var header in (string[])["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
        {
            var answer = await All.GetAsync("Patient?_count=1", (header, "evil.example"));
            Assert.DoesNotContain("evil.example", answer.Body, StringComparison.Ordinal);
            Assert.Contains("no-store", answer.Header("Cache-Control"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task G136_nothing_is_fetched_for_a_resource()
    {
        // Nobody listens there: a server that tried would wait for an answer, or say that there was none.
        var profiled = Given.Patient().Replace("\"gender\"", "\"photo\":[{\"url\":\"http://169.254.169.254/latest\"}],\"gender\"", StringComparison.Ordinal);
        Assert.Equal(201, (await All.PostAsync("Patient", profiled)).Status);
        (await All.GetAsync("Patient/x/$validate?profile=http://169.254.169.254/latest")).AssertOutcome(400, "IOMT-0646");
        AssertRefused(await All.GetAsync("ValueSet/$expand?url=http://169.254.169.254/latest"));
    }

    private static void AssertRefused(Answer answer)
    {
        Assert.InRange(answer.Status, 400, 499);
        foreach (var telling in (string[])["   at ", "Exception", "SELECT ", "/home/", "/src/", ".cs:line"])
        {
            Assert.DoesNotContain(telling, answer.Body, StringComparison.Ordinal);
        }
    }
}
