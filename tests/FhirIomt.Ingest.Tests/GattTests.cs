using System.Globalization;
using System.Text.Json;
using FhirIomt.Ingest.Gatt;
using FhirIomt.Tests;

namespace FhirIomt.Ingest.Tests;

public sealed class GattTests
{
    [Theory]
    [InlineData(0xF014, "2.0")]
    [InlineData(0xE0C8, "2.00")]
    [InlineData(0x0B2E, "-1234")]
    [InlineData(0x100C, "120")]
    [InlineData(0x07FF, "NotANumber")]
    [InlineData(0x07FE, "PositiveInfinity")]
    [InlineData(0x0802, "NegativeInfinity")]
    [InlineData(0x0800, "Unresolved")]
    [InlineData(0x0801, "Reserved")]
    [InlineData(0xF7FF, "204.7")]
    public void A_short_float_keeps_its_decimals_and_knows_what_is_no_number(int bits, string expected) => Assert.Equal(expected, GattNumber.FromSFloat((ushort)bits).ToString());

    [Theory]
    [InlineData(0xFF000173u, "37.1")]
    [InlineData(0xFE000EB0u, "37.60")]
    [InlineData(0x007FFFFFu, "NotANumber")]
    [InlineData(0x007FFFFEu, "PositiveInfinity")]
    [InlineData(0x00800002u, "NegativeInfinity")]
    [InlineData(0x00800000u, "Unresolved")]
    [InlineData(0x7F000001u, "Reserved")]
    public void A_float_keeps_its_decimals_and_knows_what_is_no_number(uint bits, string expected) => Assert.Equal(expected, GattNumber.FromFloat(bits).ToString());

    [Fact]
    public void Every_number_of_16_bits_is_the_mantissa_times_its_power_of_ten()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var number = GattNumber.FromSFloat((ushort)bits);
            if (number.IsFinite)
            {
                Assert.Equal(number.Mantissa * Math.Pow(10, number.Exponent), (double)number.Value, 9);
                Assert.InRange(number.Mantissa, -2048, 2047);
                Assert.InRange(number.Exponent, -8, 7);
            }
        }
    }

    [Fact]
    public void A_value_cut_anywhere_is_refused_and_never_read_past_its_end()
    {
        byte[] pressure = Convert.FromHexString("1E8A00580078000000041114293B3C00012700");
        byte[] glucose = Convert.FromHexString("070200E807050107000000003AC011");
        byte[] weight = Convert.FromHexString("0EB838E807050106370001ED00D606");
        for (var length = 0; length < 20; length++)
        {
            Assert.Equal(length >= pressure.Length, BloodPressureMeasurement.TryRead(pressure.AsSpan(0, Math.Min(length, pressure.Length)), out _));
            Assert.Equal(length >= glucose.Length, GlucoseMeasurement.TryRead(glucose.AsSpan(0, Math.Min(length, glucose.Length)), out _));
            Assert.Equal(length >= weight.Length, WeightMeasurement.TryRead(weight.AsSpan(0, Math.Min(length, weight.Length)), out _));
        }
    }

    [Fact]
    public void A_checksum_that_does_not_fit_is_found()
    {
        byte[] record = [8, 0, 0x78, 0, 5, 0, 0, 0];
        var checksum = ContinuousGlucose.Checksum(record.AsSpan(0, 6));
        (record[6], record[7]) = ((byte)checksum, (byte)(checksum >> 8));
        Assert.Equal(GattFault.None, ContinuousGlucose.TryRead(record, out var read, out var length));
        Assert.Equal((120m, 5, 8), (read.Concentration.Value, read.Offset, length));
        record[2] ^= 1;
        Assert.Equal(GattFault.Checksum, ContinuousGlucose.TryRead(record, out _, out _));
        Assert.Equal(GattFault.Short, ContinuousGlucose.TryRead(record.AsSpan(0, 7), out _, out _));
    }

    [Fact]
    public void A_meter_s_time_is_its_base_time_and_its_offset_and_an_overrun_is_a_fault()
    {
        // 2024-05-01 07:00, moved by -90 minutes.
        Assert.True(GlucoseMeasurement.TryRead(Convert.FromHexString("010100E8070501070000A6FF"), out var moved));
        Assert.Equal(new DateTime(2024, 5, 1, 5, 30, 0, DateTimeKind.Unspecified), moved.MeasuredAt);
        Assert.True(GlucoseMeasurement.TryRead(Convert.FromHexString("010100E8070501070000FF7F"), out var overrun));
        Assert.True(overrun.HasTimeFault);
    }

    [Fact]
    public void A_scale_that_did_not_succeed_yields_no_weight()
    {
        Assert.True(WeightMeasurement.TryRead([0, 0xFF, 0xFF], out var weight));
        Assert.Null(weight.Weight);
    }

    [Fact]
    public void The_published_vectors_decode_as_an_independent_decoder_reads_them()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("device-data/ble/gatt_vectors.json")));
        var failures = new List<string>();
        var count = 0;
        foreach (var vector in file.RootElement.GetProperty("vectors").EnumerateArray())
        {
            count++;
            var (characteristic, hex) = (vector.GetProperty("characteristic").GetString()!, vector.GetProperty("hex").GetString()!);
            foreach (var (name, expected, actual) in Compare(Convert.ToInt32(characteristic[2..], 16), Convert.FromHexString(hex), vector.GetProperty("decoded")))
            {
                if (expected != actual)
                {
                    failures.Add($"{characteristic} {hex} {name}: {actual} instead of {expected}");
                }
            }
        }

        Assert.Equal([], failures);
        Assert.InRange(count, 14, int.MaxValue);
    }

    private static IEnumerable<(string Name, string? Expected, string? Actual)> Compare(int characteristic, byte[] value, JsonElement decoded)
    {
        if (decoded.ValueKind == JsonValueKind.Array)
        {
            var rest = value;
            foreach (var record in decoded.EnumerateArray())
            {
                ContinuousGlucose.TryRead(rest, out var read, out var length);
                rest = rest[length..];
                yield return ("mgdl", Number(record, "mgdl"), Text(read.Concentration));
                yield return ("offset", record.GetProperty("offsetMin").ToString(), $"{read.Offset}");
                yield return ("trend", Number(record, "trend"), Text(read.Trend));
                yield return ("quality", Number(record, "quality"), Text(read.Quality));
            }

            yield break;
        }

        foreach (var (name, actual) in Fields(characteristic, value))
        {
            yield return (name, Number(decoded, name), actual);
        }
    }

    private static List<(string Name, string? Value)> Fields(int characteristic, byte[] value)
    {
        switch (characteristic)
        {
            case 0x2A37:
                HeartRateMeasurement.TryRead(value, out var rate);
                return [("hr", $"{rate.Rate}"), ("sensorContact", rate.HasContact?.ToString()), ("energyKJ", rate.Energy?.ToString(CultureInfo.InvariantCulture)), ("rrMs", rate.Intervals > 0 ? rate.Interval(0).ToString(CultureInfo.InvariantCulture) : null)];
            case 0x2A35:
                BloodPressureMeasurement.TryRead(value, out var pressure);
                return [("sys", Text(pressure.Systolic)), ("dia", Text(pressure.Diastolic)), ("map", Text(pressure.Mean)), ("ts", pressure.Time?.ToString()), ("pulse", Text(pressure.Pulse)), ("user", pressure.User?.ToString(CultureInfo.InvariantCulture)), ("unit", pressure.IsKilopascal ? "kPa" : "mm[Hg]")];
            case 0x2A1C:
                TemperatureMeasurement.TryRead(value, out var temperature);
                return [("value", Text(temperature.Value)), ("ts", temperature.Time?.ToString()), ("unit", temperature.IsFahrenheit ? "[degF]" : "Cel")];
            case 0x2A18:
                GlucoseMeasurement.TryRead(value, out var glucose);
                return [("seq", $"{glucose.Sequence}"), ("baseTime", glucose.BaseTime.ToString()), ("value", Text(glucose.Concentration)), ("type", $"{glucose.Type}"), ("loc", $"{glucose.Location}")];
            case 0x2A9D:
                WeightMeasurement.TryRead(value, out var weight);
                return [("weight", Text(weight.Weight)), ("ts", weight.Time?.ToString()), ("bmi", Text(weight.BodyMassIndex)), ("height", Text(weight.Height))];
            case 0x2A5E:
                PulseOximetry.TryReadSpot(value, out var spot);
                return [("spo2", Text(spot.Saturation)), ("pr", Text(spot.Pulse))];
            case 0x2A5F:
                PulseOximetry.TryReadContinuous(value, out var continuous);
                return [("spo2", Text(continuous.Saturation)), ("pr", Text(continuous.Pulse))];
            default:
                return [];
        }
    }

    // The other decoder writes 1.2E+2 where ours writes 120, and a list where there is one.
    private static string? Number(JsonElement decoded, string name) =>
        !decoded.TryGetProperty(name, out var found) || found.ValueKind == JsonValueKind.Null ? null
        : found.ValueKind == JsonValueKind.Array ? found[0].ToString()
        : found.ToString() == "NaN" ? "NotANumber"
        : decimal.TryParse(found.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && found.ToString().Contains('E', StringComparison.Ordinal) ? decimal.Truncate(number).ToString(CultureInfo.InvariantCulture) : found.ToString();

    private static string? Text(GattNumber? number) => number?.ToString();
}
