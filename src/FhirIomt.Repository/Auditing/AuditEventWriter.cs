using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>Writes a stored line as an AuditEvent (IHE BALP): about one patient, as that profile wants it, whatever number the line is about.</summary>
/// <param name="fhirBase">Of this server, with a slash at its end.</param>
internal sealed class AuditEventWriter(string fhirBase)
{
    private const string ObjectRole = "http://terminology.hl7.org/CodeSystem/object-role";
    private const string EntityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    private const string BalpAgents = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes";
    private const string BalpEntities = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

    // A store that did not answer at once: then what happened and when it was recorded are told apart.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    /// <param name="patient">The one of the line's patients that it is about, or null.</param>
    /// <param name="forPatient">For the patient's own eyes: what the request said about others is left out.</param>
    public JsonTree Write(StoredAudit stored, ResourceNode line, string id, string? patient, bool forPatient)
    {
        var kind = AuditKind.Of(line["k"u8].AsString() ?? "");
        var output = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType"u8, "AuditEvent"u8);
            writer.WriteString("id"u8, id);
            Coding(writer, "type", kind.Type);
            writer.WriteStartArray("subtype"u8);
            Coding(writer, null, kind.Subtype);
            writer.WriteEndArray();
            writer.WriteString("action"u8, kind.Action);
            WriteTimes(writer, stored, line);
            writer.WriteString("outcome"u8, line["o"u8].AsText() ?? "0");
            if (line["i"u8].AsString() is { } issues)
            {
                writer.WriteString("outcomeDesc"u8, issues);
            }

            WritePurpose(writer, line);
            WriteAgents(writer, line, kind.Flow);
            writer.WriteStartObject("source"u8);
            Identified(writer, "observer", fhirBase.TrimEnd('/'));
            writer.WriteEndObject();
            WriteEntities(writer, line, patient, forPatient);
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    private static void WriteTimes(Utf8JsonWriter writer, StoredAudit stored, ResourceNode line)
    {
        var recorded = AuditKey.TimeOf(stored.Key);
        var happened = long.TryParse(line["t"u8].AsText(), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? DateTimeOffset.FromUnixTimeMilliseconds(at) : recorded;
        if (recorded - happened > Late)
        {
            writer.WriteStartObject("period"u8);
            writer.WriteString("start"u8, Instant(happened));
            writer.WriteEndObject();
        }

        writer.WriteString("recorded"u8, Instant(recorded));
    }

    private static void WritePurpose(Utf8JsonWriter writer, ResourceNode line)
    {
        var reason = line["b"u8].AsString();
        if (reason is null && !line["e"u8].Exists)
        {
            return;
        }

        writer.WriteStartArray("purposeOfEvent"u8);
        writer.WriteStartObject();
        Codings(writer, new AuditCode("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG"));
        if (reason is not null)
        {
            writer.WriteString("text"u8, reason);
        }

        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private void WriteAgents(Utf8JsonWriter writer, ResourceNode line, AuditFlow flow)
    {
        var hasUser = line["u"u8].Exists;
        writer.WriteStartArray("agent"u8);
        writer.WriteStartObject();
        Concept(writer, "type", flow.Client);
        WriteClient(writer, line["c"u8].AsString() ?? line["s"u8].AsString());
        writer.WriteBoolean("requestor"u8, !hasUser);
        Policy(writer, hasUser ? null : line["h"u8].AsString());
        Network(writer, line["a"u8].AsString() ?? "unknown", "2");
        writer.WriteEndObject();

        writer.WriteStartObject();
        Concept(writer, "type", flow.Server);
        Identified(writer, "who", fhirBase.TrimEnd('/'));
        writer.WriteBoolean("requestor"u8, value: false);
        Network(writer, fhirBase.TrimEnd('/'), "5");
        writer.WriteEndObject();
        if (hasUser)
        {
            WriteUser(writer, line);
        }

        writer.WriteEndArray();
    }

    private static void WriteClient(Utf8JsonWriter writer, string? name)
    {
        if (name is not null && name.StartsWith("device/", StringComparison.Ordinal))
        {
            Reference(writer, "who", "Device/" + name["device/".Length..]);
        }
        else
        {
            Identified(writer, "who", name ?? "unknown");
        }
    }

    private static void WriteUser(Utf8JsonWriter writer, ResourceNode line)
    {
        writer.WriteStartObject();
        Concept(writer, "type", new AuditCode("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"), new AuditCode(BalpAgents, "UserOauthAgent"));
        if (line["r"u8].AsString() is { } role)
        {
            writer.WriteStartArray("role"u8);
            writer.WriteStartObject();
            writer.WriteString("text"u8, role);
            writer.WriteEndObject();
            writer.WriteEndArray();
        }

        if (line["f"u8].AsString() is { } fhirUser)
        {
            Reference(writer, "who", fhirUser);
        }
        else
        {
            Identified(writer, "who", line["u"u8].AsString()!);
        }

        writer.WriteString("altId"u8, line["u"u8].AsString());
        writer.WriteBoolean("requestor"u8, value: true);
        Policy(writer, line["h"u8].AsString());
        writer.WriteEndObject();
    }

    private void WriteEntities(Utf8JsonWriter writer, ResourceNode line, string? patient, bool forPatient)
    {
        writer.WriteStartArray("entity"u8);
        if (patient is not null)
        {
            Entity(writer, "1", "1", () => Reference(writer, "what", "Patient/" + patient));
        }

        if (line["w"u8].AsString() is { } target)
        {
            Entity(writer, "2", "4", () => WriteTarget(writer, target));
        }

        if (line["q"u8].AsString() is { } request)
        {
            var told = forPatient ? WithoutValues(request) : request;
            Entity(writer, "2", "24", () => writer.WriteBase64String("query"u8, Encoding.UTF8.GetBytes(told)));
        }

        if (line["x"u8].AsString() is { } requestId)
        {
            writer.WriteStartObject();
            Identified(writer, "what", requestId);
            Coding(writer, "type", new AuditCode(BalpEntities, "XrequestId"));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    // A resource of this server, or a name that only this server gives: a batch of messages, a command.
    private static void WriteTarget(Utf8JsonWriter writer, string target)
    {
        if (target.Contains('/', StringComparison.Ordinal) && char.IsAsciiLetterUpper(target[0]))
        {
            Reference(writer, "what", target);
        }
        else
        {
            Identified(writer, "what", target);
        }
    }

    // A request may name other patients too: its parameters stay, what they were asked for does not.
    private static string WithoutValues(string request)
    {
        var question = request.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? request : request[..(question + 1)] + string.Join('&', request[(question + 1)..].Split('&').Select(pair => pair.Split('=')[0].Split('\n')[0]));
    }

    private static void Entity(Utf8JsonWriter writer, string type, string role, Action writeWhat)
    {
        writer.WriteStartObject();
        if (role != "24")
        {
            writeWhat();
        }

        Coding(writer, "type", new AuditCode(EntityType, type));
        Coding(writer, "role", new AuditCode(ObjectRole, role));
        if (role == "24")
        {
            writeWhat();
        }

        writer.WriteEndObject();
    }

    private static void Network(Utf8JsonWriter writer, string address, string type)
    {
        writer.WriteStartObject("network"u8);
        writer.WriteString("address"u8, address);
        writer.WriteString("type"u8, type);
        writer.WriteEndObject();
    }

    private static void Policy(Utf8JsonWriter writer, string? token)
    {
        if (token is not null)
        {
            writer.WriteStartArray("policy"u8);
            writer.WriteStringValue(token);
            writer.WriteEndArray();
        }
    }

    private static void Reference(Utf8JsonWriter writer, string name, string reference)
    {
        writer.WriteStartObject(name);
        writer.WriteString("reference"u8, reference);
        writer.WriteEndObject();
    }

    private static void Identified(Utf8JsonWriter writer, string name, string value)
    {
        writer.WriteStartObject(name);
        writer.WriteStartObject("identifier"u8);
        writer.WriteString("value"u8, value);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Concept(Utf8JsonWriter writer, string name, params ReadOnlySpan<AuditCode> codes)
    {
        writer.WriteStartObject(name);
        Codings(writer, codes);
        writer.WriteEndObject();
    }

    private static void Codings(Utf8JsonWriter writer, params ReadOnlySpan<AuditCode> codes)
    {
        writer.WriteStartArray("coding"u8);
        foreach (var code in codes)
        {
            Coding(writer, null, code);
        }

        writer.WriteEndArray();
    }

    private static void Coding(Utf8JsonWriter writer, string? name, AuditCode code)
    {
        if (name is null)
        {
            writer.WriteStartObject();
        }
        else
        {
            writer.WriteStartObject(name);
        }

        writer.WriteString("system"u8, code.System);
        writer.WriteString("code"u8, code.Code);
        writer.WriteEndObject();
    }

    private static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
