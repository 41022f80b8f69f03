using FhirIomt.Access.Consents;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Clients;

/// <summary>The registered clients.</summary>
public sealed class ClientDirectory(IStore store, IndexPolicy policy, IdSource ids) : IClientOrganizations
{
    private readonly GenerationCache<HashSet<string>> _origins = new(store, capacity: 1);

    /// <summary>Registers it; a secret is answered here and never again.</summary>
    public async Task<Outcome<(ClientRegistration Client, string? Secret)>> AddAsync(NewClient client, CancellationToken cancellationToken)
    {
        if (!client.Check(ids.NewId(), policy).TryGetValue(out var registration, out var issues))
        {
            return Outcome<(ClientRegistration, string?)>.Refused(issues);
        }

        if (client.Organization is { } organization && !await IsOrganizationAsync(organization, cancellationToken).ConfigureAwait(false))
        {
            return SmartIssues.NoSuchOrganization(organization);
        }

        var secret = registration.Type == ClientType.Secret ? ids.NewSecret() : null;
        registration = registration with { SecretHash = secret is null ? null : Secrets.Hash(secret) };
        await store.WriteAsync([new Change([registration.ToRecord()])], cancellationToken).ConfigureAwait(false);
        return (registration, secret);
    }

    /// <summary>Whether nothing is wrong with it.</summary>
    public bool CanRegister(NewClient client) => client.Check("", policy).Succeeded;

    /// <summary>
    /// An app that belongs to the server itself: registered under an id that its pages know, and again when the server's address has changed. One that was disabled
    /// stays so.
    /// </summary>
    public async Task EnsureAsync(string clientId, NewClient client, CancellationToken cancellationToken)
    {
        var wanted = client.Check(clientId, policy).Require();
        var update = new Update(RecordKind.Client, clientId, record =>
        {
            var known = record is null ? null : ClientRegistration.FromRecord(record);
            var registration = wanted with { IsDisabled = known?.IsDisabled == true };
            return record is not null && registration.ToRecord().Body.Span.SequenceEqual(record.Body.Span) ? null : registration.ToRecord();
        });
        await store.WriteAsync([update], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<ClientRegistration>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListRecordsAsync(RecordKind.Client, cancellationToken).ConfigureAwait(false)).Select(ClientRegistration.FromRecord)];

    /// <summary>The client, also when it is disabled.</summary>
    public async ValueTask<ClientRegistration?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        IsId(clientId) && await store.FindRecordAsync(RecordKind.Client, clientId, cancellationToken).ConfigureAwait(false) is { } record ? ClientRegistration.FromRecord(record) : null;

    internal async ValueTask<ClientRegistration?> FindEnabledAsync(string clientId, CancellationToken cancellationToken) =>
        await FindAsync(clientId, cancellationToken).ConfigureAwait(false) is { IsDisabled: false } client ? client : null;

    /// <summary>Nothing that it was given works while it is disabled, and all of it afterwards.</summary>
    public async Task<Issue?> DisableAsync(string clientId, bool disabled, CancellationToken cancellationToken) =>
        await UpdateAsync(clientId, client => client with { IsDisabled = disabled }, cancellationToken).ConfigureAwait(false) ? null : SmartIssues.NoSuchClient(clientId);

    public async Task<Issue?> RemoveAsync(string clientId, CancellationToken cancellationToken)
    {
        var found = await FindAsync(clientId, cancellationToken).ConfigureAwait(false) is not null;
        await store.WriteAsync([new Change([], (RecordKind.Client, clientId))], cancellationToken).ConfigureAwait(false);
        return found ? null : SmartIssues.NoSuchClient(clientId);
    }

    /// <summary>Says whose the client is; null takes that back.</summary>
    public async Task<Issue?> SetOrganizationAsync(string clientId, string? organization, CancellationToken cancellationToken) =>
        organization is not null && !await IsOrganizationAsync(organization, cancellationToken).ConfigureAwait(false) ? SmartIssues.NoSuchOrganization(organization)
            : await UpdateAsync(clientId, client => client with { Organization = organization }, cancellationToken).ConfigureAwait(false) ? null : SmartIssues.NoSuchClient(clientId);

    public async ValueTask<string?> OrganizationOfAsync(string clientId, CancellationToken cancellationToken) =>
        (await FindAsync(clientId, cancellationToken).ConfigureAwait(false))?.Organization;

    private async ValueTask<bool> IsOrganizationAsync(string reference, CancellationToken cancellationToken) =>
        reference.Split('/') is ["Organization", var id] && await store.ReadAsync("Organization", id, cancellationToken).ConfigureAwait(false) is { IsDeleted: false };

    /// <summary>A new secret in place of the old one, which ends at once.</summary>
    public async Task<Outcome<string>> RotateSecretAsync(string clientId, CancellationToken cancellationToken)
    {
        var secret = ids.NewSecret();
        return await UpdateAsync(clientId, client => client.Type == ClientType.Secret ? client with { SecretHash = Secrets.Hash(secret) } : null, cancellationToken).ConfigureAwait(false)
            ? secret
            : SmartIssues.NoSecret(clientId);
    }

    /// <summary>Whether an app that runs in browsers is registered at that origin.</summary>
    internal async ValueTask<bool> IsOriginAsync(string origin, CancellationToken cancellationToken)
    {
        var remembered = _origins.Now();
        if (!remembered.TryGet("", out var origins))
        {
            origins = (await ListAsync(cancellationToken).ConfigureAwait(false))
                .Where(client => client is { Type: ClientType.Public, IsDisabled: false })
                .SelectMany(client => client.RedirectUris)
                .Select(RedirectUri.Origin)
                .OfType<string>()
                .ToHashSet(StringComparer.Ordinal);
            remembered.Remember("", origins);
        }

        return origins.Contains(origin);
    }

    // What no client_id looks like is not asked for: an engine may refuse to look for it at all (a NUL on PostgreSQL).
    private static bool IsId(string clientId) => clientId.Length is > 0 and <= 256 && clientId.All(character => character is > ' ' and < '\x7f');

    private async Task<bool> UpdateAsync(string clientId, Func<ClientRegistration, ClientRegistration?> change, CancellationToken cancellationToken)
    {
        var update = new Update(RecordKind.Client, clientId, record => record is null ? null : change(ClientRegistration.FromRecord(record))?.ToRecord());
        await store.WriteAsync([update], cancellationToken).ConfigureAwait(false);
        return update.Changed;
    }
}
