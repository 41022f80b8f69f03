using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Core.Units;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping.Measurements;

/// <summary>A measurement as an Observation of our profiles: LOINC and MDC codings side by side, UCUM, device, and where it came from.</summary>
public sealed class MeasurementReading : MappedReading
{
    /// <summary>System of the identifier that is the reading's source key.</summary>
    public const string KeySystem = "https://fhiriomt.org/readings";

    private const string Profiles = "https://fhiriomt.org/profiles/iomt/StructureDefinition/";
    private const string OwnCategories = "https://fhiriomt.org/profiles/iomt/CodeSystem/iomt-observation-category";
    private const string Categories = "http://terminology.hl7.org/CodeSystem/observation-category";
    private const string UcumSystem = "http://unitsofmeasure.org";
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const string ShortTime = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Measurement _measurement;
    private readonly KnownCode? _known;

    public MeasurementReading(Measurement measurement)
    {
        _known = CodeTable.Standard.Find(measurement.Code);
        var value = Converted(measurement.Value, _known);
        _measurement = measurement.Parts.Count > 0
            ? measurement with { Value = value, Parts = [.. measurement.Parts.Select(part => part with { Value = Converted(part.Value, CodeTable.Standard.Find(part.Code))! })] }
            : ReferenceEquals(value, measurement.Value) ? measurement : measurement with { Value = value };
    }

    public override string Type => _known?.Name ?? _measurement.Code.Code;

    public override string DeviceIdentifier => _measurement.DeviceIdentifier;

    public override string? PatientIdentifier => _measurement.PatientIdentifier;

    public override string? EncounterIdentifier => _measurement.EncounterIdentifier;

    public override int? UserSlot => _measurement.UserSlot;

    public override string DeviceTime => _measurement.DeviceTime;

    public override DateTimeOffset Start => _measurement.Start;

    public override DateTimeOffset End => _measurement.End;

    public override string ResourceType => "Observation";

    public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction)
    {
        var start = _measurement.Start.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture);
        var end = _measurement.End == _measurement.Start ? "" : "/" + _measurement.End.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture);
        var value = $"{deviceId}.{patientId}.{_measurement.Code.Code}.{start}{end}{(_measurement.Channel is { } channel ? "." + channel : "")}";
        return new SourceKey(KeySystem, value, Fhir.SourceKey.IdOf(KeySystem, value));
    }

    public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved)
    {
        using var json = new Utf8JsonWriter(output, Relaxed);
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "Observation"u8);
        json.WriteString("id"u8, resolved.Key.ResourceId);
        WriteMeta(json);
        WriteExtensions(json);
        json.WriteStartArray("identifier"u8);
        json.WriteStartObject();
        json.WriteString("system"u8, resolved.Key.System);
        json.WriteString("value"u8, resolved.Key.Value);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("status"u8, resolved.Amended && _measurement.Status == "final" ? "amended" : _measurement.Status);
        WriteCategory(json);
        json.WritePropertyName("code"u8);
        WriteCode(json, _measurement.Code, _measurement.Value, _measurement.CodeText, _measurement.Translations);
        WriteReference(json, "subject", _measurement.IsOfDevice ? "Device/" + resolved.DeviceId : "Patient/" + resolved.PatientId);
        if (resolved.EncounterId is { } encounter)
        {
            WriteReference(json, "encounter", "Encounter/" + encounter);
        }

        WriteTimes(json, resolved.Issued);
        if (_measurement.Value is { } value)
        {
            WriteValue(json, value);
        }

        WriteJudgement(json);
        WriteReference(json, "device", "Device/" + resolved.DeviceId);
        WriteParts(json);
        json.WriteEndObject();
    }

    // Only where a profile wants one unit: everything else keeps the unit and the digits it was sent with.
    private static MeasuredValue? Converted(MeasuredValue? value, KnownCode? known)
    {
        if (value is not MeasuredValue.Quantity { Unit: { } unit } quantity || known?.Convert is not { } wanted || unit == wanted
            || !Ucum.Standard.TryParse(unit, out var from) || !Ucum.Standard.TryParse(wanted, out var to)
            || !decimal.TryParse(quantity.Number, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || from.Convert(number, to) is not { } converted)
        {
            return value;
        }

        // A conversion knows no more than was measured: about one digit more than came in.
        return quantity with { Number = decimal.Round(converted, 1).ToString(CultureInfo.InvariantCulture), Unit = wanted };
    }

    private void WriteMeta(Utf8JsonWriter json)
    {
        if (Profile is null && !_measurement.IsTest)
        {
            return;
        }

        json.WriteStartObject("meta"u8);
        if (Profile is { } profile)
        {
            json.WriteStartArray("profile"u8);
            json.WriteStringValue(Profiles + profile);
            json.WriteEndArray();
        }

        if (_measurement.IsTest)
        {
            json.WriteStartArray("security"u8);
            WriteCoding(json, new CodedConcept("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST"));
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    // What has a vendor's own code only is held to the base of R4; a signal in a unit of the device's own is no ECG in millivolts.
    private string? Profile =>
        _measurement.IsOfDevice ? "iomt-device-health"
        : _measurement.Code.System is not (CodedConcept.Mdc or CodedConcept.Loinc) ? null
        : _known is not { Profile: { } profile } || _known.ComponentOf is not null ? "iomt-observation"
        : _measurement.Value is MeasuredValue.Samples { Unit: var unit } && _known.Units.Count > 0 && !_known.Units.Contains(unit!, StringComparer.Ordinal) ? "iomt-observation"
        : profile;

    private void WriteExtensions(Utf8JsonWriter json)
    {
        json.WriteStartArray("extension"u8);
        if (_measurement.GatewayIdentifier is { } gateway)
        {
            json.WriteStartObject();
            json.WriteString("url"u8, "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice"u8);
            json.WriteStartObject("valueReference"u8);
            json.WriteString("type"u8, "Device"u8);
            json.WriteStartObject("identifier"u8);
            json.WriteString("value"u8, gateway);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (_measurement.DeviceTime.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("url"u8, Profiles + "iomt-source-timestamp");
            json.WriteString("valueString"u8, _measurement.DeviceTime);
            json.WriteEndObject();
        }

        if (_measurement.ClockOffset is { } offset)
        {
            json.WriteStartObject();
            json.WriteString("url"u8, Profiles + "iomt-clock-offset");
            json.WritePropertyName("valueQuantity"u8);
            WriteQuantity(json, new MeasuredValue.Quantity(((decimal)offset.TotalSeconds).ToString(CultureInfo.InvariantCulture), "s"));
            json.WriteEndObject();
        }

        json.WriteStartObject();
        json.WriteString("url"u8, Profiles + "iomt-source-format");
        json.WriteString("valueCode"u8, _measurement.Format);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteCategory(Utf8JsonWriter json)
    {
        var category = _measurement.IsOfDevice ? "device-health" : _known?.Category ?? "procedure";
        json.WriteStartArray("category"u8);
        json.WriteStartObject();
        json.WriteStartArray("coding"u8);
        WriteCoding(json, new CodedConcept(category is "safety" or "device-health" ? OwnCategories : Categories, category));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteCode(Utf8JsonWriter json, CodedConcept code, MeasuredValue? value, string? text, IReadOnlyList<CodedConcept> translations)
    {
        json.WriteStartObject();
        json.WriteStartArray("coding"u8);
        foreach (var loinc in CodeTable.Standard.Find(code)?.LoincFor((value as MeasuredValue.Quantity)?.Unit) ?? [])
        {
            if (code.System != CodedConcept.Loinc || code.Code != loinc)
            {
                WriteCoding(json, new CodedConcept(CodedConcept.Loinc, loinc));
            }
        }

        WriteCoding(json, code);
        foreach (var translation in translations)
        {
            WriteCoding(json, translation);
        }

        json.WriteEndArray();
        if (text is not null)
        {
            json.WriteString("text"u8, text);
        }

        json.WriteEndObject();
    }

    private void WriteTimes(Utf8JsonWriter json, DateTimeOffset issued)
    {
        if (Start == End)
        {
            json.WriteString("effectiveDateTime"u8, Start.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture));
        }
        else
        {
            json.WriteStartObject("effectivePeriod"u8);
            json.WriteString("start"u8, Start.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture));
            json.WriteString("end"u8, End.UtcDateTime.ToString(ShortTime, CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        json.WriteString("issued"u8, issued.UtcDateTime.ToString(Instant, CultureInfo.InvariantCulture));
    }

    private void WriteJudgement(Utf8JsonWriter json)
    {
        if (_measurement.Interpretations.Count > 0)
        {
            json.WriteStartArray("interpretation"u8);
            foreach (var interpretation in _measurement.Interpretations)
            {
                WriteConcept(json, interpretation, text: null);
            }

            json.WriteEndArray();
        }

        if (_measurement.Note is { } note)
        {
            json.WriteStartArray("note"u8);
            json.WriteStartObject();
            json.WriteString("text"u8, note);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        WriteNamed(json, "bodySite", _measurement.BodySite);
        WriteNamed(json, "method", _measurement.Method);
        if (_measurement.Limits is { } limits && _measurement.Value is MeasuredValue.Quantity quantity)
        {
            WriteLimits(json, limits, quantity);
        }
    }

    private static void WriteLimits(Utf8JsonWriter json, (string? Low, string? High) limits, MeasuredValue.Quantity quantity)
    {
        json.WriteStartArray("referenceRange"u8);
        json.WriteStartObject();
        foreach (var (name, limit) in new[] { ("low", limits.Low), ("high", limits.High) })
        {
            if (limit is not null)
            {
                json.WritePropertyName(name);
                WriteQuantity(json, quantity with { Number = limit, Comparator = null });
            }
        }

        json.WriteString("text"u8, "Alarm limits"u8);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteParts(Utf8JsonWriter json)
    {
        if (_measurement.Parts.Count == 0)
        {
            return;
        }

        json.WriteStartArray("component"u8);
        foreach (var part in _measurement.Parts)
        {
            json.WriteStartObject();
            json.WritePropertyName("code"u8);
            WriteCode(json, part.Code, part.Value, text: null, []);
            WriteValue(json, part.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, MeasuredValue value)
    {
        switch (value)
        {
            case MeasuredValue.Quantity quantity:
                json.WritePropertyName("valueQuantity"u8);
                WriteQuantity(json, quantity);
                break;
            case MeasuredValue.Concept concept:
                json.WritePropertyName("valueCodeableConcept"u8);
                WriteConcept(json, concept.Code, concept.Text);
                break;
            case MeasuredValue.PlainText text:
                json.WriteString("valueString"u8, text.Value);
                break;
            case MeasuredValue.Flag flag:
                json.WriteBoolean("valueBoolean"u8, flag.Value);
                break;
            case MeasuredValue.Samples samples:
                WriteSamples(json, samples);
                break;
            case MeasuredValue.Absent absent:
                json.WritePropertyName("dataAbsentReason"u8);
                WriteConcept(json, new CodedConcept("http://terminology.hl7.org/CodeSystem/data-absent-reason", absent.Reason), text: null);
                break;
        }
    }

    private static void WriteSamples(Utf8JsonWriter json, MeasuredValue.Samples samples)
    {
        json.WriteStartObject("valueSampledData"u8);
        json.WritePropertyName("origin"u8);
        WriteQuantity(json, new MeasuredValue.Quantity(samples.Origin, samples.Unit));
        json.WritePropertyName("period"u8);
        json.WriteRawValue(samples.Period, skipInputValidation: true);
        json.WritePropertyName("factor"u8);
        json.WriteRawValue(samples.Factor, skipInputValidation: true);
        json.WriteNumber("dimensions"u8, 1);
        json.WriteString("data"u8, samples.Data);
        json.WriteEndObject();
    }

    private static void WriteQuantity(Utf8JsonWriter json, MeasuredValue.Quantity quantity)
    {
        json.WriteStartObject();
        json.WritePropertyName("value"u8);
        json.WriteRawValue(quantity.Number, skipInputValidation: true);
        if (quantity.Comparator is { } comparator)
        {
            json.WriteString("comparator"u8, comparator);
        }

        if (quantity.Unit is { } unit)
        {
            json.WriteString("unit"u8, quantity.UnitText ?? unit);
            json.WriteString("system"u8, UcumSystem);
            json.WriteString("code"u8, unit);
        }
        else if (quantity.UnitText is { } text)
        {
            json.WriteString("unit"u8, text);
        }

        json.WriteEndObject();
    }

    private static void WriteNamed(Utf8JsonWriter json, string name, CodedConcept? concept)
    {
        if (concept is { } known)
        {
            json.WritePropertyName(name);
            WriteConcept(json, known, text: null);
        }
    }

    private static void WriteConcept(Utf8JsonWriter json, CodedConcept code, string? text)
    {
        json.WriteStartObject();
        if (code.Code.Length > 0)
        {
            json.WriteStartArray("coding"u8);
            WriteCoding(json, code);
            json.WriteEndArray();
        }

        if (text is not null)
        {
            json.WriteString("text"u8, text);
        }

        json.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter json, CodedConcept code)
    {
        json.WriteStartObject();
        if (code.System.Length > 0)
        {
            json.WriteString("system"u8, code.System);
        }

        json.WriteString("code"u8, code.Code);
        if (code.Display is { } display)
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
