using System.Text;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Random requests of every kind, by seed: whatever comes, the answer is no 5xx.</summary>
public sealed class FuzzTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const int Requests = 700;

    private static readonly string[] Types = ["Patient", "Observation", "Device", "Encounter", "Gadget", "patient", "_history", "metadata", "$validate", ""];
    private static readonly string[] Ids = ["x", "p1", "_search", "_history", "a%00b", "%ff", "..", "%2e%2e", "0123456789012345678901234567890123456789012345678901234567890123456789", "$everything", "é", "a;b=c", "%", "%%", "|"];
    private static readonly string[] Names =
    [
        "_id", "_lastUpdated", "_sort", "_count", "_include", "_revinclude", "_total", "_summary", "_cursor", "_format", "_elements", "_has:Observation:patient:code", "patient", "subject", "subject:Patient", "subject:Gadget", "subject:identifier",
        "code", "code:not", "code:text", "code:missing", "code:", ":not", "date", "category", "status", "identifier", "family", "family:exact", "family:contains", "birthdate", "url", "device", "value-quantity", "component-code-value-quantity", "", "=", "%", "%00",
    ];
    private static readonly string[] Values =
    [
        "", "x", "0", "-1", "1000000000000", "99999999999999999999", "true", "2026", "2026-13", "ge2026-02-30", "gt9999-12-31T23:59:59.9999999Z", "lt0001-01-01", "0000", "ap2026", "a|b", "|", "a|", "|b", "a|b|c", "a,b", ",", "\\", "\\,", "a\\|b", "%5C", "%00", "%ff%fe", "%ed%a0%80",
        "Patient/p1", "Patient/", "/", "Gadget/1", "http://x/Patient/1", "urn:uuid:x", "Observation:subject", "Observation:subject:Gadget", "Observation:subject:Patient:x", "*", "date", "-date", "-_lastUpdated", "--date", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "__________________________________________8", "%F0%9F%98%80", "'", "\"", "%27;DROP TABLE resource;--", "%25", "*?[a-z]", "NaN", "1e400",
    ];
    private static readonly string[] Headers = ["If-Match", "If-None-Match", "If-None-Exist", "If-Modified-Since", "Prefer", "Accept", "Content-Type", "Range", "X-Forwarded-Host", "Accept-Encoding", "Content-Encoding", "Expect"];
    private static readonly string[] HeaderValues = ["", "x", "W/\"1\"", "\"99999999999999999999\"", "*", "identifier=a|b", "identifier=%00", "code=a&_include=*", "_count=0&code=x", "_cursor=x&code=x", "return=minimal", "return=OperationOutcome", "handling=lenient", "application/fhir+json", "application/json;charset=utf-16", "text/html;q=0", "bytes=0-1", "gzip", "Sat, 01 Jan 2000 00:00:00 GMT", "é", ";;;,,,"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task No_request_makes_the_server_fail(int seed)
    {
        var random = new Random(seed);
        await fixture.All.PutAsync("Patient/p1", Given.Patient(id: "p1"));
        for (var number = 0; number < Requests; number++)
        {
            using var request = RandomRequest(random, out var description);
            using var answer = await fixture.Server.Http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode < 500, $"seed {seed}, request {number}: {description}\n{(int)answer.StatusCode} {body}");
        }
    }

    private HttpRequestMessage RandomRequest(Random random, out string description)
    {
        var path = Pick(random, Types);
        for (var segments = random.Next(3); segments > 0; segments--)
        {
            path += "/" + (random.Next(3) == 0 ? Pick(random, Types) : Pick(random, Ids));
        }

        var arguments = Enumerable.Range(0, random.Next(4)).Select(_ => $"{Pick(random, Names)}={Pick(random, Values)}");
        var method = Pick(random, ["GET", "GET", "GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"]);
        var address = $"{fixture.Server.FhirBase}/{path}?{string.Join('&', arguments)}";
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = random.Next(2) == 0 && address.All(char.IsAscii) && !address.Contains('"', StringComparison.Ordinal) && !address.Contains(' ', StringComparison.Ordinal) }));
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {fixture.All.Token}");
        var body = "";
        if (method is "POST" or "PUT" or "PATCH")
        {
            body = RandomBody(random);
            request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", path.EndsWith("_search", StringComparison.Ordinal) ? "application/x-www-form-urlencoded" : "application/fhir+json");
        }

        var headers = new List<string>();
        for (var count = random.Next(3); count > 0; count--)
        {
            var (name, value) = (Pick(random, Headers), Pick(random, HeaderValues));
            if (value.All(char.IsAscii) && !(name == "Expect") && (request.Headers.TryAddWithoutValidation(name, value) || request.Content?.Headers.TryAddWithoutValidation(name, value) == true))
            {
                headers.Add($"{name}: {value}");
            }
        }

        description = $"{method} {address}\n{string.Join('\n', headers)}\n\n{body}";
        return request;
    }

    private static string RandomBody(Random random)
    {
        var text = new StringBuilder(random.Next(5) switch
        {
            0 => Given.Patient(id: "p1"),
            1 => Given.Observation("p1", id: "x"),
            2 => """{"resourceType":"Device","id":"x","patient":{"reference":"Gadget/1"},"identifier":[{"value":"\u0000"}],"meta":{"tag":[{"code":"a"}]}}""",
            3 => string.Join('&', Enumerable.Range(0, random.Next(4)).Select(_ => $"{Pick(random, Names)}={Pick(random, Values)}")),
            _ => """{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Gadget/1"},"effectivePeriod":{"end":"0001-01-01T00:00:00+14:00"}}""",
        });
        for (var mutations = random.Next(4); mutations > 0 && text.Length > 0; mutations--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0:
                    text.Remove(at, Math.Min(random.Next(1, 6), text.Length - at));
                    break;
                case 1:
                    text.Insert(at, Pick(random, ["\"", "{", "}", "[", "]", ",", ":", "\\", "null", "\u00ff", "\0", "1e999", "true", "\\u0000", "\\ud800"]));
                    break;
                case 2:
                    text[at] = (char)random.Next(1, 256);
                    break;
                default:
                    text.Length = at;
                    break;
            }
        }

        return text.ToString();
    }

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];
}
