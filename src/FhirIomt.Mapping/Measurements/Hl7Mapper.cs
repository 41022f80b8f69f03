using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>
/// Readings of HL7 v2 messages: device observations (IHE DEC PCD-01, ORU^R01), waveforms (ORU^W01), vital signs in LOINC, alarms (IHE ACM PCD-04, ORU^R40). The envelope's
/// Body is the message as a text.
/// </summary>
public sealed class Hl7Mapper : IMessageMapper
{
    private Hl7Mapper()
    {
    }

    public static Hl7Mapper Instance { get; } = new();

    public string Version => "hl7v2-1";

    public MapResult Map(JsonTree envelope, MappingContext context)
    {
        if (envelope.Root["Body"u8].AsString() is not { } text)
        {
            return new MapResult([], [MeasurementIssues.Missing("Body", "Send the message as text, with content type application/hl7-v2.")]);
        }

        return Hl7Message.Parse(text).TryGetValue(out var message, out var issues) ? Map(message, context.DeviceTimeZone) : new MapResult([], issues);
    }

    /// <param name="zone">Of times that name none.</param>
    public static MapResult Map(Hl7Message message, TimeZoneInfo? zone)
    {
        var (code, trigger) = message.Type;
        if (code != "ORU" || trigger is not ("R01" or "W01" or "R40" or "R30" or "R31" or "R32" or "R42"))
        {
            return new MapResult([], [MeasurementIssues.UnknownType($"{code}^{trigger}")]);
        }

        var report = new Hl7Report(message, zone);
        return trigger == "R40" ? report.Alarms() : report.Observations();
    }
}
