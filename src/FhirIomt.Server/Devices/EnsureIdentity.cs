using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>
/// Makes a vendor's Device and its Patient when they are not there, in one transaction. Both ids follow from the vendor and the identifier, as the IoMT
/// connector makes them, so that two messages at once make one device; and each vendor has a name space of its own, so that one vendor's ids never
/// reach another vendor's patients.
/// </summary>
internal sealed class EnsureIdentity(string vendor, PreparedResource patient, string patientId, PreparedResource device, string deviceId) : WriteOperation
{
    /// <summary>Refused when FHIR does not allow one of the ids, as with control characters: a message's ids are whatever its sender wrote.</summary>
    public static Outcome<EnsureIdentity> For(string vendor, string deviceIdentifier, string patientIdentifier, ResourceRepository repository)
    {
        var patientId = PatientId(vendor, patientIdentifier);
        if (!repository.Prepare("Patient", Resource("Patient", PatientSystem(vendor), patientIdentifier, null)).TryGetValue(out var patient, out var issues)
            || !repository.Prepare("Device", Resource("Device", DeviceSystem(vendor), deviceIdentifier, patientId)).TryGetValue(out var device, out issues))
        {
            return Outcome<EnsureIdentity>.Refused(issues);
        }

        return new EnsureIdentity(vendor, patient, patientId, device, IdOf(DeviceSystem(vendor), deviceIdentifier));
    }

    public static string PatientId(string vendor, string identifier) => IdOf(PatientSystem(vendor), identifier);

    public override void Run(IWriteTransaction transaction)
    {
        if (transaction.Find("Patient", patientId) is null)
        {
            transaction.Put(patient, patientId, previous: null);
        }

        if (transaction.Find("Device", deviceId) is null)
        {
            transaction.Put(device, deviceId, previous: null);
            transaction.PutRecord(OwnerRecord(deviceId, vendor));
        }
    }

    public static StoredRecord OwnerRecord(string deviceId, string vendor) =>
        new(RecordKind.DeviceOwner, deviceId, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string>(StringComparer.Ordinal) { ["vendor"] = vendor }));

    private static string DeviceSystem(string vendor) => $"https://fhiriomt.org/vendors/{vendor}/devices";

    private static string PatientSystem(string vendor) => $"https://fhiriomt.org/vendors/{vendor}/patients";

    private static string IdOf(string system, string value) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{system}_{value}")));

    private static JsonTree Resource(string type, string system, string value, string? patientId)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType", type);
            writer.WriteStartArray("identifier");
            writer.WriteStartObject();
            writer.WriteString("system", system);
            writer.WriteString("value", value);
            writer.WriteEndObject();
            writer.WriteEndArray();
            if (patientId is not null)
            {
                writer.WriteStartObject("patient");
                writer.WriteString("reference", $"Patient/{patientId}");
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonTree.Parse(stream.ToArray()).Require();
    }
}
