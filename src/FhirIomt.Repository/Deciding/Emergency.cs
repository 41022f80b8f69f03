using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>The records that somebody has opened in an emergency, while that lasts.</summary>
/// <param name="Until">When the first of them closes; null when there is none.</param>
internal sealed record Emergency(PatientSet Patients, DateTimeOffset? Until)
{
    public static Emergency None { get; } = new(PatientSet.Empty, null);

    public static async ValueTask<Emergency> OfAsync(IStore store, string userId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var patients = new List<string>();
        DateTimeOffset? until = null;
        foreach (var record in await store.ListRecordsAsync(RecordKind.EmergencyAccess, cancellationToken).ConfigureAwait(false))
        {
            var opening = EmergencyOpening.Read(record);
            if (opening.UserId == userId && opening.Until > now)
            {
                patients.Add(opening.PatientId);
                until = until is null || opening.Until < until ? opening.Until : until;
            }
        }

        return patients.Count == 0 ? None : new Emergency(PatientSet.Of(patients), until);
    }
}

/// <summary>That somebody opened a patient's record in an emergency.</summary>
public sealed record EmergencyOpening(string Id, string PatientId, string UserId, string? FhirUser, string ClientId, string Reason, DateTimeOffset At, DateTimeOffset Until)
{
    internal static EmergencyOpening Read(StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        return new EmergencyOpening(
            record.Id, root["patient"u8].AsString()!, root["user"u8].AsString()!, root["fhirUser"u8].AsString(), root["client"u8].AsString()!, root["reason"u8].AsString()!,
            Time(root["at"u8]), Time(root["until"u8]));
    }

    internal StoredRecord ToRecord(string kind, DateTimeOffset? expires) => new(kind, Id, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["patient"] = PatientId,
        ["user"] = UserId,
        ["fhirUser"] = FhirUser,
        ["client"] = ClientId,
        ["reason"] = Reason,
        ["at"] = At.ToString("O"),
        ["until"] = Until.ToString("O"),
    }), expires);

    private static DateTimeOffset Time(ResourceNode node) => DateTimeOffset.Parse(node.AsString()!, System.Globalization.CultureInfo.InvariantCulture);
}
