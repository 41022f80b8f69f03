using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Linting;

namespace FhirIomt.Mapping.Tests;

/// <summary>Mappings of our own format.</summary>
public sealed class RuleTests
{
    private const string Start = """{"templateType":"FhirIomt","tables":{"t":{"a":"A","*":"other"}},"constants":{"c":"constant"},"conceptMaps":[{"resourceType":"ConceptMap","name":"m","group":[{"target":"urn:t","element":[{"code":"x","target":[{"code":"y","equivalence":"equal"}]}]}]}],"rules":[{"name":"r","match":"$.Body","device":"$.d","time":"$.t","resource":""";

    [Theory]
    [InlineData("""{"resourceType":"Observation","valueString":"{$.s}"}""", "valueString", "\"text\"")]
    [InlineData("""{"resourceType":"Observation","valueInteger":"{$.n}"}""", "valueInteger", "72.50")]
    [InlineData("""{"resourceType":"Observation","note":[{"text":"{#c} {$.s}: {$.n}, {{x}}"}]}""", "note", """[{"text":"constant text: 72.50, {x}"}]""")]
    [InlineData("""{"resourceType":"Observation","note":[{"text":"{$.absent}"}]}""", "note", null)]
    [InlineData("""{"resourceType":"Observation","x":{"$lookup":"t","key":"{$.k}"}}""", "x", "\"A\"")]
    [InlineData("""{"resourceType":"Observation","x":{"$lookup":"t","key":"{$.s}"}}""", "x", "\"other\"")]
    [InlineData("""{"resourceType":"Observation","x":{"$translate":"m","key":"x"}}""", "x", """{"coding":[{"system":"urn:t","code":"y"}]}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$if":"@.n > 70","then":"high","else":"low"}}""", "x", "\"high\"")]
    [InlineData("""{"resourceType":"Observation","x":{"$if":"@.n > 80","then":"high"}}""", "x", null)]
    [InlineData("""{"resourceType":"Observation","x":[{"$each":"$.list[*]","do":{"v":"{item $.v}"}}]}""", "x", """[{"v":1},{"v":2}]""")]
    [InlineData("""{"resourceType":"Observation","x":{"$samples":"$.list[*].v"}}""", "x", "\"1 2\"")]
    [InlineData("""{"resourceType":"Observation","x":"{jmes add(matchedToken.n, `0.5`)}"}""", "x", "73.00")]
    [InlineData("""{"resourceType":"Observation","x":"{message $.Properties.p}"}""", "x", "\"property\"")]
    [InlineData("""{"resourceType":"Observation","subject":{"$reference":"device"}}""", "subject", """{"reference":"Device/d"}""")]
    [InlineData("""{"resourceType":"Observation","valueQuantity":{"$quantity":"{$.f}","unit":"[degF]","to":"Cel","digits":1}}""", "valueQuantity", """{"value":37.0,"unit":"Cel","system":"http://unitsofmeasure.org","code":"Cel"}""")]
    [InlineData("""{"resourceType":"Observation","valueQuantity":{"$quantity":"{$.bad}","unit":"/min","sentinels":{"-1":"error"}}}""", "dataAbsentReason", """{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"error"}]}""")]
    [InlineData("""{"resourceType":"Observation","valueQuantity":{"$quantity":"{$.bad}","unit":"/min","sentinels":{"-1":"error"}}}""", "valueQuantity", null)]
    [InlineData("""{"resourceType":"Observation","valueQuantity":{"$quantity":"{$.n}","unit":"/min","high":60}}""", "interpretation", """[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"H","display":"High"}]}]""")]
    [InlineData("""{"resourceType":"Observation","valueQuantity":{"$quantity":"{$.n}","unit":"/min","high":60}}""", "referenceRange", """[{"high":{"value":60,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}]""")]
    [InlineData("""{"resourceType":"Observation"}""", "effectiveDateTime", "\"2026-01-02T03:04:05.5Z\"")]
    public void A_template_gives(string resource, string member, string? expected)
    {
        var written = Assert.Single(Map(resource));
        Assert.Equal(expected is null ? null : JsonNode.Parse(expected)!.ToJsonString(), written[member]?.ToJsonString());
    }

    [Theory]
    [InlineData("""{"resourceType":"Observation","x":"{$.absent!}"}""", "IOMT-0440")]
    [InlineData("""{"resourceType":"Observation","x":"{$.list[*].v}"}""", "IOMT-0441")]
    [InlineData("""{"resourceType":"Observation","x":"{jmes divide(`1`, `0`)}"}""", "IOMT-0442")]
    [InlineData("""{"resourceType":"Observation","x":{"$translate":"m","key":"{$.s}"}}""", "IOMT-0443")]
    [InlineData("""{"resourceType":"Observation","x":{"$quantity":"{$.s}","unit":"/min"}}""", "IOMT-0444")]
    [InlineData("""{"resourceType":"Observation","x":{"$quantity":"{$.n}","unit":"{$.s}","to":"kg"}}""", "IOMT-0445")]
    public void What_cannot_be_made_is_refused_with_its_own_code(string resource, string code) => Assert.Equal(code, Assert.Single(Run(resource).Issues).Code);

    [Theory]
    [InlineData("""{"resourceType":"Observation","x":"{$.a"}""")]
    [InlineData("""{"resourceType":"Observation","x":"{$..[}"}""")]
    [InlineData("""{"resourceType":"Observation","x":"{#none}"}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$nothing":1}}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$lookup":"none","key":"a"}}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$quantity":1,"unit":"bpm"}}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$if":"@.a ==","then":1}}""")]
    [InlineData("""{"resourceType":"Observation","x":{"$reference":"nobody"}}""")]
    public void What_is_wrong_in_a_rule_is_refused_at_load_with_its_place(string resource)
    {
        var issues = MappingSet.Load(Encoding.UTF8.GetBytes(Start + resource + "}]}"), default).Issues;
        Assert.Equal("IOMT-0450", Assert.Single(issues).Code);
        Assert.NotNull(issues[0].Position);
    }

    [Fact]
    public void Resources_of_one_rule_refer_to_each_other_and_a_static_one_keeps_its_id()
    {
        const string Mapping = """
            {"templateType":"FhirIomt","rules":[{"name":"r","match":"$.Body","device":"$.d","time":"$.t","resources":{
              "one":{"resourceType":"Observation","code":{"text":"1"},"device":{"$reference":"metric"}},
              "metric":{"$key":"device","resourceType":"DeviceMetric","category":"measurement"},
              "never":{"$when":"@.none","resourceType":"Flag"}}}]}
            """;
        var set = MappingSet.Load(Encoding.UTF8.GetBytes(Mapping), default).Require();
        var first = Write(set, """{"d":"d","t":"2026-01-02T03:04:05Z"}""");
        var second = Write(set, """{"d":"d","t":"2026-01-02T03:04:06Z"}""");
        Assert.Equal(["Observation", "DeviceMetric"], first.Select(resource => (string)resource["resourceType"]!));
        Assert.Equal("DeviceMetric/" + (string)first[1]["id"]!, (string)first[0]["device"]!["reference"]!);
        Assert.Equal((string)first[1]["id"]!, (string)second[1]["id"]!);
        Assert.NotEqual((string)first[0]["id"]!, (string)second[0]["id"]!);
    }

    [Fact]
    public void The_example_of_the_documentation_gives_what_it_promises()
    {
        var text = Documented();
        var set = MappingSet.Load(text, default).Require();
        Assert.Empty(MappingLinter.Check(text, null, []));
        var mapped = set.Map(MappingLinter.Envelope(set.Samples[0]), new MappingContext(null, default));
        Assert.Empty(mapped.Issues);
        var resources = mapped.Readings.Select(Write).ToList();
        Assert.Equal(["Observation", "Observation", "DeviceMetric", "Observation", "DeviceMetric", "Flag"], resources.Select(resource => (string)resource["resourceType"]!));
        var (pressure, mean, failed) = (resources[0], resources[1], resources[3]);
        Assert.Equal("120", pressure["component"]![0]!["valueQuantity"]!["value"]!.ToJsonString());
        Assert.Equal("N", (string)pressure["component"]![0]!["interpretation"]![0]!["coding"]![0]!["code"]!);
        Assert.Equal("368208006", (string)pressure["bodySite"]!["coding"]![0]!["code"]!);
        Assert.Equal("Observation/" + (string)pressure["id"]!, (string)mean["derivedFrom"]![0]!["reference"]!);
        Assert.Equal("error", (string)failed["component"]![0]!["dataAbsentReason"]!["coding"]![0]!["code"]!);
        Assert.Equal("Battery at 9 %", (string)resources[5]["code"]!["text"]!);
    }

    internal static byte[] Documented()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "FhirIomt.sln")))
            {
                var page = File.ReadAllText(Path.Combine(directory.FullName, "docs", "mapping.md"));
                var start = page.IndexOf("```json\n", StringComparison.Ordinal) + "```json\n".Length;
                return Encoding.UTF8.GetBytes(page[start..page.IndexOf("```", start, StringComparison.Ordinal)]);
            }
        }

        throw new InvalidOperationException("docs/mapping.md is not above the test.");
    }

    private static MapResult Run(string resource)
    {
        var set = MappingSet.Load(Encoding.UTF8.GetBytes(Start + resource + "}]}"), default).Require();
        var message = """{"Body":{"d":"d","t":"2026-01-02T03:04:05.5Z","s":"text","n":72.50,"k":"a","f":98.6,"bad":-1,"list":[{"v":1},{"v":2}]},"Properties":{"p":"property"}}""";
        return set.Map(JsonTree.Parse(Encoding.UTF8.GetBytes(message)).Require(), new MappingContext(null, default));
    }

    private static List<JsonNode> Map(string resource)
    {
        var result = Run(resource);
        Assert.Empty(result.Issues);
        return [.. result.Readings.Select(Write)];
    }

    private static List<JsonNode> Write(MappingSet set, string body) =>
        [.. set.Map(MappingLinter.Envelope(Encoding.UTF8.GetBytes(body)), new MappingContext(null, default)).Readings.Select(Write)];

    private static JsonNode Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, default, Amended: false));
        return JsonNode.Parse(buffer.WrittenSpan)!;
    }
}
