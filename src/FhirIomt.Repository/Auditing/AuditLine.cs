using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>A line as it is stored: JSON with names of one letter, 150 to 400 bytes, and 70 for each reading of a line about device messages. What changes here must still read what is stored.</summary>
internal static class AuditLine
{
    // A request line that is longer is one that somebody made to fill the audit.
    private const int LongestText = 4096;

    /// <param name="serverBase">By it an absolute reference to a patient of this server is known.</param>
    public static AuditRow Write(AuditEntry entry, string? serverBase, DateTimeOffset at)
    {
        var patients = PatientsOf(entry, serverBase);
        return new AuditRow(JsonBytes.Of((entry, patients, at), static (writer, line) => Write(writer, line.entry, line.patients, line.at)), patients);
    }

    private static void Write(Utf8JsonWriter writer, AuditEntry entry, IReadOnlyList<string> patients, DateTimeOffset at)
    {
        writer.WriteStartObject();
        writer.WriteString("k"u8, entry.Kind);
        writer.WriteNumber("t"u8, at.ToUnixTimeMilliseconds());
        if (entry.Outcome != AuditOutcome.Success)
        {
            writer.WriteNumber("o"u8, (int)entry.Outcome);
        }

        Text(writer, "i"u8, entry.Issues);
        Text(writer, "c"u8, entry.ClientId);
        Text(writer, "u"u8, entry.UserId);
        Text(writer, "f"u8, entry.FhirUser);
        Text(writer, "r"u8, entry.Role);
        Text(writer, "s"u8, entry.Sender);
        Text(writer, "a"u8, entry.Origin?.Address);
        Text(writer, "x"u8, entry.Origin?.RequestId);
        Text(writer, "h"u8, entry.Token);
        Text(writer, "w"u8, entry.Target ?? TargetOf(entry));
        Text(writer, "q"u8, entry.Request);
        Text(writer, "b"u8, entry.Reason);
        WritePatients(writer, patients, entry.Emergency);
        WriteMade(writer, entry);
        writer.WriteEndObject();
    }

    private static void WritePatients(Utf8JsonWriter writer, IReadOnlyList<string> patients, PatientSet emergency)
    {
        if (patients.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("p"u8);
        foreach (var patient in patients)
        {
            writer.WriteStringValue(patient);
        }

        writer.WriteEndArray();
        if (emergency.Count > 0 && patients.Any(emergency.Contains))
        {
            writer.WriteBoolean("e"u8, value: true);
        }
    }

    private static void WriteMade(Utf8JsonWriter writer, AuditEntry entry)
    {
        if (entry.Made.Count == 0)
        {
            return;
        }

        Text(writer, "g"u8, entry.Mapping);
        Text(writer, "y"u8, entry.Software);
        writer.WriteStartArray("v"u8);
        foreach (var made in entry.Made)
        {
            made.Write(writer);
        }

        writer.WriteEndArray();
    }

    private static List<string> PatientsOf(AuditEntry entry, string? serverBase)
    {
        var patients = new List<string>(entry.Patients.Where(IsId).Distinct(StringComparer.Ordinal));
        foreach (var resource in entry.Resources)
        {
            if (OwnerOf(resource, serverBase) is { } owner && IsId(owner) && !patients.Contains(owner, StringComparer.Ordinal))
            {
                patients.Add(owner);
            }
        }

        return patients;
    }

    private static string? OwnerOf(StoredResource resource, string? serverBase) =>
        resource.Type == "Patient" ? resource.Id
        : resource.IsDeleted || !PatientCompartment.Reaches(resource.Type) ? null
        : Glances.Of(resource, serverBase).Owner;

    // Of one resource the line says which version it was; of many it says the request.
    private static string? TargetOf(AuditEntry entry) => entry.Resources is [var only] && entry.Request is null ? $"{only.Type}/{only.Id}/_history/{only.Version}" : null;

    private static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');

    private static void Text(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            writer.WriteString(name, text.Length <= LongestText ? text : text[..LongestText]);
        }
    }
}
