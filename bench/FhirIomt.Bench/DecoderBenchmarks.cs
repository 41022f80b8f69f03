using System.Buffers;
using System.Text;
using System.Xml;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Gatt;
using FhirIomt.Ingest.HealthExport;
using FhirIomt.Ingest.Hl7;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Measurements;

namespace FhirIomt.Bench;

/// <summary>The decoders of standard formats by themselves, on one thread.</summary>
internal static class DecoderBenchmarks
{
    private const int Observations = 30;
    private const int ExportedRecords = 10_000;

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
        RunHealthExport(meter);
    }

    /// <summary>The unit is kilobytes of the text; the floor is a walk over it with the framework's reader.</summary>
    private static void RunHealthExport(CodeMeter meter)
    {
        var export = HealthExport();
        var (size, mapping, context) = (export.Length / 1000, BuiltInMappings.All.Single(one => one.Name == "apple-health").Set, new MappingContext(null, DateTimeOffset.UnixEpoch));
        var floor = meter.Rate("Apple Health export, kB: XmlReader over it (floor)", () => Walk(export), null, items: size);
        meter.Rate("Apple Health export, kB: read into messages", () => Read(export, static _ => 1), "≥ 80,000/s", ("XmlReader", floor), size);
        meter.Rate("Apple Health export, kB: read and mapped to readings", () => Read(export, text => mapping.Map(JsonTree.Parse(text).Require(), context).Readings.Count), "≥ 80,000/s", ("XmlReader", floor), size);
    }

    private static object Read(byte[] export, Func<byte[], int> use)
    {
        using var reader = new HealthExportReader(new MemoryStream(export));
        var (buffer, readings) = (new ArrayBufferWriter<byte>(), 0);
        while (reader.Next(buffer))
        {
            // A message is kept until it is stored, so it has bytes of its own.
            readings += use(buffer.WrittenSpan.ToArray());
            buffer.ResetWrittenCount();
        }

        return readings == ExportedRecords ? readings : throw new InvalidOperationException($"{readings} readings");
    }

    private static object Walk(byte[] export)
    {
        using var xml = XmlReader.Create(new MemoryStream(export), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, IgnoreWhitespace = true });
        var length = 0;
        while (xml.Read())
        {
            while (xml.MoveToNextAttribute())
            {
                length += xml.Value.Length;
            }
        }

        return length;
    }

    // As a watch writes them: half of the bytes are the device's description.
    private static byte[] HealthExport()
    {
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>\n]>\n<HealthData locale=\"en_US\">\n <ExportDate value=\"2026-03-14 10:36:11 +0100\"/>\n");
        var time = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.FromHours(1));
        for (var number = 0; number < ExportedRecords; number++)
        {
            var at = time.AddSeconds(number * 5).ToString("yyyy-MM-dd HH:mm:ss '+0100'", System.Globalization.CultureInfo.InvariantCulture);
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $" <Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"Anna’s Apple Watch\" sourceVersion=\"9.1\" device=\"&lt;&lt;HKDevice: 0x282a45810&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,1, software:9.1&gt;\" unit=\"count/min\" creationDate=\"{at}\" startDate=\"{at}\" endDate=\"{at}\" value=\"{60 + (number % 40)}\">\n  <MetadataEntry key=\"HKMetadataKeyHeartRateMotionContext\" value=\"{number % 3}\"/>\n </Record>\n");
        }

        return Encoding.UTF8.GetBytes(text.Append("</HealthData>\n").ToString());
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
