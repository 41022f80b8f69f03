using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Measurements;

/// <summary>An alarm as a Flag that is active for as long as the alarm lasts: all messages about one alarm are about one Flag, in whatever order they come.</summary>
internal sealed class AlarmReading(Hl7Alarm alarm) : MappedReading
{
    private const string ShortTime = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Type => "alarm";

    public override string DeviceIdentifier => alarm.DeviceIdentifier;

    public override string? PatientIdentifier => alarm.PatientIdentifier;

    public override string? EncounterIdentifier => null;

    public override string DeviceTime => alarm.TimeText;

    public override DateTimeOffset Start => alarm.At;

    public override DateTimeOffset End => alarm.At;

    public override string ResourceType => "Flag";

    public override bool IsEpisode => true;

    public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction)
    {
        var value = $"alarm.{deviceId}.{patientId}.{alarm.AlarmId}";
        return new SourceKey(MeasurementReading.KeySystem, value, Fhir.SourceKey.IdOf(MeasurementReading.KeySystem, value));
    }

    public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved) =>
        Write(output, resolved, alarm.IsActive, alarm.At, alarm.IsActive ? null : alarm.At);

    public override void Update(ResourceNode stored, in ResolvedReading resolved, IBufferWriter<byte> output)
    {
        var (start, end) = (TimeOf(stored["period"u8]["start"u8]) ?? alarm.At, TimeOf(stored["period"u8]["end"u8]));
        start = alarm.At < start ? alarm.At : start;
        if (!alarm.IsActive)
        {
            end = end > alarm.At ? end : alarm.At;
        }
        else if (end < alarm.At)
        {
            // It went on after all; a message from before its end says nothing new.
            end = null;
        }

        Write(output, resolved, isActive: end is null, start, end);
    }

    private void Write(IBufferWriter<byte> output, in ResolvedReading resolved, bool isActive, DateTimeOffset start, DateTimeOffset? end)
    {
        using var json = new Utf8JsonWriter(output, Relaxed);
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "Flag"u8);
        json.WriteString("id"u8, resolved.Key.ResourceId);
        if (alarm.IsTest)
        {
            json.WriteStartObject("meta"u8);
            json.WriteStartArray("security"u8);
            WriteCoding(json, "http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", display: null);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        WritePriority(json);
        json.WriteStartArray("identifier"u8);
        json.WriteStartObject();
        json.WriteString("system"u8, resolved.Key.System);
        json.WriteString("value"u8, resolved.Key.Value);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("status"u8, isActive ? "active"u8 : "inactive"u8);
        json.WriteStartArray("category"u8);
        json.WriteStartObject();
        WriteCodings(json, "http://terminology.hl7.org/CodeSystem/flag-category", alarm.Kind switch { "ST" => "safety", "SA" => "admin", _ => "clinical" }, null);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("code"u8);
        WriteCodings(json, alarm.Event.System, alarm.Event.Code, alarm.Event.Display);
        json.WriteString("text"u8, Text());
        json.WriteEndObject();
        WriteReference(json, "subject", "Patient/" + resolved.PatientId);
        json.WriteStartObject("period"u8);
        json.WriteString("start"u8, start.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture));
        if (end is { } over)
        {
            json.WriteString("end"u8, over.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture));
        }

        json.WriteEndObject();
        WriteReference(json, "author", "Device/" + resolved.DeviceId);
        json.WriteEndObject();
    }

    // The last thing that was said about it: what it is, where it comes from, the value and its limits.
    private string Text()
    {
        var parts = new[] { alarm.EventText ?? alarm.Event.Display ?? alarm.Event.Code, alarm.Source is { } source ? $"from {source.Display ?? source.Code}" : null, alarm.SourceValue };
        return string.Join(", ", parts.OfType<string>());
    }

    private void WritePriority(Utf8JsonWriter json)
    {
        if (alarm.Priority is not ("PN" or "PL" or "PM" or "PH"))
        {
            return;
        }

        json.WriteStartArray("extension"u8);
        json.WriteStartObject();
        json.WriteString("url"u8, "http://hl7.org/fhir/StructureDefinition/flag-priority"u8);
        json.WriteStartObject("valueCodeableConcept"u8);
        WriteCodings(json, "http://hl7.org/fhir/flag-priority-code", alarm.Priority, null);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static DateTimeOffset? TimeOf(ResourceNode node) =>
        DateTimeOffset.TryParse(node.AsString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUniversalTime() : null;

    private static void WriteCodings(Utf8JsonWriter json, string system, string code, string? display)
    {
        json.WriteStartArray("coding"u8);
        WriteCoding(json, system, code, display);
        json.WriteEndArray();
    }

    private static void WriteCoding(Utf8JsonWriter json, string system, string code, string? display)
    {
        json.WriteStartObject();
        if (system.Length > 0)
        {
            json.WriteString("system"u8, system);
        }

        json.WriteString("code"u8, code);
        if (display is not null)
        {
            json.WriteString("display"u8, display);
        }

        json.WriteEndObject();
    }

    private static void WriteReference(Utf8JsonWriter json, string name, string reference)
    {
        json.WriteStartObject(name);
        json.WriteString("reference"u8, reference);
        json.WriteEndObject();
    }
}
