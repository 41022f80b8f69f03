using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Gatt;
using FhirIomt.Ingest.Hl7;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Measurements;

namespace FhirIomt.Bench;

/// <summary>The decoders of standard formats by themselves, on one thread.</summary>
internal static class DecoderBenchmarks
{
    private const int Observations = 30;

    private static readonly byte[] Pressure = Convert.FromHexString("1E8A00580078000000041114293B3C00012700");
    private static readonly byte[] Rate = Convert.FromHexString("1E5532002100");

    public static void Run(CodeMeter meter)
    {
        meter.Rate("GATT: decode a heart rate", static () => HeartRateMeasurement.TryRead(Rate, out var rate) ? rate.Rate : throw new InvalidOperationException(), "≥ 5,000,000/s");
        meter.Rate("GATT: decode a blood pressure", static () => BloodPressureMeasurement.TryRead(Pressure, out var pressure) ? pressure.Systolic.Mantissa : throw new InvalidOperationException(), "≥ 5,000,000/s");
        var gatt = JsonTree.Parse("""{"Body":{"deviceId":"d","characteristic":"2A35","valueHex":"1E8A00580078000000041114293B3C00012700","receivedAt":"2026-03-14T10:00:00+01:00"}}"""u8.ToArray()).Require();
        var context = new MappingContext(null, DateTimeOffset.UnixEpoch);
        meter.Rate("GATT: map a blood pressure", () => GattMapper.Instance.Map(gatt, context).Readings.Count, null);

        var text = Message();
        meter.Rate("PCD-01 of 30 OBX: cut and map", () => Hl7Message.Parse(text).TryGetValue(out var message, out _) ? Hl7Mapper.Map(message, null).Readings.Count : throw new InvalidOperationException(), "≥ 20,000/s");
    }

    private static string Message()
    {
        var text = new StringBuilder("MSH|^~\\&|GATE^0011223344556677^EUI-64|WARD|||20260314101500+0100||ORU^R01^ORU_R01|M1|P|2.6|||NE|AL||UNICODE UTF-8\rPID|||4711^^^HOSP^MR\rOBR|1|A|B|182777000^monitoring^SCT|||20260314101500+0100\r")
            .Append("OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||AABBCCDDEEFF0011^^AABBCCDDEEFF0011^EUI-64\r");
        for (var number = 2; number <= Observations; number++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"OBX|{number}|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.{number}|97|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20260314101500+0100\r");
        }

        return text.ToString();
    }
}
