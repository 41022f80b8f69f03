using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// Opens a record that the policy does not cover, in an emergency ("break the glass"): for a person who has just logged in and says why, for one patient, for an
/// hour at most. What was opened stays on record for the patient to see.
/// </summary>
public sealed class EmergencyAccess(IStore store, AccessPolicies policies, IdSource ids, TimeProvider time, AuditLog audit)
{
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    // Who opens a record is to have shown just now that it is them: not a session that somebody left open, nor an app with a refresh token.
    private static readonly TimeSpan RecentLogin = TimeSpan.FromMinutes(5);

    // "test" explains nothing; a sentence does.
    private const int ShortestReason = 10;
    private const int LongestReason = 500;

    public async ValueTask<(EmergencyOpening? Opening, Refusal? Refusal)> OpenAsync(AccessScope scope, string patientId, string? reason, TimeSpan duration, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (scope.User is not { } user || scope.ClientId is not { } client || !policies.For(user.Role).MayOpenInEmergency || scope.Scopes.All(one => one.Context != ScopeContext.User))
        {
            return (null, RepositoryIssues.NoEmergency());
        }

        if (user.AuthenticatedAt is not { } login || now - login > RecentLogin)
        {
            return (null, RepositoryIssues.LoginTooOld(RecentLogin));
        }

        if (reason?.Trim() is not { Length: >= ShortestReason and <= LongestReason } stated)
        {
            return (null, RepositoryIssues.NoReason(ShortestReason, LongestReason));
        }

        if (duration <= TimeSpan.Zero || duration > Longest)
        {
            return (null, RepositoryIssues.BadDuration(Longest));
        }

        if (await store.ReadAsync("Patient", patientId, cancellationToken).ConfigureAwait(false) is not { IsDeleted: false })
        {
            return (null, RepositoryIssues.NotFound());
        }

        var opening = new EmergencyOpening(ids.NewId(), patientId, user.Id, user.FhirUser, client, stated, now, now + duration);
        await store.WriteAsync([new Record(opening, audit, scope)], cancellationToken).ConfigureAwait(false);
        return (opening, null);
    }

    /// <summary>Who opened the patient's record in an emergency, the newest first.</summary>
    public async ValueTask<IReadOnlyList<EmergencyOpening>> OfPatientAsync(string patientId, CancellationToken cancellationToken) =>
        [.. (await store.ListRecordsAsync(RecordKind.EmergencyLog, cancellationToken).ConfigureAwait(false)).Select(EmergencyOpening.Read).Where(opening => opening.PatientId == patientId).OrderByDescending(opening => opening.At)];

    // Both at once: nothing is open that is not on record.
    private sealed class Record(EmergencyOpening opening, AuditLog audit, AccessScope scope) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            transaction.PutRecord(opening.ToRecord(RecordKind.EmergencyAccess, opening.Until));
            transaction.PutRecord(opening.ToRecord(RecordKind.EmergencyLog, expires: null));
            audit.Record(transaction, AuditEntry.Of("emergency", scope) with { Patients = [opening.PatientId], Target = $"Patient/{opening.PatientId}", Reason = opening.Reason });
        }
    }
}
