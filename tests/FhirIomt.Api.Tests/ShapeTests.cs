using System.Text;
using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Formats, summaries, elements, Binary.</summary>
public sealed class ShapeTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task XML_goes_in_and_comes_out_everywhere()
    {
        const string Xml = """<Patient xmlns="http://hl7.org/fhir"><name><family value="Xavier"/></name><multipleBirthInteger value="2"/></Patient>""";
        var created = await All.PostAsync("Patient", Xml, ("Content-Type", "application/fhir+xml"), ("Accept", "application/fhir+xml"));
        Assert.Equal(201, created.Status);
        Assert.StartsWith("application/fhir+xml", created.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("<family value=\"Xavier\"/>", created.Body, StringComparison.Ordinal);
        var id = created.Header("Location")!.Split('/')[^3];
        var json = await All.GetAsync($"Patient/{id}", ("Accept", "application/fhir+json"));
        Assert.Equal(2, json.Json.GetProperty("multipleBirthInteger").GetInt32());
        Assert.Contains("<Bundle", (await All.GetAsync($"Patient?_id={id}&_format=xml")).Body, StringComparison.Ordinal);
        Assert.Contains("<OperationOutcome", (await All.GetAsync("Patient/nobody", ("Accept", "application/xml"))).Body, StringComparison.Ordinal);
        Assert.Contains("<OperationOutcome", (await All.GetAsync("Gadget?_format=xml")).Body, StringComparison.Ordinal);
        (await All.PostAsync("Patient", "<Patient>", ("Content-Type", "application/fhir+xml"))).AssertOutcome(400);
        Assert.Equal(id, (await All.GetAsync($"Patient/{id}?_format=xml&_pretty=true")).Body.Split("<id value=\"")[1].Split('"')[0]);
    }

    [Fact]
    public async Task What_is_stored_comes_back_to_the_letter()
    {
        const string Body = """{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.00},"component":[{"code":{"text":"y"},"valueQuantity":{"value":1.0e2}}]}""";
        var read = (await All.GetAsync($"Observation/{await All.CreateAsync(Body)}")).Body;
        Assert.Contains("\"value\":72.00}", read, StringComparison.Ordinal);
        Assert.Contains("\"value\":1.0e2}", read, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pretty_is_indented()
    {
        var id = await All.CreateAsync(Given.Patient());
        Assert.DoesNotContain('\n', (await All.GetAsync($"Patient/{id}")).Body);
        Assert.Contains("\n", (await All.GetAsync($"Patient/{id}?_pretty=true")).Body, StringComparison.Ordinal);
        (await All.GetAsync($"Patient/{id}?_pretty=maybe")).AssertOutcome(400);
    }

    [Fact]
    public async Task Summaries_keep_what_is_mandatory_and_say_that_they_are_subsets()
    {
        var id = await All.CreateAsync("""
            {"resourceType":"Observation","meta":{"tag":[{"system":"urn:example","code":"kept"}]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
             "status":"final","code":{"text":"x"},"note":[{"text":"not in the summary"}],"valueQuantity":{"value":5},
             "component":[{"code":{"text":"y"},"interpretation":[{"text":"high"}],"valueString":"z"}]}
            """);
        Assert.Equal(["code", "component", "id", "meta", "resourceType", "status", "valueQuantity"], await MembersAsync($"Observation/{id}?_summary=true"));
        Assert.Equal(["code", "id", "meta", "resourceType", "status", "text"], await MembersAsync($"Observation/{id}?_summary=text"));
        Assert.Equal(["code", "component", "id", "meta", "note", "resourceType", "status", "valueQuantity"], await MembersAsync($"Observation/{id}?_summary=data"));
        Assert.Equal(["code", "component", "id", "meta", "note", "resourceType", "status", "text", "valueQuantity"], await MembersAsync($"Observation/{id}?_summary=false"));
        Assert.Equal(["code", "id", "meta", "resourceType", "status", "valueQuantity"], await MembersAsync($"Observation/{id}?_elements=value"));
        var summary = (await All.GetAsync($"Observation/{id}?_summary=true")).Json;
        Assert.False(summary.GetProperty("component")[0].TryGetProperty("interpretation", out _));
        Assert.Equal(["kept", "SUBSETTED"], summary.GetProperty("meta").GetProperty("tag").EnumerateArray().Select(tag => tag.Text("code")));
        (await All.GetAsync($"Observation/{id}?_summary=some")).AssertOutcome(400, "IOMT-0632");

        var bundle = (await All.GetAsync($"Observation?_id={id}&_elements=note")).Json;
        Assert.Equal("Bundle", bundle.Text("resourceType"));
        Assert.Equal(["code", "id", "meta", "note", "resourceType", "status"], bundle.GetProperty("entry")[0].GetProperty("resource").EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_binary_is_its_own_content_or_a_resource()
    {
        var bytes = new string('x', 1000) + "\u00e9";
        var created = await All.PostAsync("Binary", bytes, ("Content-Type", "text/plain"), ("Accept", "application/fhir+json"));
        Assert.Equal(201, created.Status);
        var id = created.Json.Text("id");
        Assert.Equal(bytes, Encoding.UTF8.GetString(created.Json.GetProperty("data").GetBytesFromBase64()));
        var raw = await All.GetAsync($"Binary/{id}", ("Accept", "text/plain"));
        Assert.Equal((200, bytes, "text/plain", "attachment"), (raw.Status, raw.Body, raw.Header("Content-Type"), raw.Header("Content-Disposition")));
        Assert.Contains("sandbox", raw.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal(bytes, (await All.GetAsync($"Binary/{id}")).Body);
        Assert.Equal("Binary", (await All.GetAsync($"Binary/{id}?_format=json")).Json.Text("resourceType"));
        Assert.Equal(200, (await All.SendAsync(HttpMethod.Put, $"Binary/{id}", "other", ("Content-Type", "text/csv"))).Status);
        Assert.Equal("other", (await All.GetAsync($"Binary/{id}")).Body);
    }

    [Theory]
    [InlineData("text/xml", "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>")]
    [InlineData("application/json", "{\"a\":1}")]
    [InlineData("application/fhir+json", "{\"resourceType\":\"Patient\"}")]
    [InlineData("application/fhir+xml", "<Patient xmlns=\"http://hl7.org/fhir\"/>")]
    [InlineData("application/json", "no JSON at all")]
    public async Task What_is_no_Binary_is_the_content_of_one_whatever_its_media_type(string mediaType, string content)
    {
        var created = await All.PostAsync("Binary", content, ("Content-Type", mediaType), ("Accept", "application/fhir+json"));
        Assert.True(created.Status == 201, created.Body);
        Assert.Equal(mediaType, created.Json.Text("contentType"));
        var raw = await All.GetAsync($"Binary/{created.Json.Text("id")}");
        Assert.Equal((200, content, mediaType), (raw.Status, raw.Body, raw.Header("Content-Type")));
    }

    [Fact]
    public async Task A_binary_in_a_format_that_there_is_not_is_406()
    {
        var id = (await All.PostAsync("Binary", "x", ("Content-Type", "text/plain"), ("Accept", "application/fhir+json"))).Json.Text("id");
        (await All.GetAsync($"Binary/{id}?_format=application/fhir%2Bturtle")).AssertOutcome(406, "IOMT-0624");
        Assert.Equal("x", (await All.GetAsync($"Binary/{id}", ("Accept", "image/png"))).Body);
    }

    private async Task<List<string>> MembersAsync(string path)
    {
        var answer = await All.GetAsync(path);
        Assert.True(answer.Status == 200, answer.Body);
        return [.. answer.Json.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)];
    }
}
