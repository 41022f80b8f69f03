using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

public sealed class ReadTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private FhirCaller All => fixture.All;

    [Fact]
    public async Task A_read_answers_the_stored_bytes_with_version_and_time()
    {
        var id = await All.CreateAsync(Given.Observation("p1", value: "72.0"));
        var read = await All.GetAsync($"Observation/{id}");
        Assert.Equal(200, read.Status);
        Assert.Equal("W/\"1\"", read.Header("ETag"));
        Assert.NotNull(read.Header("Last-Modified"));
        Assert.Contains("\"value\":72.0,", read.Body, StringComparison.Ordinal);
        Assert.StartsWith("application/fhir+json", read.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("no-store", read.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Equal("nosniff", read.Header("X-Content-Type-Options"));
        Assert.Equal((id, "1"), (read.Json.Text("id"), read.Json.GetProperty("meta").Text("versionId")));
    }

    [Fact]
    public async Task Versions_are_read_each_by_itself()
    {
        var id = await All.CreateAsync(Given.Patient("One"));
        Assert.Equal(200, (await All.PutAsync($"Patient/{id}", Given.Patient("Two", id))).Status);
        Assert.Contains("One", (await All.GetAsync($"Patient/{id}/_history/1")).Body, StringComparison.Ordinal);
        Assert.Contains("Two", (await All.GetAsync($"Patient/{id}/_history/2")).Body, StringComparison.Ordinal);
        Assert.Contains("Two", (await All.GetAsync($"Patient/{id}")).Body, StringComparison.Ordinal);
        foreach (var version in (string[])["0", "3", "x", "99999999999999999999", "-1"])
        {
            (await All.GetAsync($"Patient/{id}/_history/{version}")).AssertOutcome(404, "IOMT-0600");
        }
    }

    [Fact]
    public async Task Head_answers_as_get_without_a_body()
    {
        var id = await All.CreateAsync(Given.Patient());
        var get = await All.GetAsync($"Patient/{id}");
        var head = await All.SendAsync(HttpMethod.Head, $"Patient/{id}", body: null);
        Assert.Equal((200, "", get.Header("ETag"), get.Header("Content-Length")), (head.Status, head.Body, head.Header("ETag"), head.Header("Content-Length")));
        Assert.Equal(404, (await All.SendAsync(HttpMethod.Head, "Patient/nobody", body: null)).Status);
    }

    [Fact]
    public async Task If_none_match_answers_304_for_the_current_version_only()
    {
        var id = await All.CreateAsync(Given.Patient());
        var same = await All.GetAsync($"Patient/{id}", ("If-None-Match", "W/\"1\""));
        Assert.Equal((304, "", "W/\"1\""), (same.Status, same.Body, same.Header("ETag")));
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}", ("If-None-Match", "W/\"2\""))).Status);
        Assert.Equal(200, (await All.GetAsync($"Patient/{id}", ("If-None-Match", "nonsense"))).Status);
    }

    [Theory]
    [InlineData("Patient/nobody", 404, "IOMT-0600")]
    [InlineData("Patient/has_underscore", 400, "IOMT-0628")]
    [InlineData("Patient/a%2Fb", 400, "IOMT-0628")]
    [InlineData("Patient/a%00b", 400, null)]
    [InlineData("Patient/%C3%A9", 400, "IOMT-0628")]
    [InlineData("Patient/0123456789012345678901234567890123456789012345678901234567890123x", 400, "IOMT-0628")]
    [InlineData("Gadget/1", 404, "IOMT-0620")]
    [InlineData("Gadget", 404, "IOMT-0620")]
    [InlineData("patient/1", 404, "IOMT-0620")]
    [InlineData("PATIENT", 404, "IOMT-0620")]
    [InlineData("Resource", 404, "IOMT-0620")]
    [InlineData("Patient/1/2/3/4", 404, "IOMT-0621")]
    [InlineData("Patient/1/Gadget", 404, "IOMT-0620")]
    [InlineData("Patient/1/$nothing", 404, "IOMT-0620")]
    public async Task Addresses_that_lead_nowhere(string path, int status, string? code)
    {
        var answer = await All.GetAsync(path);
        Assert.Equal(status, answer.Status);
        if (code is not null)
        {
            answer.AssertOutcome(status, code);
        }
    }

    [Theory]
    [InlineData("POST", "Patient/1")]
    [InlineData("DELETE", "Patient/1/_history/1")]
    [InlineData("POST", "metadata")]
    public async Task Methods_that_are_not_offered(string method, string path)
    {
        var answer = await All.SendAsync(new HttpMethod(method), path, method is "DELETE" ? null : Given.Patient());
        answer.AssertOutcome(405);
        Assert.Contains("GET", answer.Header("Allow"), StringComparison.Ordinal);
        Assert.DoesNotContain(method, answer.Header("Allow"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/fhir+json", 404)]
    [InlineData("application/json", 404)]
    [InlineData("*/*", 404)]
    [InlineData("text/html, application/xhtml+xml, */*;q=0.8", 404)]
    [InlineData("application/fhir+json; fhirVersion=4.0", 404)]
    [InlineData("application/fhir+json; fhirVersion=3.0", 406)]
    [InlineData("application/fhir+json;q=0", 406)]
    [InlineData("text/turtle", 406)]
    public async Task What_the_client_accepts_is_looked_at(string accept, int status) =>
        (await All.GetAsync("Patient/nobody", ("Accept", accept))).AssertOutcome(status);

    [Fact]
    public async Task A_format_that_the_client_refuses_by_name_is_not_sent_for_a_wildcard()
    {
        var answer = await All.GetAsync("Patient/nobody", ("Accept", "*/*, application/fhir+json;q=0"));
        Assert.Equal((404, "application/fhir+xml; charset=utf-8"), (answer.Status, answer.Header("Content-Type")));
        Assert.Equal(406, (await All.GetAsync("Patient/nobody", ("Accept", "*/*, application/fhir+json;q=0, application/fhir+xml;q=0"))).Status);
    }

    [Theory]
    [InlineData("json", 404)]
    [InlineData("application/fhir%2Bjson", 404)]
    [InlineData("application/fhir+json", 404)]
    [InlineData("html", 406)]
    public async Task The_format_parameter_goes_before_the_header(string format, int status) =>
        (await All.GetAsync($"Patient/nobody?_format={format}", ("Accept", "application/fhir+xml"))).AssertOutcome(status);
}
