using FhirIomt.Repository.Deciding;
using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Account;

/// <summary>An app that has, or could have, access.</summary>
/// <param name="Grants">What was allowed to it and still counts.</param>
internal sealed record AccountApp(string ClientId, string Name, IReadOnlyList<Grant> Grants, bool IsRefused);

/// <summary>What the account page shows.</summary>
/// <param name="PatientId">Null for somebody who is no patient: then nothing about sharing is shown.</param>
internal sealed record AccountView(UserAccount User, IReadOnlyList<AccountApp> Apps, string? PatientId)
{
    public bool RefusesEverything { get; init; }

    public bool RefusesMentalHealth { get; init; }

    public IReadOnlyList<EmergencyOpening> Emergencies { get; init; } = [];

    public IReadOnlyList<(string Id, Passkey Passkey)> Passkeys { get; init; } = [];

    /// <summary>Who looked; null for somebody who is no patient.</summary>
    public LooksView? Looks { get; init; }
}

/// <summary>Finds it.</summary>
internal sealed class AccountReader(IStore store, ClientDirectory clients, Sharing sharing, EmergencyAccess emergencies, LooksReader looks, PasskeyDirectory passkeys)
{
    /// <param name="before">Where the shown page of who looked begins; null for the newest.</param>
    public async Task<AccountView> ReadAsync(LoggedIn loggedIn, long? before, CancellationToken cancellationToken)
    {
        var user = loggedIn.User;
        var patient = PatientChoice.OwnOf(user);
        var grants = await GrantsAsync(user, cancellationToken).ConfigureAwait(false);
        var apps = new List<AccountApp>();
        foreach (var client in await clients.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            var own = grants.Where(grant => grant.ClientId == client.ClientId).ToList();
            var isRefused = patient is not null && client.RedirectUris.Count > 0 && await sharing.IsRefusedAsync(patient, Sharing.OfApp(client.ClientId), cancellationToken).ConfigureAwait(false);
            if (own.Count > 0 || isRefused)
            {
                apps.Add(new AccountApp(client.ClientId, client.Name, own, isRefused));
            }
        }

        var view = new AccountView(user, apps, patient) { Passkeys = await passkeys.OfUserAsync(user, cancellationToken).ConfigureAwait(false) };
        return patient is null ? view : view with
        {
            RefusesEverything = await sharing.IsRefusedAsync(patient, Sharing.Everything, cancellationToken).ConfigureAwait(false),
            RefusesMentalHealth = await sharing.IsRefusedAsync(patient, Sharing.MentalHealth, cancellationToken).ConfigureAwait(false),
            Looks = await looks.ReadAsync(patient, before, cancellationToken).ConfigureAwait(false),
            Emergencies = await emergencies.OfPatientAsync(patient, cancellationToken).ConfigureAwait(false),
        };
    }

    private async ValueTask<List<Grant>> GrantsAsync(UserAccount user, CancellationToken cancellationToken)
    {
        var found = new List<Grant>();
        foreach (var grant in (await store.ListRecordsAsync(RecordKind.Grant, cancellationToken).ConfigureAwait(false)).Select(Grant.FromRecord).Where(grant => grant.UserName == user.Name))
        {
            if (grant.IsAlive(user, await store.FindRecordAsync(RecordKind.Session, grant.Session, cancellationToken).ConfigureAwait(false) is not null))
            {
                found.Add(grant);
            }
        }

        return found;
    }
}

/// <summary>Ends all that one person allowed one app.</summary>
internal sealed class EndApp(IReadOnlyList<string> grants, string userName, DateTimeOffset now) : WriteOperation
{
    public override void Run(IWriteTransaction transaction)
    {
        foreach (var id in grants)
        {
            if (transaction.FindRecord(RecordKind.Grant, id) is { } record && Grant.FromRecord(record).UserName == userName)
            {
                Revocations.EndGrant(transaction, id, now);
            }
        }
    }
}
