using System.Text;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Random requests of every kind, by seed: whatever comes, the answer is no 5xx.</summary>
public sealed class FuzzTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const int Requests = 1200;

    private static readonly string[] Types = ["Patient", "Patient", "Observation", "Observation", "Device", "Encounter", "ValueSet", "StructureDefinition", "SearchParameter", "Binary", "List", "Gadget", "patient", "_history", "_search", "metadata", "$validate", "$reindex", ""];
    private static readonly string[] Ids = ["x", "p1", "_search", "_history", "a%00b", "%ff", "..", "%2e%2e", "0123456789012345678901234567890123456789012345678901234567890123456789", "$everything", "$meta", "$meta-add", "$meta-delete", "$validate", "$lastn", "$stats", "$expand", "$validate-code", "$lookup", "$translate", "$reindex", "*", "é", "a;b=c", "%", "%%", "|"];
    private static readonly string[] Names =
    [
        "_id", "_lastUpdated", "_sort", "_count", "_include", "_revinclude", "_total", "_summary", "_cursor", "_format", "_elements", "_has:Observation:patient:code", "patient", "subject", "subject:Patient", "subject:Gadget", "subject:identifier",
        "code", "code:not", "code:text", "code:missing", "code:", ":not", "date", "category", "status", "identifier", "family", "family:exact", "family:contains", "birthdate", "url", "device", "value-quantity", "component-code-value-quantity", "code:in", "code:not-in", "code:above", "code:below", "identifier:of-type", "subject:Patient.name", "patient.organization.name", "patient.general-practitioner.name:exact", "_has:Observation:patient:_has:Encounter:patient:status", "_filter", "_list", "_text", "_content", "_type", "_since", "_at", "_contained", "_tag:not", "_profile:below", "_include:iterate", "_revinclude:iterate", "code-value-quantity", "combo-value-quantity", "near", "probability", "max", "mode", "profile", "statistic", "coding", "system", "", "=", "%", "%00",
    ];
    private static readonly string[] Values =
    [
        "", "x", "0", "-1", "1000000000000", "99999999999999999999", "true", "2026", "2026-13", "ge2026-02-30", "gt9999-12-31T23:59:59.9999999Z", "lt0001-01-01", "0000", "ap2026", "a|b", "|", "a|", "|b", "a|b|c", "a,b", ",", "\\", "\\,", "a\\|b", "%5C", "%00", "%ff%fe", "%ed%a0%80",
        "Patient/p1", "Patient/", "/", "Gadget/1", "http://x/Patient/1", "urn:uuid:x", "Observation:subject", "Observation:subject:Gadget", "Observation:subject:Patient:x", "*", "date", "-date", "-_lastUpdated", "--date", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "__________________________________________8", "%F0%9F%98%80", "'", "\"", "%27;DROP TABLE resource;--", "%25", "*?[a-z]", "NaN", "1e400", "5.4|http://unitsofmeasure.org|mg", "gt5.4||mg", "1e-28", "79228162514264337593543950335", "8867-4$gt5", "a$b$c", "$", "name eq \"x\"", "(name eq x or birthdate gt 2000) and not (active eq true)", "((((((((((name eq x))))))))))", "given", "-date,status,_id", "Observation:*", "*:*", "Patient:link", "http://loinc.org|8867-4|x",
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
            request.Content.Headers.TryAddWithoutValidation("Content-Type", path.EndsWith("_search", StringComparison.Ordinal) ? "application/x-www-form-urlencoded" : Pick(random, ["application/fhir+json", "application/fhir+json", "application/fhir+json", "application/fhir+xml", "application/json-patch+json", "text/plain"]));
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
        var text = new StringBuilder(random.Next(13) switch
        {
            5 => """{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=x"} },{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=x"} },"request":{"method":"PUT","url":"Observation/x","ifMatch":"W/\"1\""} }]}""",
            6 => """{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/p1/$everything?_count=1"} },{"request":{"method":"DELETE","url":"Observation?status=final"} },{"request":{"method":"GET","url":"metadata"} },{"request":{"method":"POST","url":"/"} },{"request":{"method":"PATCH","url":"Patient/p1"},"resource":{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10="} }]}""",
            7 => """{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"birthDate"},{"name":"value","valueDate":"2000-01-01"}]},{"name":"meta","valueMeta":{"tag":[{"code":"x"}]} },{"name":"resource","resource":{"resourceType":"Patient"} },{"name":"url","valueUri":"http://hl7.org/fhir/ValueSet/observation-status"}]}""",
            8 => """[{"op":"add","path":"/name/-","value":{"family":"x"} },{"op":"move","from":"/name/0","path":"/name/1"},{"op":"copy","from":"/id","path":"/gender"}]""",
            9 => """<Patient xmlns="http://hl7.org/fhir"><id value="p1"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">x<b>y</b></div></text><active value="true"/></Patient>""",
            10 => """{"resourceType":"StructureDefinition","url":"http://example.org/fuzz","name":"Fuzz","status":"active","kind":"resource","abstract":false,"type":"Observation","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint","differential":{"element":[{"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"open"} },{"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","min":1,"type":[{"code":"Quantity"}],"constraint":[{"key":"f-1","severity":"error","human":"x","expression":"value > 0"}]}]} }""",
            11 => """{"resourceType":"ValueSet","url":"http://example.org/set","status":"active","compose":{"include":[{"system":"http://loinc.org","concept":[{"code":"8867-4"}],"filter":[{"property":"concept","op":"is-a","value":"x"}]},{"valueSet":["http://example.org/set"]}]} }""",
            12 => """{"resourceType":"SearchParameter","url":"http://example.org/sp","name":"sp","status":"active","description":"x","code":"fuzz","base":["Patient"],"type":"token","expression":"Patient.name.where(use = 'official').family"}""",
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
