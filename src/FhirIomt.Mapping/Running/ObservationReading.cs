using System.Buffers;
using System.Globalization;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>One reading that becomes an Observation, in the shape and with the identifier and id that the IoMT connector gives it.</summary>
internal sealed class ObservationReading(ReadingPlan plan, JsonTree tree, int[] values) : MappedReading
{
    private const string SegmentFormat = "yyyyMMddHHmmss'Z'";
    private const string FractionSegmentFormat = "yyyyMMddHHmmss'.'fffffff'Z'";
    private const string ShortTime = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public required string DeviceIdentifierText { get; init; }

    public required string? PatientIdentifierText { get; init; }

    public required string? EncounterIdentifierText { get; init; }

    public required string? CorrelationId { get; init; }

    public required ResourceNode TimeNode { get; init; }

    public required DateTimeOffset Time { get; init; }

    public ReadingPlan Plan => plan;

    public override string Type => plan.Content.TypeName;

    public override string DeviceIdentifier => DeviceIdentifierText;

    public override string? PatientIdentifier => PatientIdentifierText;

    public override string? EncounterIdentifier => EncounterIdentifierText;

    public override string DeviceTime => TimeNode.AsText() ?? "";

    public override DateTimeOffset Start => Time;

    public override DateTimeOffset End => Time;

    public override string ResourceType => "Observation";

    /// <summary>The extracted values by name; an optional one that is not there is not among them.</summary>
    public IEnumerable<(string Name, string Value)> Properties
    {
        get
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (values[i] != ReadingExtractor.Absent)
                {
                    yield return (plan.Content.Values[i].Name, ReadingExtractor.TextOf(tree.NodeAt(values[i])));
                }
            }
        }
    }

    public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction)
    {
        var format = withFraction ? FractionSegmentFormat : SegmentFormat;
        var segment = Time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
        var value = string.Concat(string.Concat(patientId, ".", deviceId, "."), string.Concat(Type, ".", segment), ".", segment);
        return Fhir.SourceKey.OfConnector(value);
    }

    public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved)
    {
        var fhir = plan.Fhir ?? throw new InvalidOperationException("A reading without FHIR template cannot be written.");
        var json = new ResourceOutput(output);
        json.Raw("{\"resourceType\":\"Observation\",\"id\":\""u8);
        json.Text(resolved.Key.ResourceId);
        json.Raw("\","u8);
        json.Raw(fhir.Meta);
        json.Raw("\"identifier\":[{\"system\":\""u8);
        json.Text(resolved.Key.System);
        json.Raw("\",\"value\":\""u8);
        json.Text(resolved.Key.Value);
        json.Raw(resolved.Amended ? "\"}],\"status\":\"amended\","u8 : "\"}],\"status\":\"final\","u8);
        json.Raw(fhir.Category);
        json.Raw(plan.Code);
        WriteReference(json, "\"subject\":{\"reference\":\"Patient/"u8, resolved.PatientId);
        if (resolved.EncounterId is { } encounter)
        {
            WriteReference(json, "\"encounter\":{\"reference\":\"Encounter/"u8, encounter);
        }

        WriteEffective(json, fhir.EffectiveDateTime);
        json.Raw(",\"issued\":\""u8);
        json.Time(resolved.Issued, Instant);
        json.Raw("\","u8);
        if (plan.Value is { } value && TryFind(value, out var node))
        {
            WriteValue(json, value.Value, node);
            json.Raw(","u8);
        }

        json.Raw("\"device\":{\"reference\":\"Device/"u8);
        json.Text(resolved.DeviceId);
        json.Raw("\"}"u8);
        WriteComponents(json, fhir);
        json.Raw("}"u8);
    }

    private static void WriteReference(in ResourceOutput json, ReadOnlySpan<byte> start, string id)
    {
        json.Raw(start);
        json.Text(id);
        json.Raw("\"},"u8);
    }

    private void WriteEffective(in ResourceOutput json, bool dateTime)
    {
        if (dateTime)
        {
            json.Raw("\"effectiveDateTime\":\""u8);
            json.Time(Time, ShortTime);
            json.Raw("\""u8);
            return;
        }

        json.Raw("\"effectivePeriod\":{\"start\":\""u8);
        json.Time(Start, "o");
        json.Raw("\",\"end\":\""u8);
        json.Time(End, "o");
        json.Raw("\"}"u8);
    }

    private void WriteComponents(in ResourceOutput json, FhirTemplate fhir)
    {
        var separator = ",\"component\":["u8;
        for (var i = 0; i < plan.Components.Length; i++)
        {
            if (TryFind(plan.Components[i], out var node))
            {
                json.Raw(separator);
                json.Raw("{"u8);
                json.Raw(fhir.Components[i].Code);
                WriteValue(json, plan.Components[i].Value, node);
                json.Raw("}"u8);
                separator = ","u8;
            }
        }

        if (separator.Length == 1)
        {
            json.Raw("]"u8);
        }
    }

    private static void WriteValue(in ResourceOutput json, FhirValue value, ResourceNode node)
    {
        json.Raw(value.Before);
        if (value.Kind == FhirValueKind.Quantity)
        {
            json.Raw(DecimalText.Of(node));
        }
        else if (value.Kind == FhirValueKind.Text)
        {
            WriteText(json, node);
        }

        json.Raw(value.After);
    }

    private static void WriteText(in ResourceOutput json, ResourceNode node)
    {
        if (node.Kind == NodeKind.String)
        {
            json.Raw(node.RawSpan);
            return;
        }

        json.Raw("\""u8);
        json.Text(ReadingExtractor.TextOf(node));
        json.Raw("\""u8);
    }

    private bool TryFind(BoundValue bound, out ResourceNode node)
    {
        foreach (var source in bound.Sources)
        {
            if (values[source] != ReadingExtractor.Absent)
            {
                node = tree.NodeAt(values[source]);
                return true;
            }
        }

        node = default;
        return false;
    }
}
