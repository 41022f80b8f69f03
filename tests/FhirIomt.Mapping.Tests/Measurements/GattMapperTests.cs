using static FhirIomt.Mapping.Tests.Measurements.MeasurementCase;

namespace FhirIomt.Mapping.Tests.Measurements;

public sealed class GattMapperTests
{
    private const string Received = "2024-05-01T10:00:00+02:00";

    [Fact]
    public void A_heart_rate_is_of_the_moment_it_was_received() =>
        Assert.Equal(["8867-4 8454258 = 85 /min @ 2024-05-01T08:00:00Z"], Told(Gatt(Message("2A37", "0055"))));

    [Fact]
    public void Without_contact_no_heart_rate_is_stored() => Assert.Equal(["IOMT-0569"], IssueCodes(Gatt(Message("2A37", "04FF"))));

    [Fact]
    public void A_blood_pressure_in_kilopascal_is_one_observation_in_millimetres() => Assert.Equal(
        ["85354-9 150020 = 150021 141.8 mm[Hg]; 150022 82.5 mm[Hg]; 150023 119.3 mm[Hg] @ 2024-05-01T08:00:00Z", "8867-4 149546 = 60 /min @ 2024-05-01T08:00:00Z"],
        Told(Gatt(Message("2A35", "15BDF00B009FF03C001200"))));

    [Fact]
    public void A_device_s_clock_runs_in_the_zone_of_the_gateway() =>
        Assert.Equal(["8310-5 188432 = 37.60 Cel @ 2012-12-05T09:50:27Z"], Told(Gatt(Message("2A1C", "06B00E00FEDC070C050B321B04"))));

    [Fact]
    public void Two_clocks_read_at_one_moment_correct_the_device_s()
    {
        var result = Gatt(Message("2A1C", "06B00E00FEDC070C050B321B04", ""","deviceClock":"2012-12-05T12:00:00","deviceClockAt":"2024-05-01T08:00:00Z" """));
        Assert.Equal(["8310-5 188432 = 37.60 Cel @ 2024-05-01T07:50:27Z"], Told(result));
        Assert.Contains("iomt-clock-offset", Resource(result.Readings[0]).GetProperty("extension").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_s_clock_in_no_zone_waits() =>
        Assert.Equal(["IOMT-0566"], IssueCodes(Gatt("""{"deviceId":"d","characteristic":"2A1C","valueHex":"06B00E00FEDC070C050B321B04","receivedAt":"2024-05-01T08:00:00Z"}""")));

    [Fact]
    public void What_is_no_number_has_a_reason() => Assert.Equal(["8310-5 150364 = absent: not-a-number @ 2024-05-01T08:00:00Z"], Told(Gatt(Message("2A1C", "00FFFF7F00"))));

    [Fact]
    public void A_glucose_record_is_coded_by_its_unit_and_has_its_meal()
    {
        var result = Gatt(Message("2A18", "070200E807050107000000003AC011", ""","contextHex":"02020001" """));
        Assert.Equal(["14743-9 160184 = 5.8 mmol/L @ 2024-05-01T05:00:00Z"], Told(result));
        Assert.Equal("8417868", Value(Resource(result.Readings[0]).GetProperty("component")[0]));
    }

    [Fact]
    public void Control_solution_is_nobody_s_blood()
    {
        var result = Gatt(Message("2A18", "020300E807050107050078B04A"));
        Assert.Empty(result.Readings);
        Assert.Equal(["IOMT-0565"], IssueCodes(result));
    }

    [Fact]
    public void Each_record_of_a_glucose_sensor_has_its_own_time() => Assert.Equal(
        ["99504-3 160212 = 120 mg/dL @ 2024-05-01T00:05:00Z", "99504-3 160212 = 120 mg/dL @ 2024-05-01T00:06:00Z"],
        Told(Gatt(Message("2AA7", "06000C10050006000C100600", ""","sessionStart":"2024-05-01T00:00:00Z" """))));

    [Fact]
    public void A_glucose_sensor_without_the_start_of_its_session_waits() => Assert.Equal(["IOMT-0567"], IssueCodes(Gatt(Message("2AA7", "06000C100600"))));

    [Fact]
    public void A_weight_brings_height_and_body_mass_index() => Assert.Equal(
        ["29463-7 188736 = 72.600 kg @ 2024-05-01T04:55:00Z", "39156-5 188752 = 23.7 kg/m2 @ 2024-05-01T04:55:00Z", "8302-2 188740 = 175 cm @ 2024-05-01T04:55:00Z"],
        Told(Gatt(Message("2A9D", "0EB838E807050106370001ED00D606"))));

    [Fact]
    public void The_person_who_shares_the_device_is_told() => Assert.Equal(1, Gatt(Message("2A9D", "0EB838E807050106370001ED00D606")).Readings[0].UserSlot);

    [Theory]
    [InlineData("2A35", "1E8A", "IOMT-0563")]
    [InlineData("2A34", "02020001", "IOMT-0562")]
    [InlineData("2A37", "", "IOMT-0560")]
    [InlineData("zz", "00", "IOMT-0560")]
    public void A_message_that_cannot_be_read_says_why(string characteristic, string hex, string code) => Assert.Equal([code], IssueCodes(Gatt(Message(characteristic, hex))));

    [Fact]
    public void The_key_of_a_reading_is_the_same_when_it_is_sent_again_and_never_holds_its_value()
    {
        var (first, second) = (Gatt(Message("2A9D", "0EB838E807050106370001ED00D606")).Readings[0], Gatt(Message("2A9D", "0E1027E807050106370001ED00D606")).Readings[0]);
        Assert.Equal(first.SourceKey("p", "d", withFraction: false), second.SourceKey("p", "d", withFraction: false));
    }

    private static string Message(string characteristic, string hex, string more = "") =>
        $$"""{"deviceId":"d","characteristic":"{{characteristic}}","valueHex":"{{hex}}","receivedAt":"{{Received}}"{{more}}}""";
}
