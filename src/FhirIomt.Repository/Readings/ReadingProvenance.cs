using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>A line of the audit about messages, told as Provenance: one for each patient, so that nobody reads in it of somebody else's readings.</summary>
internal static class ReadingProvenance
{
    /// <summary>The identifier system of mappings: <c>name/version/hash</c>.</summary>
    public const string MappingSystem = "urn:fhiriomt:mapping";

    /// <summary>The identifier system of what was committed together of a batch of messages: <c>batch-part</c>.</summary>
    public const string MessagesSystem = "urn:fhiriomt:messages";

    /// <summary>The identifier system of those who send, as their credential says: <c>device/17</c>, <c>vendor/acme</c>.</summary>
    public const string SenderSystem = "urn:fhiriomt:sender";

    private const string Prefix = "iomt-";
    private const string AgentTypes = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    private const string Transmitting = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type";

    /// <summary>Whether it is, or would be, one of the server's: nobody writes under such an id. The ids that the server draws have no hyphen.</summary>
    public static bool Owns(string type, string id) => type == "Provenance" && id.StartsWith(Prefix, StringComparison.Ordinal);

    public static string IdOf(long key, int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{key:x}-{number}");

    /// <summary>The line and its part that an id means.</summary>
    public static (long Key, int Number)? Parse(string id)
    {
        var parts = id.StartsWith(Prefix, StringComparison.Ordinal) ? id[Prefix.Length..].Split('-') : [];
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var key)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && IdOf(key, number) == id ? (key, number) : null;
    }

    public static StoredResource Of(long key, int number, ResourceNode line, ReadingsMade made)
    {
        // A target takes about 110 bytes, all else 1,300.
        var output = new ArrayBufferWriter<byte>(1400 + (120 * made.Versions.Count));
        var (id, time) = (IdOf(key, number), AuditKey.TimeOf(key));
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            Write(writer, id, Instant(time), line, made);
        }

        return new StoredResource("Provenance", id, 1, time, output.WrittenMemory);
    }

    private static void Write(Utf8JsonWriter writer, string id, string time, ResourceNode line, ReadingsMade made)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Provenance"u8);
        writer.WriteString("id"u8, id);
        writer.WriteStartObject("meta"u8);
        writer.WriteString("versionId"u8, "1"u8);
        writer.WriteString("lastUpdated"u8, time);
        writer.WriteEndObject();
        writer.WriteStartArray("extension"u8);
        writer.WriteStartObject();
        writer.WriteString("url"u8, ProvenancePatient.Url);
        WriteReference(writer, "valueReference"u8, $"Patient/{made.Patient}");
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartArray("target"u8);
        foreach (var version in made.Versions)
        {
            writer.WriteStartObject();
            writer.WriteString("reference"u8, version);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("recorded"u8, time);
        WriteActivity(writer, made);
        WriteAgents(writer, line, made);
        WriteEntities(writer, line);
        writer.WriteEndObject();
    }

    // A batch that both made and changed readings has no single code for what it did.
    private static void WriteActivity(Utf8JsonWriter writer, ReadingsMade made)
    {
        var created = made.Versions.Count(version => version.EndsWith("/_history/1", StringComparison.Ordinal));
        if (created == 0 || created == made.Versions.Count)
        {
            writer.WriteStartObject("activity"u8);
            WriteCoding(writer, "http://terminology.hl7.org/CodeSystem/v3-DataOperation", created == 0 ? "UPDATE" : "CREATE");
            writer.WriteEndObject();
        }
    }

    private static void WriteAgents(Utf8JsonWriter writer, ResourceNode line, ReadingsMade made)
    {
        writer.WriteStartArray("agent"u8);
        foreach (var device in made.Devices)
        {
            StartAgent(writer, AgentTypes, "author");
            WriteReference(writer, "who"u8, $"Device/{device}");
            writer.WriteEndObject();
        }

        var sender = line["s"u8].AsString() ?? "";
        StartAgent(writer, Transmitting, "transmitter");
        writer.WriteStartObject("who"u8);
        WriteIdentifier(writer, SenderSystem, sender);
        writer.WriteString("display"u8, sender);
        writer.WriteEndObject();
        writer.WriteEndObject();

        StartAgent(writer, AgentTypes, "assembler");
        writer.WriteStartObject("who"u8);
        writer.WriteString("display"u8, line["y"u8].AsString());
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void WriteEntities(Utf8JsonWriter writer, ResourceNode line)
    {
        // The line says "messages" before it.
        var messages = line["w"u8].AsString()?.Split(' ')[^1] ?? "";
        writer.WriteStartArray("entity"u8);
        foreach (var (system, value) in ((string, string?)[])[(MappingSystem, line["g"u8].AsString()), (MessagesSystem, messages)])
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, "source"u8);
            writer.WriteStartObject("what"u8);
            WriteIdentifier(writer, system, value ?? "");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void StartAgent(Utf8JsonWriter writer, string system, string code)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("type"u8);
        WriteCoding(writer, system, code);
        writer.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter writer, string system, string code)
    {
        writer.WriteStartArray("coding"u8);
        writer.WriteStartObject();
        writer.WriteString("system"u8, system);
        writer.WriteString("code"u8, code);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void WriteReference(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string reference)
    {
        writer.WriteStartObject(name);
        writer.WriteString("reference"u8, reference);
        writer.WriteEndObject();
    }

    private static void WriteIdentifier(Utf8JsonWriter writer, string system, string value)
    {
        writer.WriteStartObject("identifier"u8);
        writer.WriteString("system"u8, system);
        writer.WriteString("value"u8, value);
        writer.WriteEndObject();
    }

    private static string Instant(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
