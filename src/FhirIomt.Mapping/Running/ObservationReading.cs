using System.Buffers;
using System.Globalization;
using System.Text;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>One reading that becomes an Observation, in the shape and with the identifier and id that the IoMT connector gives it.</summary>
internal sealed class ObservationReading(ReadingPlan plan, ResourceNode[] values) : MappedReading, IObservationValues
{
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

    public override object? Window => plan.Fhir is null or { Period: ReadingPeriod.Single } ? null : WindowGroup.Of(this);

    public override bool SharesSecond => plan.Has(ConnectorDefects.SameSecondOverwrites);

    public override bool AbsentStaysAbsent => plan.Has(ConnectorDefects.AbsentStaysAbsent);

    /// <summary>The extracted values by name; an optional one that is not there is not among them.</summary>
    public IEnumerable<(string Name, string Value)> Properties
    {
        get
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (values[i].Exists)
                {
                    yield return (plan.Content.Values[i].Name, ReadingExtractor.TextOf(values[i]));
                }
            }
        }
    }

    public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction)
    {
        var segment = ObservationJson.Segment(Time, withFraction);
        return plan.Fhir?.Period == ReadingPeriod.Correlation
            ? KeyOf(patientId, deviceId, $"{CorrelationId}.{segment}")
            : KeyOf(patientId, deviceId, string.Concat(segment, ".", segment));
    }

    public override SourceKey? WindowKey(string patientId, string deviceId) => Window is WindowGroup window ? KeyOf(patientId, deviceId, window.Segment) : null;

    public override IReadOnlyList<PlacedReading> Place(IReadOnlyList<MappedReading> readings, in ResolvedReading resolved, IWindowShelf shelf) =>
        new ObservationWindow((WindowGroup)Window!, resolved, shelf).Place(readings.Cast<ObservationReading>());

    public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved) => ObservationJson.Write(output, plan, resolved, Time, Time, this);

    /// <summary>The key with this last part: <c>patient.device.type.segment</c>.</summary>
    public SourceKey KeyOf(string patientId, string deviceId, string segment) =>
        Fhir.SourceKey.OfConnector(string.Concat(string.Concat(patientId, ".", deviceId, "."), Type, ".", segment));

    public bool Has(int series) => TryFind(series, out _);

    public void Write(in ResourceOutput json, int series)
    {
        TryFind(series, out var node);
        var value = ValueOf(series);
        json.Raw(value.Before);
        switch (value.Kind)
        {
            case FhirValueKind.Quantity:
                json.Raw(DecimalText.Of(node, plan.Has(ConnectorDefects.CommasIgnored)));
                break;
            case FhirValueKind.Samples:
                json.Text(SampleOf(node));
                break;
            case FhirValueKind.Text:
                WriteText(json, node);
                break;
        }

        json.Raw(value.After);
    }

    /// <summary>The value as a token of a SampledData; null when this reading has none.</summary>
    public string? Sample(int series) => TryFind(series, out var node) ? SampleOf(node) : null;

    /// <summary>The template's value (-1) or component.</summary>
    public FhirValue ValueOf(int series) => series < 0 ? plan.Value!.Value : plan.Components[series].Value;

    private bool TryFind(int series, out ResourceNode node)
    {
        node = default;
        var bound = series >= 0 ? plan.Components[series] : plan.Value;
        foreach (var source in bound?.Sources ?? [])
        {
            if (values[source].Exists)
            {
                node = values[source];
                return true;
            }
        }

        return false;
    }

    // Tokens have no exponents.
    private static string SampleOf(ResourceNode node)
    {
        var digits = DecimalText.Of(node);
        if (digits.IsEmpty)
        {
            return ReadingExtractor.TextOf(node);
        }

        return digits.ContainsAny((byte)'e', (byte)'E')
            ? decimal.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)
            : Encoding.ASCII.GetString(digits);
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
}
