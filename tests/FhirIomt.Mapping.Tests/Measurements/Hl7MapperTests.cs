using System.Buffers;
using System.Text;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Hl7;
using FhirIomt.Tests;
using static FhirIomt.Mapping.Tests.Measurements.MeasurementCase;

namespace FhirIomt.Mapping.Tests.Measurements;

public sealed class Hl7MapperTests
{
    private const string Head = "MSH|^~\\&|GATE^0011223344556677^EUI-64|WARD|||20260314101500+0100||ORU^R01^ORU_R01|M1|P|2.6|||NE|AL||UNICODE UTF-8\rPID|||4711^^^HOSP^MR||Doe^J\rOBR|1|A|B|182777000^monitoring^SCT|||20260314101500+0100\r";

    [Fact]
    public void Values_inherit_device_and_time_from_the_tree_and_get_codes_of_both_systems()
    {
        var result = Hl7(Head
            + "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||AABBCCDDEEFF0011^^AABBCCDDEEFF0011^EUI-64\r"
            + "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|90-100||||R\r"
            + "OBX|3|NM|147842^MDC_ECG_HEART_RATE^MDC|1.7.4.1|66|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||20260314101459+0100\r");
        Assert.Equal(["2708-6 59408-5 150456 = 97 % @ 2026-03-14T09:15:00Z", "8867-4 147842 = 66 /min @ 2026-03-14T09:14:59Z"], Told(result));
        Assert.All(result.Readings, reading => Assert.Equal(("AABBCCDDEEFF0011", "4711"), (reading.DeviceIdentifier, reading.PatientIdentifier)));
        Assert.Contains("\"low\":{\"value\":90", Resource(result.Readings[0]).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pressures_of_one_moment_are_one_observation_and_what_is_missing_says_so() => Assert.Equal(
        ["85354-9 150020 = 150021 120 mm[Hg]; 150022 absent: unknown @ 2026-03-14T09:15:00Z"],
        Told(Hl7(Head + "OBX|1|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.1.1|120|266016^MDC_DIM_MMHG^MDC|||||F\r")));

    [Fact]
    public void What_a_monitor_says_of_its_battery_is_about_the_monitor()
    {
        var result = Hl7(Head
            + "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||AABBCCDDEEFF0011^^AABBCCDDEEFF0011^EUI-64\r"
            + "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R\r"
            + "OBX|3|NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|80|262688^MDC_DIM_PERCENT^MDC|||||R|||20260314101430+0100\r"
            + "OBX|4|NM|67976^MDC_ATTR_TIME_BATT_REMAIN^MDC|1.0.0.8|95|264352^MDC_DIM_MIN^MDC|||||R\r"
            + "OBX|5|CWE|67925^MDC_ATTR_POWER_STAT^MDC|1.0.0.9|1^onBattery(1)|||||R\r"
            + "OBX|6|CWE|68220^MDC_TIME_SYNC_PROTOCOL^MDC|1.0.0.10|532234^MDC_TIME_SYNC_NTPV4^MDC||||||R\r");
        Assert.Equal(
            ["2708-6 59408-5 150456 = 97 % @ 2026-03-14T09:15:00Z", "67996 = 80 % @ 2026-03-14T09:14:30Z", "67976 = 95 min @ 2026-03-14T09:15:00Z", "67925 = 1 @ 2026-03-14T09:15:00Z"],
            Told(result));
        Assert.Empty(result.Issues);
        Assert.Equal(["Patient/p", "Device/d", "Device/d", "Device/d"], result.Readings.Select(reading => Resource(reading).GetProperty("subject").GetProperty("reference").GetString()));
        Assert.All(result.Readings, reading => Assert.Equal("AABBCCDDEEFF0011", reading.DeviceIdentifier));
        Assert.All(result.Readings.Skip(1), reading => Assert.EndsWith("/iomt-device-health", Resource(reading).GetProperty("meta").GetProperty("profile")[0].GetString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|130|262688^MDC_DIM_PERCENT^MDC|||||R")]
    [InlineData("NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|80||||||R")]
    [InlineData("NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|full|262688^MDC_DIM_PERCENT^MDC|||||R")]
    [InlineData("NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1.0.0.7|80|262688^MDC_DIM_PERCENT^MDC|||||R|||yesterday")]
    [InlineData("NM|67976^MDC_ATTR_TIME_BATT_REMAIN^MDC|1.0.0.8|95||||||R")]
    public void A_battery_that_cannot_be_read_is_told_of_and_holds_nothing_up(string battery)
    {
        var result = Hl7(Head + "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R\rOBX|2|" + battery + "\r");
        Assert.Equal(["2708-6 59408-5 150456 = 97 % @ 2026-03-14T09:15:00Z"], Told(result));
        Assert.Equal(("IOMT-0559", false), (Assert.Single(result.Issues).Code, result.Issues[0].Refuses));
    }

    [Theory]
    [InlineData("INV", "absent: error")]
    [InlineData("NAV", "absent: temp-unknown")]
    [InlineData("OFF", "absent: not-performed")]
    [InlineData("H", "97 %")]
    public void Flags_say_why_there_is_no_value(string flag, string told) =>
        Assert.Equal([$"2708-6 59408-5 150456 = {told} @ 2026-03-14T09:15:00Z"], Told(Hl7(Head + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC||{flag}|||R\r")));

    [Theory]
    [InlineData("-100", "absent: unknown")]
    [InlineData("", "absent: unknown")]
    [InlineData("97.50", "97.50 %")]
    public void What_a_monitor_writes_for_no_value_is_no_value(string value, string told) =>
        Assert.Equal([$"2708-6 59408-5 150456 = {told} @ 2026-03-14T09:15:00Z"], Told(Hl7(Head + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|{value}|262688^MDC_DIM_PERCENT^MDC|||||R\r")));

    [Fact]
    public void A_comma_is_no_decimal_point() =>
        Assert.Equal(["IOMT-0573"], IssueCodes(Hl7(Head + "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97,5|262688^MDC_DIM_PERCENT^MDC|||||R\r")));

    [Fact]
    public void A_time_without_zone_waits_until_somebody_declares_one()
    {
        var message = Head.Replace("+0100", "", StringComparison.Ordinal) + "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R\r";
        Assert.Equal(["IOMT-0566"], IssueCodes(Hl7(message)));
        Assert.Equal(["2708-6 59408-5 150456 = 97 % @ 2026-03-14T09:15:00Z"], Told(Hl7(message, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"))));
    }

    [Fact]
    public void A_waveform_is_sampled_data_with_the_rate_of_its_facet() => Assert.Equal(
        ["131330 = 2 ms: 1 2 E 4 @ 2026-03-14T09:15:00Z"],
        Told(Hl7(Head.Replace("ORU^R01^ORU_R01", "ORU^W01^ORU_W01", StringComparison.Ordinal)
            + "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.7.6.131330|1^2^^4|262656^MDC_DIM_DIMLESS^MDC\rOBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.7.6.131330.1|500|264608^MDC_DIM_PER_SEC^MDC\r")));

    [Theory]
    [InlineData("99991231235959-1200", "500")]
    [InlineData("00010101000000+1200", "500")]
    [InlineData("20260314101500+0100", "0.0000000000000000000000000001")]
    [InlineData("20260314101500+0100", "79228162514264337593543950335")]
    [InlineData("20260314101500+0100", "-1")]
    public void Times_and_rates_at_the_ends_of_their_types_are_refused_and_no_fault_of_the_server(string at, string rate)
    {
        var result = Hl7(Head.Replace("20260314101500+0100", at, StringComparison.Ordinal).Replace("ORU^R01^ORU_R01", "ORU^W01^ORU_W01", StringComparison.Ordinal)
            + $"OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.7.6.131330|1^2|262656^MDC_DIM_DIMLESS^MDC\rOBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.7.6.131330.1|{rate}|264608^MDC_DIM_PER_SEC^MDC\r");
        Assert.Empty(result.Readings);
        Assert.Single(result.Issues);
    }

    [Fact]
    public void Vital_signs_in_LOINC_are_taken_too() => Assert.Equal(
        ["8867-4 = 71 /min @ 2026-03-14T09:15:00Z", "85354-9 = 8480-6 118 mm[Hg]; 8462-4 76 mm[Hg] @ 2026-03-14T09:15:00Z"],
        Told(Hl7(Head + "OBX|1|NM|8867-4^Heart rate^LN||71|/min^^UCUM|||||F\rOBX|2|NM|8480-6^Sys^LN||118|mm[Hg]^^UCUM|||||F\rOBX|3|NM|8462-4^Dia^LN||76|mm[Hg]^^UCUM|||||F\r")));

    [Fact]
    public void Tests_and_demonstrations_are_marked()
    {
        var result = Hl7(Head.Replace("|P|2.6", "|T|2.6", StringComparison.Ordinal) + "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R\r");
        Assert.Equal("HTEST", Resource(result.Readings[0]).GetProperty("meta").GetProperty("security")[0].GetProperty("code").GetString());
    }

    [Fact]
    public void An_alarm_is_a_flag_from_its_start_to_its_end_whatever_comes_first()
    {
        var (start, end) = (Alarm("20260314101500+0100", "start", "active", "77", ""), Alarm("20260314101800+0100", "end", "inactive", "78", "||||||||||||||||||||||^77&GATE"));
        foreach (var (first, second) in new[] { (start, end), (end, start) })
        {
            var stored = Hl7(first).Readings[0];
            var output = new ArrayBufferWriter<byte>();
            var next = Hl7(second).Readings[0];
            Assert.Equal(stored.SourceKey("p", "d", withFraction: false), next.SourceKey("p", "d", withFraction: false));
            next.Update(Tree(stored).Root, new ResolvedReading(next.SourceKey("p", "d", withFraction: false), "p", "d", null, Now, Amended: false), output);
            var flag = JsonTree.Parse(output.WrittenMemory).Require().Root;
            Assert.Equal("inactive", flag["status"u8].AsString());
            Assert.Equal(("2026-03-14T09:15:00Z", "2026-03-14T09:18:00Z"), (flag["period"u8]["start"u8].AsString(), flag["period"u8]["end"u8].AsString()));
        }
    }

    [Theory]
    [InlineData("a\\T\\b\\F\\\\S\\\\R\\\\E\\", "a&b|^~\\")]
    [InlineData("\\X48\\i\\.br\\x", "Hi\nx")]
    [InlineData("100\\ %", "100\\ %")]
    public void Escapes_are_taken_back(string text, string plain) => Assert.Equal(plain, Hl7Separators.Usual.Unescape(text));

    [Theory]
    [InlineData("20260912120000.0000+0530", "2026-09-12T06:30:00Z")]
    [InlineData("202609121200-0600", "2026-09-12T18:00:00Z")]
    [InlineData("20260912", null)]
    [InlineData("20260912120000+99", null)]
    public void Times_are_read_or_refused(string text, string? expected) => Assert.Equal(
        expected, Hl7Time.TryParse(text, out var time) ? time.Instant(null)?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) : null);

    [Fact]
    public void A_message_in_another_charset_is_read_in_it()
    {
        var bytes = Encoding.Latin1.GetBytes(Head.Replace("UNICODE UTF-8", "8859/1", StringComparison.Ordinal) + "NTE|1||Überwachung\r");
        Assert.Contains("Überwachung", Hl7Message.Decode(bytes).Require(), StringComparison.Ordinal);
    }

    [Fact]
    public void Real_messages_of_many_makers_are_mapped_or_say_what_they_lack()
    {
        var told = new Dictionary<string, (int Readings, string Issues)>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(SharedData.Require("device-data/hl7v2-pcd"), "*.hl7").Order(StringComparer.Ordinal))
        {
            var result = Hl7(Hl7Message.Decode(File.ReadAllBytes(file)).Require());
            told[Path.GetFileNameWithoutExtension(file)] = (result.Readings.Count, string.Join(' ', IssueCodes(result).Distinct()));
            Assert.All(result.Readings, reading => Assert.NotEqual("", Resource(reading).GetProperty("resourceType").GetString()));
            TestContext.Current.TestOutputHelper?.WriteLine($"{Path.GetFileName(file)}: {told[Path.GetFileNameWithoutExtension(file)]}\n  " + string.Join("\n  ", Told(result)));
        }

        Assert.Equal((6, ""), told["mindray_egateway_vitals"]);
        Assert.Equal((6, ""), told["h812_weighing_scale_two_obr"]);
        Assert.Equal((0, "IOMT-0566"), told["monitor_invalid_sentinel_minus100"]);
        Assert.Equal((1, ""), told["pcd04_bbraun_occlusion_start"]);
        Assert.Equal((0, "IOMT-0571"), told["waveform_oru_w01_na"]);
    }

    private static string Alarm(string at, string phase, string state, string number, string parent) =>
        $"MSH|^~\\&|GATE^1^EUI-64||||{at}||ORU^R40^ORU_R40|X|P|2.6\rPID|||4711^^^H^MR\rOBR|1|X^GATE|{number}^GATE|196616^MDC_EVT_ALARM^MDC|||{at}{parent}\r"
        + $"OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196940^MDC_EVT_FLUID_LINE_OCCL^MDC^^^^^^Occlusion|||PH~ST|||F|||{at}||||PUMP1\r"
        + $"OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.0.0.0.3|{phase}||||||F\rOBX|3|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.0.0.0.4|{state}||||||F\r";

    private static JsonTree Tree(MappedReading reading)
    {
        var output = new ArrayBufferWriter<byte>();
        reading.Write(output, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, Now, Amended: false));
        return JsonTree.Parse(output.WrittenMemory.ToArray()).Require();
    }
}
