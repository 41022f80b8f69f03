using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>Something that was done to a patient's record, for the patient to be told.</summary>
/// <param name="Kind">One of <see cref="AuditKind.Codes"/>.</param>
/// <param name="What">The type it was about, or the name of an operation (<c>$everything</c>); null where the line does not say.</param>
/// <param name="Who">A person, an app, a device, or whoever ran a command.</param>
/// <param name="IsEmergency">Done because the record was opened in an emergency, or the opening itself.</param>
/// <param name="Reason">Why it was opened.</param>
public sealed record RecordLook(long Key, DateTimeOffset At, string Kind, string? What, RecordLooker Who, bool IsRefused, bool IsEmergency, string? Reason);

/// <param name="FhirUser">The resource that is the person.</param>
/// <param name="UserId">The account.</param>
/// <param name="Sender">A device or vendor, or the account of the operating system that ran a command.</param>
public sealed record RecordLooker(string? FhirUser, string? UserId, string? ClientId, string? Sender);

/// <summary>Who read or changed one patient's record, from the audit.</summary>
public sealed class RecordLooks(IStore store, AuditLog log)
{
    /// <summary>The newest first.</summary>
    /// <param name="before">Where the page before ended; null for the newest.</param>
    /// <returns>And where the next page begins, or null on the last.</returns>
    public async ValueTask<(IReadOnlyList<RecordLook> Looks, long? Next)> OfPatientAsync(string patientId, long? before, int limit, CancellationToken cancellationToken)
    {
        await log.FlushAsync(cancellationToken).ConfigureAwait(false);
        var lines = await store.ReadAuditAsync(new AuditQuery(0, (before ?? long.MaxValue) - 1, patientId, Descending: true, limit), cancellationToken).ConfigureAwait(false);
        return ([.. lines.Select(Read)], lines.Count == limit ? lines[^1].Key : null);
    }

    private static RecordLook Read(StoredAudit stored)
    {
        var line = JsonTree.Parse(stored.Body).Require().Root;
        var who = new RecordLooker(line["f"u8].AsString(), line["u"u8].AsString(), line["c"u8].AsString(), line["s"u8].AsString());
        var kind = line["k"u8].AsString() ?? "";
        return new RecordLook(stored.Key, AuditKey.TimeOf(stored.Key), kind, What(line), who, line["o"u8].Exists, kind == "emergency" || line["e"u8].Exists, line["b"u8].AsString());
    }

    // Of a request that is "GET /fhir/Patient/1/$everything?…", "GET /fhir/Observation?…" or "GET /fhir/Patient/1/Observation": the last that says what it was about.
    private static string? What(ResourceNode line)
    {
        var request = line["q"u8].AsString()?.Split(' ', 2)[^1].Split('?', '\n')[0];
        var parts = (request ?? line["w"u8].AsString() ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Array.FindLast(parts, part => part.StartsWith('$')) ?? Array.FindLast(parts, part => part.Length > 1 && char.IsAsciiLetterUpper(part[0]) && part.All(char.IsAsciiLetter));
    }
}
