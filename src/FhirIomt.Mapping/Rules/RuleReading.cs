using System.Buffers;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>
/// One resource that a rule makes of a match. What its template leaves out and the server knows is added: id, identifier, and for Observations status,
/// subject, device, encounter, effective time and issued.
/// </summary>
internal sealed class RuleReading(Rule rule, RuleResource resource, JsonTree message, ResourceNode match, RuleItem? item) : MappedReading
{
    /// <summary>Identifier system of readings that are made by rules.</summary>
    public const string IdentifierSystem = "https://fhiriomt.org/identifiers/reading";

    public required string DeviceText { get; init; }

    public required string? PatientText { get; init; }

    public required string? EncounterText { get; init; }

    public required string TimeText { get; init; }

    /// <summary>What the source itself calls the reading; null where its time is what tells it from others.</summary>
    public required string? KeyText { get; init; }

    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset Until { get; init; }

    public override string Type => rule.Name;

    /// <summary>The resource's name within the rule.</summary>
    public string Name => resource.Name;

    /// <summary>Where its template stands in the mapping.</summary>
    public TextPosition Position => resource.Position;

    public override string DeviceIdentifier => DeviceText;

    public override bool IsOfSender => rule.IsOfSender;

    public override string? PatientIdentifier => PatientText;

    public override string? EncounterIdentifier => EncounterText;

    public override string DeviceTime => TimeText;

    public override DateTimeOffset Start => From;

    public override DateTimeOffset End => Until;

    public override string ResourceType => resource.Type;

    // The moment stands whole in the key, so there is no longer form.
    public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction) => KeyOf(resource, patientId, deviceId);

    /// <summary>What stands in the way of the resource; ids are not known yet.</summary>
    /// <param name="run">The run of the match.</param>
    public Issue? Check(RuleRun run)
    {
        run.Begin(this);
        resource.Body.Check(run);
        return run.Issue;
    }

    public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved)
    {
        var run = new RuleRun(message, match, item) { Resolved = resolved };
        run.Begin(this);
        var body = resource.Body.Evaluate(run);
        using var writer = new Utf8JsonWriter(output, JsonText.Options);
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, resource.Type);
        writer.WriteString("id"u8, resolved.Key.ResourceId);
        WriteIdentifiers(writer, resolved.Key, body, resource.Type is "QuestionnaireResponse" or "Composition" or "Bundle");
        for (var members = body.Items; members.MoveNext();)
        {
            if (members.Name is "resourceType" or "identifier" or "id" || (members.Name == "status" && resolved.Amended && resource.Type == "Observation"))
            {
                continue;
            }

            writer.WritePropertyName(members.Name);
            members.Current.WriteTo(writer);
        }

        if (resource.Type == "Observation")
        {
            WriteObservation(writer, resolved, body);
        }

        writer.WriteEndObject();
    }

    // Three types of R4 have one identifier where all others have a list.
    private static void WriteIdentifiers(Utf8JsonWriter writer, in SourceKey key, JmesValue body, bool isSingle)
    {
        writer.WritePropertyName("identifier"u8);
        if (!isSingle)
        {
            writer.WriteStartArray();
        }

        writer.WriteStartObject();
        writer.WriteString("system"u8, key.System);
        writer.WriteString("value"u8, key.Value);
        writer.WriteEndObject();
        if (isSingle)
        {
            return;
        }

        foreach (var identifier in body.Member(new JmesName("identifier")).Items)
        {
            identifier.WriteTo(writer);
        }

        writer.WriteEndArray();
    }

    private void WriteObservation(Utf8JsonWriter writer, in ResolvedReading resolved, JmesValue body)
    {
        if (resolved.Amended || Lacks(body, "status"))
        {
            writer.WriteString("status"u8, resolved.Amended ? "amended" : "final");
        }

        WriteReference(writer, body, "subject", "Patient/", resolved.PatientId);
        WriteReference(writer, body, "device", "Device/", resolved.DeviceId);
        WriteReference(writer, body, "encounter", "Encounter/", resolved.EncounterId);
        if (Lacks(body, "effectiveDateTime") && Lacks(body, "effectivePeriod") && Lacks(body, "effectiveInstant"))
        {
            WriteEffective(writer);
        }

        if (Lacks(body, "issued"))
        {
            writer.WriteString("issued"u8, resolved.Issued.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private void WriteEffective(Utf8JsonWriter writer)
    {
        if (From == Until)
        {
            writer.WriteString("effectiveDateTime"u8, TimeOf(From));
            return;
        }

        writer.WriteStartObject("effectivePeriod"u8);
        writer.WriteString("start"u8, TimeOf(From));
        writer.WriteString("end"u8, TimeOf(Until));
        writer.WriteEndObject();
    }

    private static void WriteReference(Utf8JsonWriter writer, JmesValue body, string name, string prefix, string? id)
    {
        if (id is not null && Lacks(body, name))
        {
            writer.WriteStartObject(name);
            writer.WriteString("reference"u8, prefix + id);
            writer.WriteEndObject();
        }
    }

    private static bool Lacks(JmesValue body, string name) => body.Member(new JmesName(name)).IsNull;

    private static string TimeOf(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture);

    public (string Type, string Id)? Sibling(string name, string patientId, string deviceId)
    {
        var sibling = rule.Resources.FirstOrDefault(candidate => candidate.Name == name);
        return sibling is null || sibling.When?.Holds(new RuleRun(message, match, item)) == false ? null : (sibling.Type, KeyOf(sibling, patientId, deviceId).ResourceId);
    }

    private SourceKey KeyOf(RuleResource of, string patientId, string deviceId)
    {
        var segment = of.IsStatic ? "" : KeyText is { } key ? "." + key : "." + ObservationJson.Segment(From, withFraction: From.UtcTicks % TimeSpan.TicksPerSecond != 0);
        var value = $"{patientId}.{deviceId}.{rule.Name}.{of.KeyName}{segment}";
        return new SourceKey(IdentifierSystem, value, Fhir.SourceKey.IdOf(IdentifierSystem, value));
    }
}
