using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest;
using FhirIomt.Tests;

namespace FhirIomt.Mapping.Tests;

/// <summary>The built-in mappings of the clouds of wearables and home devices, by what is peculiar about each.</summary>
public sealed class WearableTests
{
    // Valid, and nothing that a reading can be made of: parts of documents, measures without a code of ours, and times that name no moment.
    private static readonly string[] NothingToStore =
    [
        "hk-correlation", "hk-metadata", "hk-workout", "time-frame__1.0", "time-interval", "empty-body", "valid-data-point", "header", "medication-adherence-percent", "reason-single-medication", "breath-carbon",
        "expiratory-time", "inspiratory-time", "rr-interval-only", "blood-pressure__1.0__shouldPass__with-time-frame",
    ];

    [Fact]
    public void Documents_of_Open_mHealth_are_taken_or_refused_as_their_schemas_say()
    {
        var wrong = new List<string>();
        foreach (var path in Directory.GetFiles(SharedData.Require("device-data/openmhealth"), "*.json").Order(StringComparer.Ordinal))
        {
            var file = Path.GetFileName(path);
            var result = Run("openmhealth", File.ReadAllText(path));
            var isTaken = result.Readings.Count > 0 && !result.Issues.Any(issue => issue.Refuses);
            if (file.Contains("__shouldFail__", StringComparison.Ordinal) ? result.Readings.Count > 0
                : result.Issues.Any(issue => issue.Code == "IOMT-0970") || (!isTaken && !Array.Exists(NothingToStore, part => file.Contains(part, StringComparison.Ordinal))))
            {
                wrong.Add(file);
            }
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("nightscout", """{"type":"sgv","sgv":"123","date":1773473051000}""", "99504-3 123 mg/dL")]
    [InlineData("nightscout", """{"type":"sgv","sgv":"5","date":1773473051000}""", "99504-3 absent")]
    [InlineData("nightscout", """{"type":"sgv","sgv":12,"date":1773473051000}""", "99504-3 absent")]
    [InlineData("dexcom", """{"records":[{"recordId":"r","systemTime":"2026-03-14T07:29:11","value":39,"status":"low","unit":"mg/dL"}]}""", "99504-3 <=39 mg/dL")]
    [InlineData("withings", """{"body":{"measuregrps":[{"grpid":1,"attrib":0,"category":1,"date":1773473051,"measures":[{"type":1,"value":81250,"unit":-3}]}]}}""", "29463-7 81.25 kg")]
    [InlineData("ihealth", """{"BODataList":[{"BO":98,"HR":0,"DataID":"d","Note":"","MDate":1773476651,"TimeZone":"+0100"}]}""", "2708-6 98 %")]
    [InlineData("apple-health", """{"Record":{"type":"HKQuantityTypeIdentifierOxygenSaturation","sourceName":"W","unit":"%","startDate":"2026-03-14 08:24:11 +0100","endDate":"2026-03-14 08:24:11 +0100","value":"0.97"}}""", "2708-6 97 %")]
    [InlineData("apple-health", """{"Record":{"type":"HKQuantityTypeIdentifierBloodGlucose","sourceName":"W","unit":"mmol<180.1558800000541>/L","startDate":"2026-03-14 08:24:11 +0100","endDate":"2026-03-14 08:24:11 +0100","value":"5.4"}}""", "14743-9 5.4 mmol/L")]
    public void A_message_gives(string mapping, string body, string told)
    {
        var result = Run(mapping, body);
        Assert.Empty(result.Issues);
        var written = Write(Assert.Single(result.Readings));
        var quantity = written["valueQuantity"];
        Assert.Equal(told, $"{written["code"]!["coding"]![0]!["code"]} {(quantity is null ? "absent" : $"{quantity["comparator"]}{quantity["value"]!.ToJsonString()} {quantity["code"]}")}");
    }

    [Theory]
    [InlineData("withings", """{"status":0,"body":{"measuregrps":[{"grpid":1,"attrib":0,"category":2,"date":1,"measures":[{"type":1,"value":74128,"unit":-3}]}]}}""")]
    [InlineData("ihealth", """{"BPDataList":[],"BPUnit":0}""")]
    public void Goals_and_empty_pages_are_left_out_and_not_kept(string mapping, string body)
    {
        var result = Run(mapping, body);
        Assert.True(result.IsLeftOut);
        Assert.Empty(result.Readings);
    }

    [Fact]
    public void Weights_of_an_uncertain_user_wait()
    {
        var result = Run("withings", """{"body":{"measuregrps":[{"grpid":1,"attrib":1,"category":1,"date":1773473051,"measures":[{"type":1,"value":81250,"unit":-3}]}]}}""");
        Assert.Empty(result.Readings);
        Assert.Equal("IOMT-0972", Assert.Single(result.Issues).Code);
    }

    [Fact]
    public void A_record_sent_again_replaces_itself_and_a_day_that_grows_too()
    {
        Assert.Equal(Id("dexcom", Egv("2026-03-14T07:29:11", 112)), Id("dexcom", Egv("2026-03-14T07:29:12", 115)));
        Assert.Equal(Id("garmin", Day(3600)), Id("garmin", Day(7200)));
        static string Egv(string time, int value) => $$"""{"records":[{"recordId":"r","systemTime":"{{time}}","value":{{value}},"status":"ok","unit":"mg/dL"}]}""";
        static string Day(int seconds) => $$"""{"dailies":[{"startTimeInSeconds":1773442800,"durationInSeconds":{{seconds}},"steps":{{seconds}}}]}""";
    }

    [Fact]
    public void Samples_stand_at_their_offsets_and_gaps_are_no_readings()
    {
        var oura = Run("oura", """{"data":[{"id":"s","heart_rate":{"interval":300,"items":[56,null,54],"timestamp":"2026-03-13T23:00:00Z"}}]}""").Readings;
        Assert.Equal(["23:00:00", "23:10:00"], oura.Select(reading => reading.Start.ToString("HH:mm:ss", null)));
        var garmin = Run("garmin", """{"dailies":[{"startTimeInSeconds":1773442800,"durationInSeconds":86400,"timeOffsetHeartRateSamples":{"15":75,"30":76}}]}""").Readings;
        Assert.Equal([1773442815, 1773442830], garmin.Select(reading => reading.Start.ToUnixTimeSeconds()));
    }

    [Fact]
    public void Clocks_on_the_wall_are_read_in_the_zone_beside_them() => Assert.Equal(
        new DateTimeOffset(2015, 9, 17, 20, 4, 23, TimeSpan.Zero),
        Run("ihealth", """{"BPUnit":0,"BPDataList":[{"HP":120,"LP":90,"HR":0,"DataID":"d","MDate":1442491463,"TimeZone":"-0800"}]}""").Readings[0].Start);

    [Fact]
    public void An_export_of_Apple_Health_is_cut_into_its_entries()
    {
        const string Export = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE HealthData [<!ELEMENT HealthData (Record*)>]>
            <HealthData><ExportDate value="2026"/>
            <Record type="HKQuantityTypeIdentifierBodyMass" sourceName="A &amp; B" unit="kg" startDate="2026-03-14 08:24:11 +0100" endDate="2026-03-14 08:24:11 +0100" value="81.2"><MetadataEntry key="HKWasUserEntered" value="1"/></Record>
            <Correlation type="HKCorrelationTypeIdentifierBloodPressure" sourceName="C" startDate="2026-03-14 08:24:11 +0100" endDate="2026-03-14 08:24:11 +0100">
            <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" unit="mmHg" value="120"/><Record type="HKQuantityTypeIdentifierBloodPressureDiastolic" unit="mmHg" value="80"/></Correlation>
            </HealthData>
            """;
        var entries = new MessageSplitter(new SplitLimits(100_000)).Split(Encoding.UTF8.GetBytes(Export), "application/xml").Require();
        var set = BuiltInMappings.All.Single(mapping => mapping.Name == "apple-health").Set;
        var written = entries.OfType<MessageEntry.Taken>().SelectMany(entry => set.Map(JsonTree.Parse(entry.Reading.Envelope).Require(), new MappingContext(null, default)).Readings).Select(Write).ToList();
        Assert.Equal(["29463-7", "85354-9"], written.Select(resource => (string)resource["code"]!["coding"]![0]!["code"]!));
        Assert.Equal("Entered by hand.", (string)written[0]["note"]![0]!["text"]!);
        Assert.Equal("IOMT-0973", new MessageSplitter(new SplitLimits(100)).Split("<Other/>"u8.ToArray(), "application/xml").Issues[0].Code);
    }

    private static string Id(string mapping, string body)
    {
        var reading = Assert.Single(Run(mapping, body).Readings);
        return reading.SourceKey("p", "d", withFraction: false).ResourceId;
    }

    private static MapResult Run(string name, string body)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();
        return BuiltInMappings.All.Single(mapping => mapping.Name == name).Set.Map(tree, new MappingContext(null, default));
    }

    private static JsonNode Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, default, Amended: false));
        return JsonNode.Parse(buffer.WrittenSpan)!;
    }
}
