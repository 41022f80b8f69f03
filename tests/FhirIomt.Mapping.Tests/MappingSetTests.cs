using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Tests;

public sealed class MappingSetTests
{
    private const string Fhir = """
        {"templateType":"CollectionFhir","template":[
          {"templateType":"CodeValueFhir","template":{"typeName":"hr","codes":[{"code":"8867-4","system":"http://loinc.org","display":"Heart rate"}],
            "category":[{"codes":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
            "profile":"https://example.org/hr","effective":"dateTime",
            "value":{"valueType":"Quantity","valueName":"hr","unit":"beats/min","system":"http://unitsofmeasure.org","code":"/min"}}}]}
        """;

    private static readonly DateTimeOffset Enqueued = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void An_observation_carries_profile_category_and_effectiveDateTime_when_the_template_says_so()
    {
        var reading = Assert.Single(Map(Device(), """{"hr":78.50,"dev":"d-1","t":"2026-02-01T23:46:01.5+01:00","enc":"e"}""").Readings);
        var written = Write(reading, "e1");
        Assert.Equal(
            """{"resourceType":"Observation","id":"ID","meta":{"profile":["https://example.org/hr"]},"identifier":[{"system":"https://azure.microsoft.com/en-us/services/iomt-fhir-connector/","value":"p.d.hr.20260201224601Z.20260201224601Z"}],"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"},{"system":"https://azure.microsoft.com/en-us/services/iomt-fhir-connector/","code":"hr","display":"hr"}],"text":"hr"},"subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2026-02-01T22:46:01.5Z","issued":"2026-01-02T03:04:05.000Z","valueQuantity":{"value":78.50,"unit":"beats/min","system":"http://unitsofmeasure.org","code":"/min"},"device":{"reference":"Device/d"}}""",
            written.Replace((string)JsonNode.Parse(written)!["id"]!, "ID", StringComparison.Ordinal));
        Assert.Equal("2026-02-01T23:46:01.5+01:00", reading.DeviceTime);
    }

    [Fact]
    public void Two_readings_of_one_second_can_be_told_apart_by_the_fraction()
    {
        var reading = Map(Device(), """{"hr":1,"dev":"d","t":"2026-02-01T22:46:01.25Z"}""").Readings[0];
        Assert.Equal("p.d.hr.20260201224601Z.20260201224601Z", reading.SourceKey("p", "d", withFraction: false).Value);
        Assert.Equal("p.d.hr.20260201224601.2500000Z.20260201224601.2500000Z", reading.SourceKey("p", "d", withFraction: true).Value);
    }

    [Theory]
    [InlineData("78.50", "78.50")]
    [InlineData("1e3", "1e3")]
    [InlineData("\" +007.0 \"", "7.0")]
    [InlineData("\"-.5\"", "-0.5")]
    [InlineData("\"1.\"", "1")]
    public void Digits_are_kept(string sent, string written) =>
        Assert.Contains($"\"value\":{written},", Write(Map(Device(), $$"""{"hr":{{sent}},"dev":"d","t":"2026-02-01T22:46:01Z"}""").Readings[0]), StringComparison.Ordinal);

    [Theory]
    [InlineData("\"78,5\"")]
    [InlineData("\"1,234\"")]
    [InlineData("\"NaN\"")]
    [InlineData("\"1e3\"")]
    [InlineData("\"0x10\"")]
    [InlineData("\"-\"")]
    [InlineData("\".\"")]
    [InlineData("true")]
    [InlineData("1e30")]
    public void What_is_not_a_decimal_is_refused(string sent) => Refused("IOMT-0428", $$"""{"hr":{{sent}},"dev":"d","t":"2026-02-01T22:46:01Z"}""");

    [Theory]
    [InlineData("IOMT-0420", """{"hr":1,"t":"2026-02-01T22:46:01Z"}""")]
    [InlineData("IOMT-0421", """{"hr":1,"dev":" ","t":"2026-02-01T22:46:01Z"}""")]
    [InlineData("IOMT-0422", """{"hr":1,"dev":["d"],"t":"2026-02-01T22:46:01Z"}""")]
    [InlineData("IOMT-0424", """{"hr":1,"dev":"d","t":1549061161}""")]
    [InlineData("IOMT-0424", """{"hr":1,"dev":"d","t":"2026-02-30T22:46:01Z"}""")]
    [InlineData("IOMT-0424", """{"hr":1,"dev":"d","t":"01/02/2026 10:00"}""")]
    [InlineData("IOMT-0425", """{"hr":1,"dev":"d","t":"2026-02-01 22:46:01"}""")]
    public void What_is_missing_or_unreadable_is_refused_with_its_own_code(string code, string body) => Refused(code, body);

    [Fact]
    public void A_message_that_nothing_matches_is_said_so() =>
        Assert.Equal("IOMT-0430", Assert.Single(Map(Device(), """{"zz":1}""").Issues).Code);

    [Theory]
    [InlineData("2026-02-01 12:00:00", "2026-02-01T11:00:00Z", null)]
    [InlineData("2026-07-01T12:00", "2026-07-01T10:00:00Z", null)]
    [InlineData("2026-07-01T12:00:00-05:00", "2026-07-01T17:00:00Z", null)]
    [InlineData("Fri, 01 Feb 2019 22:46:01 GMT", "2019-02-01T22:46:01Z", null)]
    [InlineData("2026-03-29T02:30:00", null, "IOMT-0426")]
    [InlineData("2026-10-25T02:30:00", null, "IOMT-0426")]
    public void A_time_without_zone_is_read_in_the_zone_that_is_declared(string sent, string? instant, string? code)
    {
        var result = Map(Device(extra: "\"timeZone\":\"Europe/Berlin\","), $$"""{"hr":1,"dev":"d","t":"{{sent}}"}""");
        Assert.Equal(code, result.Issues.SingleOrDefault()?.Code);
        Assert.Equal(instant, result.Readings.SingleOrDefault()?.Start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null));
    }

    [Fact]
    public void The_zone_of_the_device_comes_before_that_of_the_mapping()
    {
        var mapping = Load(Device(extra: "\"timeZone\":\"UTC\","));
        var tree = Envelope("""{"hr":1,"dev":"d","t":"2026-02-01 12:00:00"}""");
        var result = mapping.Map(tree, new MappingContext(TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"), Enqueued));
        Assert.Equal(3, result.Readings[0].Start.UtcDateTime.Hour);
    }

    [Fact]
    public void One_bad_element_does_not_cost_its_neighbours()
    {
        var result = Map(Device(), """[{"hr":1,"dev":"d","t":"2026-02-01T22:46:01Z"},{"hr":null,"dev":"d","t":"2026-02-01T22:46:01Z"},{"hr":3,"dev":"d","t":"2026-02-01T22:46:02Z"}]""");
        Assert.Equal(2, result.Readings.Count);
        Assert.Equal("IOMT-0421", Assert.Single(result.Issues).Code);
    }

    [Fact]
    public void All_errors_of_both_texts_are_found_at_once()
    {
        var issues = MappingSet.Load(
            """{"templateType":"CollectionContent","timeZone":"Mars/Base","template":[{"templateType":"JsonPathContent","template":{"typeName":"x","typeMatchExpression":"$..[?(@x","foo":1}}]}"""u8.ToArray(),
            """{"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{"typeName":"x","codes":[],"periodInterval":7,"components":[{"codes":[]}]}}]}"""u8.ToArray()).Issues;
        Assert.Equal(
            ["IOMT-0403", "IOMT-0404", "IOMT-0404", "IOMT-0406", "IOMT-0408", "IOMT-0408", "IOMT-0411"],
            issues.Select(issue => issue.Code).Order(StringComparer.Ordinal));
        Assert.All(issues, issue => Assert.NotNull(issue.Position));
    }

    [Fact]
    public void Names_that_do_not_meet_are_warned_about()
    {
        var loaded = MappingSet.Load(Encoding.UTF8.GetBytes(Device()), Encoding.UTF8.GetBytes(Fhir.Replace("\"valueName\":\"hr\"", "\"valueName\":\"HR\"", StringComparison.Ordinal)));
        Assert.Equal("IOMT-0410", Assert.Single(loaded.Issues).Code);
        Assert.True(loaded.Succeeded);
    }

    [Fact]
    public void The_index_changes_nothing_but_the_time_it_takes()
    {
        string[] matches = ["$..[?(@hr)]", "$..[?(@sys && @dia)]", "$..[?(@a || @b)]", "$..[?(@kind == 'x')]", "$.Body.list[?(@.v > 1)]", "$.Body.*", "$..['p','q']", "$..[?(@Body.deep.er)]", "$..[?(@x || 1 == 1)]"];
        string[] bodies = ["""{"hr":1}""", """{"sys":1}""", """{"sys":1,"dia":2}""", """{"b":1}""", """{"kind":"x"}""", """{"kind":"y"}""", """{"list":[{"v":1},{"v":2}]}""", """{"q":{"hr":1}}""", """{"deep":{"er":1}}""", """{"\u0068r":1}""", "{}", "7"];
        var templates = string.Join(",", Enumerable.Range(0, 70).Select(i => Template("t" + i, matches[i % matches.Length])));
        var device = Encoding.UTF8.GetBytes($$"""{"templateType":"CollectionContent","template":[{{templates}}]}""");
        var indexed = MappingSet.Load(device, null, indexed: true).Require();
        var plain = MappingSet.Load(device, null, indexed: false).Require();
        foreach (var body in bodies)
        {
            Assert.Equal(Types(plain, body), Types(indexed, body));
        }

        static string Template(string name, string match) =>
            $$"""{"templateType":"CalculatedContent","template":{"typeName":"{{name}}","typeMatchExpression":"{{match}}","deviceIdExpression":"$.Properties.dev","timestampExpression":"$.Properties.t","values":[]} }""";

        static List<string> Types(MappingSet mapping, string body)
        {
            var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + ",\"Properties\":{\"dev\":\"d\",\"t\":\"2026-02-01T22:46:01Z\"}}")).Require();
            var matched = 0;
            return [.. mapping.Normalise(tree, new MappingContext(null, Enqueued), new Running.IssueSink(), ref matched).Select(reading => reading.Type)];
        }
    }

    [Fact]
    public void The_index_changes_nothing_for_JMESPath_either()
    {
        string[] matches = ["[Body][?hr]", "to_array(Body)[?sys && dia]", "[Body][?a || b]", "[Body][?kind == 'x'] | @[0]", "Body.list[?v > `1`]", "Body.*", "[Body.p, Body.q]", "Body.deep.er", "Body && Body.none", "[Body][?!hr]", "Body.list[*].v | @", "not_null(Body.hr, Body.sys)", "(Body.list[*].v)", "Body.list[].v", "Body.kind == 'x'"];
        string[] bodies = ["""{"hr":1}""", """{"sys":1}""", """{"sys":1,"dia":2}""", """{"b":1}""", """{"kind":"x"}""", """{"kind":"y"}""", """{"list":[{"v":1},{"v":2}]}""", """{"list":[]}""", """{"deep":{"er":false}}""", """{"\u0068r":1}""", "{}", "7", "false"];
        var templates = string.Join(",", matches.Select((match, index) =>
            $$"""{"templateType":"CalculatedContent","template":{"typeName":"t{{index}}","defaultExpressionLanguage":"JmesPath","typeMatchExpression":"{{match}}","deviceIdExpression":"Properties.dev","timestampExpression":"Properties.t","values":[{"valueName":"v","valueExpression":"to_string(matchedToken)"}]} }"""));
        var device = Encoding.UTF8.GetBytes($$"""{"templateType":"CollectionContent","template":[{{templates}}]}""");
        var indexed = MappingSet.Load(device, null, indexed: true).Require();
        var plain = MappingSet.Load(device, null, indexed: false).Require();
        foreach (var body in bodies)
        {
            var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + ",\"Properties\":{\"dev\":\"d\",\"t\":\"2026-02-01T22:46:01Z\"}}")).Require();
            Assert.Equal(Readings(plain, tree), Readings(indexed, tree));
        }

        static List<string> Readings(MappingSet mapping, JsonTree tree) =>
            [.. mapping.Normalise(tree, new MappingContext(null, Enqueued)).Select(reading => $"{reading.Type} {string.Join(",", reading.Properties)}")];
    }

    private static void Refused(string code, string body)
    {
        var result = Map(Device(), body);
        Assert.Empty(result.Readings);
        Assert.Equal(code, Assert.Single(result.Issues).Code);
    }

    private static string Device(string extra = "") => $$"""
        {"templateType":"CollectionContent",{{extra}}"template":[{"templateType":"JsonPathContent","template":{"typeName":"hr","typeMatchExpression":"$..[?(@hr)]",
          "deviceIdExpression":"$.dev","timestampExpression":"$.t","encounterIdExpression":"$.enc","values":[{"valueName":"hr","valueExpression":"$.hr","required":true}]} }]}
        """;

    private static MappingSet Load(string device) => MappingSet.Load(Encoding.UTF8.GetBytes(device), Encoding.UTF8.GetBytes(Fhir)).Require();

    private static JsonTree Envelope(string body) => JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();

    private static MapResult Map(string device, string body) => Load(device).Map(Envelope(body), new MappingContext(null, Enqueued));

    private static string Write(MappedReading reading, string? encounter = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var key = reading.SourceKey("p", "d", withFraction: false);
        reading.Write(buffer, new ResolvedReading(key, "p", "d", encounter, Enqueued, Amended: false));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
