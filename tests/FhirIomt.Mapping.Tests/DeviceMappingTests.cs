using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Tests;

/// <summary>The values that the built-in mappings of home and ward devices make of their messages.</summary>
public sealed class DeviceMappingTests
{
    [Fact]
    public void A_fall_raises_a_flag_and_asks_for_a_page_and_cancelling_it_takes_all_three_back_under_the_same_ids()
    {
        const string Fall = """{"event":"fall","eventId":"f-1","time":"2026-03-14T07:41:12+01:00"}""";
        var raised = Map("fall-detector", Fall);
        var cancelled = Map("fall-detector", Fall.Replace("}", ",\"cancelledAt\":\"2026-03-14T07:41:40+01:00\"}", StringComparison.Ordinal));
        Assert.Equal(raised.Select(one => (string)one["id"]!), cancelled.Select(one => (string)one["id"]!));
        Assert.Equal(["true", "active", "preparation"], [raised[0]["valueBoolean"]!.ToJsonString(), (string)raised[1]["status"]!, (string)raised[2]["status"]!]);
        Assert.Equal(["false", "inactive", "not-done"], [cancelled[0]["valueBoolean"]!.ToJsonString(), (string)cancelled[1]["status"]!, (string)cancelled[2]["status"]!]);
        Assert.Null(raised[1]["period"]!["end"]);
        Assert.Equal("2026-03-14T07:41:40+01:00", (string)cancelled[1]["period"]!["end"]!);
        Assert.Equal("stat", (string)raised[2]["priority"]!);
        Assert.Equal([$"Flag/{raised[1]["id"]}", $"Observation/{raised[0]["id"]}"], raised[2]["about"]!.AsArray().Select(about => (string)about!["reference"]!));
        Assert.NotEqual((string)raised[0]["id"]!, (string)Map("fall-detector", Fall.Replace("f-1", "f-2", StringComparison.Ordinal))[0]["id"]!);
    }

    [Theory]
    [InlineData("""{"start":"2026-03-14T08:00:00Z","samplingRate":500,"leads":[{"name":"aVR","unit":"mV","factor":0.0025,"samples":[1,null,-3]}]}""", "131390", "0 mV", "2", "0.0025", "1 E -3", "2026-03-14T08:00:00.006Z", "iomt-ecg")]
    [InlineData("""{"start":"2026-03-14T08:00:00Z","end":"2026-03-14T08:00:00.012Z","periodMs":4,"leads":[{"name":"v6","unit":"uV","origin":-5.12,"data":"1 2 3"}]}""", "131336", "-5.12 uV", "4", "1", "1 2 3", "2026-03-14T08:00:00.012Z", "iomt-ecg")]
    [InlineData("""{"start":"2026-03-14T08:00:00Z","end":"2026-03-14T08:00:00.012Z","periodMs":4,"leads":[{"name":"MLII","unit":"mV","data":"1 2 3"}]}""", "MLII", "0 mV", "4", "1", "1 2 3", "2026-03-14T08:00:00.012Z", "iomt-observation")]
    [InlineData("""{"start":"2026-03-14T08:00:00Z","end":"2026-03-14T08:00:00.012Z","periodMs":4,"leads":[{"name":"II","unit":"V","data":"1 2 3"}]}""", "131330", "0 V", "4", "1", "1 2 3", "2026-03-14T08:00:00.012Z", "iomt-observation")]
    public void A_lead_keeps_its_samples_with_factor_origin_and_period(string body, string code, string origin, string period, string factor, string data, string end, string profile)
    {
        var written = Assert.Single(Map("ecg", body));
        var lead = Assert.Single(written["component"]!.AsArray())!;
        var sampled = lead["valueSampledData"]!;
        Assert.Equal(code, (string?)lead["code"]!["coding"]?[0]!["code"] ?? (string)lead["code"]!["text"]!);
        Assert.Equal((origin, period, factor, data), ($"{sampled["origin"]!["value"]!.ToJsonString()} {sampled["origin"]!["code"]}", sampled["period"]!.ToJsonString(), sampled["factor"]!.ToJsonString(), (string)sampled["data"]!));
        Assert.Equal(end, (string)written["effectivePeriod"]!["end"]!);
        Assert.EndsWith(profile, (string)written["meta"]!["profile"]![0]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OxygenSaturation", "\"value\":0.97,\"unit\":\"%\"", "97 %")]
    [InlineData("OxygenSaturation", "\"quantity\":{\"value\":97,\"unit\":\"%\"}", "97 %")]
    [InlineData("BodyMass", "\"quantity\":{\"value\":179.5,\"unit\":\"lb\"}", "179.5 [lb_av]")]
    [InlineData("Height", "\"value\":1.81,\"unit\":\"m\"", "181 cm")]
    [InlineData("BloodGlucose", "\"value\":5.6,\"unit\":\"mmol<180.1558800000541>/L\"", "5.6 mmol/L")]
    [InlineData("BloodGlucose", "\"value\":101,\"unit\":\"mg/dL\"", "101 mg/dL")]
    [InlineData("StepCount", "\"value\":0,\"unit\":\"count\"", "0 {steps}")]
    public void A_sample_of_HealthKit_is_read_in_its_unit(string type, string value, string expected)
    {
        foreach (var name in (string[])["quantityType", "sampleType", "type"])
        {
            var written = Assert.Single(Map("healthkit", $$"""{"uuid":"u","{{name}}":"HKQuantityTypeIdentifier{{type}}",{{value}},"startDate":"2026-03-14T08:24:11+01:00","endDate":"2026-03-14T08:24:11+01:00"}"""));
            Assert.Equal(expected, $"{decimal.Parse(written["valueQuantity"]!["value"]!.ToJsonString(), CultureInfo.InvariantCulture):0.###} {written["valueQuantity"]!["code"]}");
        }
    }

    [Theory]
    [InlineData(1, "MedicationAdministration Communication")]
    [InlineData(2, "MedicationAdministration Communication DetectedIssue")]
    public void From_the_second_missed_dose_on_there_is_an_issue(int inARow, string types) => Assert.Equal(types, Types("medication-adherence", $$"""
        {"event":"missed","eventId":"m","scheduledAt":"2026-03-14T08:00:00+01:00","windowEnd":"2026-03-14T09:00:00+01:00","missedInARow":{{inARow}},"medication":{"text":"metoprolol"} }
        """));

    [Theory]
    [InlineData("infusing", null, "in-progress")]
    [InlineData("paused", null, "on-hold")]
    [InlineData("alarm", null, "on-hold")]
    [InlineData("stopped", null, "stopped")]
    [InlineData("standby", "2026-03-14T08:00:00Z", "completed")]
    public void An_infusion_goes_on_as_its_pump_says(string state, string? ended, string status)
    {
        var written = Map("infusion-pump", $$"""
            {"time":"2026-03-14T07:41:12+01:00","pump":{"state":"{{state}}","rateMlPerHour":0,"deliveredMl":31.25},"infusion":{"id":"i","startedAt":"2026-03-14T05:11:12+01:00",{{(ended is null ? "" : $"\"endedAt\":\"{ended}\",")}}"drug":{"text":"noradrenaline"} } }
            """);
        Assert.Equal(state, (string)written[0]["valueCodeableConcept"]!["coding"]![0]!["code"]!);
        Assert.Equal(status, (string)written[1]["status"]!);
        Assert.Equal("31.25", written[1]["dosage"]!["dose"]!["value"]!.ToJsonString());
    }

    [Theory]
    [InlineData(19, "L")]
    [InlineData(20, "N")]
    public void A_low_battery_is_marked_and_is_the_device_s_own(int percent, string interpretation)
    {
        var written = Assert.Single(Map("device-health", $$"""{"time":"2026-03-14T07:41:12+01:00","battery":{"percent":{{percent}} } }"""));
        Assert.Equal(interpretation, (string)written["interpretation"]![0]!["coding"]![0]!["code"]!);
        Assert.Equal("Device/d", (string)written["subject"]!["reference"]!);
    }

    [Fact]
    public void The_answers_of_a_questionnaire_have_one_identifier_and_carry_the_score()
    {
        var written = Map("patient-reported", """{"time":"2026-03-14T20:00:00+01:00","surveyId":"s","instrument":"gad-7","score":4,"answers":[{"linkId":"1","value":4}]}""");
        Assert.Equal(System.Text.Json.JsonValueKind.Object, written[0]["identifier"]!.GetValueKind());
        Assert.Equal("70274-6", (string)written[1]["code"]!["coding"]![0]!["code"]!);
        Assert.Equal($"QuestionnaireResponse/{written[0]["id"]}", (string)written[1]["derivedFrom"]![0]!["reference"]!);
        Assert.Equal("Observation", Types("patient-reported", """{"time":"2026-03-14T20:00:00+01:00","surveyId":"s","instrument":"phq-9","score":0}"""));
    }

    private static string Types(string mapping, string body) => string.Join(' ', Map(mapping, body).Select(one => (string)one["resourceType"]!));

    private static List<JsonNode> Map(string name, string body)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + "}")).Require();
        var result = BuiltInMappings.All.Single(mapping => mapping.Name == name).Set.Map(tree, new MappingContext(null, default));
        Assert.Empty(result.Issues);
        return [.. result.Readings.Select(Write)];
    }

    private static JsonNode Write(MappedReading reading)
    {
        var buffer = new ArrayBufferWriter<byte>();
        reading.Write(buffer, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, default, Amended: false));
        return JsonNode.Parse(buffer.WrittenSpan)!;
    }
}
