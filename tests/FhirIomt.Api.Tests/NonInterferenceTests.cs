using System.Text.RegularExpressions;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>
/// What a patient's token gets depends on that patient's data alone: two servers that hold the same of A and different things of B answer every request alike.
/// Requests are random; the seed is in the message of a failure.
/// </summary>
public sealed partial class NonInterferenceTests
{
    private const int Requests = 400;

    private static readonly string[] Types = ["Observation", "Patient", "Device", "Condition", "Encounter", "List", "DocumentReference", "DeviceMetric", "Binary", "Practitioner", "Group"];
    private static readonly string[] Ids = ["pa", "pb", "oa1", "oa2", "ob1", "ob2", "da", "db", "ma", "mb", "ca", "cb", "la", "lb", "g", "nowhere"];

    [Theory]
    [InlineData("patient/*.cruds")]
    [InlineData("patient/*.rs patient/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs")]
    [InlineData("patient/Observation.rs patient/Patient.r")]
    public async Task What_A_gets_never_depends_on_B(string scopes)
    {
        await using var one = await TestServer.StartAsync();
        await using var other = await TestServer.StartAsync();
        await FillAsync(await one.CallerAsync("system/*.cruds"), "Bexley", labelled: false, readings: 2);
        await FillAsync(await other.CallerAsync("system/*.cruds"), "Zimmer", labelled: true, readings: 5);
        var (first, second) = (one.Caller(scopes, patient: "pa"), other.Caller(scopes, patient: "pa"));
        var seed = Environment.GetEnvironmentVariable("FHIRIOMT_TEST_SEED") is { } given ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture) : Random.Shared.Next();
        var random = new Random(seed);
        for (var number = 0; number < Requests; number++)
        {
            var request = Request(random);
            var (left, right) = (Masked(await request(first), one), Masked(await request(second), other));
            Assert.True(left == right, $"seed {seed}, request {number}:\n{left}\n{right}");
        }
    }

    // The same of A, and of B whatever the server is to have.
    private static async Task FillAsync(FhirCaller all, string family, bool labelled, int readings)
    {
        async Task PutAsync(string type, string id, string members) =>
            Assert.Equal(201, (await all.PutAsync($"{type}/{id}", $$"""{"resourceType":"{{type}}","id":"{{id}}",{{members}} }""")).Status);

        await PutAsync("Patient", "pa", """ "name":[{"family":"Ashton"}],"birthDate":"1980-01-01" """);
        await PutAsync("Patient", "pb", $$""" "name":[{"family":"{{family}}"}],"birthDate":"1990-01-01","link":[{"other":{"reference":"Patient/pa"},"type":"seealso"}] """);
        foreach (var (patient, letter, count) in ((string, string, int)[])[("pa", "a", 2), ("pb", "b", readings)])
        {
            await PutAsync("Device", "d" + letter, $$""" "serialNumber":"{{(letter == "a" ? "Ashton" : family)}}","patient":{"reference":"Patient/{{patient}}"} """);
            await PutAsync("DeviceMetric", "m" + letter, $$""" "type":{"text":"pulse"},"source":{"reference":"Device/d{{letter}}"},"category":"measurement" """);
            await PutAsync("Condition", "c" + letter, $$"""
                "code":{"text":"{{(letter == "a" ? "Ashton" : family)}}"},"subject":{"reference":"Patient/{{patient}}"},"meta":{"tag":[{"system":"urn:t","code":"{{(letter == "a" ? "Ashton" : family)}}"}]},
                "asserter":{"reference":"#dr"},"contained":[{"resourceType":"Practitioner","id":"dr","name":[{"family":"{{(letter == "a" ? "Ashton" : family)}}"}]}]
                """);
            for (var number = 1; number <= count; number++)
            {
                var other = letter == "a" ? "b" : "a";
                var category = number % 2 == 1 ? "vital-signs" : "laboratory";
                var meta = labelled && letter == "b" ? """ "meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},""" : "";
                await PutAsync("Observation", $"o{letter}{number}", $$"""
                    {{meta}} "status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{{category}}"}]}],
                    "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/{{patient}}"},"effectiveDateTime":"2026-02-0{{number}}T10:00:00Z",
                    "performer":[{"reference":"Patient/p{{other}}"}],"device":{"reference":"Device/d{{other}}"},"hasMember":[{"reference":"Observation/o{{other}}1"}],
                    "valueQuantity":{"value":{{(letter == "a" ? 70 : 80 + readings) + number}},"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}
                    """);
            }

            await PutAsync("List", "l" + letter, $$$""" "status":"current","mode":"working","subject":{"reference":"Patient/{{{patient}}}"},"entry":[{"item":{"reference":"Observation/oa1"}},{"item":{"reference":"Observation/ob1"}}] """);
        }

        await PutAsync("Group", "g", $$$""" "type":"person","actual":true,"name":"{{{family}}}","member":[{"entity":{"reference":"Patient/pa"}},{"entity":{"reference":"Patient/pb"}}] """);
    }

    private static Func<FhirCaller, Task<Answer>> Request(Random random)
    {
        string One(params string[] choices) => choices[random.Next(choices.Length)];
        var (type, id) = (One(Types), One(Ids));
        var search = $"{One([.. Types[..8], "Observation", "Observation"])}?{string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Argument(One)))}";
        var body = Given.Observation(One("pa", "pb"), One("vital-signs", "laboratory"), value: $"{random.Next(60, 90)}", id: One("oa1", "ob1", "new"), mrn: "m");
        switch (random.Next(10))
        {
            case 0:
                var read = $"{type}/{id}{One("", "", "/_history", "/_history/1", "/$meta", "/$everything")}";
                return caller => caller.GetAsync(read);
            case 1:
                var history = One("_history", "Observation/_history", "Patient/pb/_history", "Observation/ob1/_history", "Device/_history");
                return caller => caller.GetAsync(history);
            case 2:
                var operation = One("Observation/$lastn?patient=pb", "Observation/$lastn?patient=pa&max=3", "Patient/pa/$everything", "Patient/pb/$everything", "Patient/pa/$everything?_type=Observation,Device", "Patient/pb/Observation", "Observation/$meta", "$meta", "Practitioner?_contained=true&_containedType=contained", "Practitioner?family=Zimmer&_contained=true&_count=1", "Patient/pa/Observation?_include=Observation:performer", "Device/db/Observation");
                return caller => caller.GetAsync(operation);
            case 3:
                var condition = One("identifier=urn:example:obs|m", "patient=pb", "_id=ob1", "code=8867-4&patient=pb");
                return caller => caller.PostAsync("Observation", body.Replace("\"id\":\"", "\"implicitRules\":\"", StringComparison.Ordinal).Replace("\"implicitRules\":\"oa1\",", "", StringComparison.Ordinal).Replace("\"implicitRules\":\"ob1\",", "", StringComparison.Ordinal).Replace("\"implicitRules\":\"new\",", "", StringComparison.Ordinal), ("If-None-Exist", condition));
            case 4:
                var target = System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("id").GetString();
                return caller => caller.PutAsync($"Observation/{target}", body);
            case 5:
                var deleted = One("Observation/ob1", "Observation?patient=pb", "Condition?code:text=Zimmer", "Observation/nowhere");
                return caller => caller.SendAsync(HttpMethod.Delete, deleted, body: null);
            case 6:
                var entries = string.Join(',', Enumerable.Range(0, 3).Select(_ => $$"""{"request":{"method":"GET","url":"{{One(search, $"{One(Types)}/{One(Ids)}", "Patient/pb/$everything")}}"} }"""));
                return caller => caller.PostAsync("", $$"""{"resourceType":"Bundle","type":"batch","entry":[{{entries}}]}""");
            default:
                return caller => caller.GetAsync(search);
        }
    }

    private static string Argument(Func<string[], string> one) => one([
        "patient=pb", "patient=pa,pb", "subject=Patient/pb", "subject:missing=true", "_id=oa1,ob1,ob2", "code=8867-4", "category=laboratory", "category:not=vital-signs", "performer=Patient/pb", "_lastUpdated=ge2000", "_sort=-date",
        "patient.family=Zimmer", "patient.family=Bexley", "subject:Patient.birthdate=gt1985", "device.patient=pb", "has-member.subject=Patient/pb", "_has:Observation:patient:code=8867-4", "_has:Observation:has-member:subject=Patient/pb", "_has:Observation:performer:status=final",
        "_include=*", "_include=Observation:performer", "_include=Observation:has-member", "_include:iterate=Observation:subject", "_revinclude=Observation:has-member", "_revinclude=*:*", "_revinclude=List:item", "_revinclude=Observation:subject",
        "_total=accurate", "_summary=count", "_count=1", "_list=la", "_list=lb", "_filter=subject.family eq Zimmer", "_filter=value-quantity gt 80 or status eq final", "value-quantity=gt80", "_content=Zimmer", "_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
        "_elements=id", "_type=Patient,Observation", "family=Zimmer", "code:text=Zimmer", "source=Device/db", "device=Device/db", "date=ge2026-02-02"]);

    private static string Masked(Answer answer, TestServer server)
    {
        var text = $"{answer.Status} {answer.Header("ETag")} {answer.Body}".Replace(server.Root, "ROOT", StringComparison.Ordinal);
        return Generated().Replace(Cursor().Replace(Time().Replace(text, "TIME"), "_cursor=C"), "ID");
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Time();

    [GeneratedRegex("_cursor=[^\"&]+", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Cursor();

    // Ids that the server makes.
    [GeneratedRegex("[0-9a-z]{20,}", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Generated();
}
