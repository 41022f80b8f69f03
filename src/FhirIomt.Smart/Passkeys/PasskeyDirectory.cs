using System.Buffers.Text;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Passkeys;

/// <summary>A passkey of somebody. The record's id is the credential's.</summary>
/// <param name="UserId">Of the account; also what the authenticator keeps as user handle.</param>
/// <param name="Stamp">The account's when it was added: a new password ends what somebody else may have added, as it ends everything.</param>
/// <param name="Key">SubjectPublicKeyInfo, base64.</param>
/// <param name="Counter">What the authenticator counted at its last use; 0 for those that do not count.</param>
internal sealed record Passkey(string UserName, string UserId, string Stamp, string Label, int Algorithm, string Key, long Counter, DateTimeOffset Created, DateTimeOffset? LastUsed);

/// <summary>A challenge that is out.</summary>
/// <param name="Purpose">What it may be answered for.</param>
/// <param name="Browser">The hash of the secret of the browser that it was given to.</param>
internal sealed record PasskeyChallenge(string Purpose, string Browser);

/// <summary>
/// Passkeys: registered by somebody who is signed in and gives the password once more, used instead of it. What browsers send is checked as WebAuthn Level 2 §7.1 and §7.2 say; attestation is not asked for.
/// </summary>
internal sealed class PasskeyDirectory(IStore store, UserDirectory users, RelyingParty party, IdSource ids, TimeProvider time)
{
    public const string Kind = "passkey";
    public const string ChallengeKind = "passkey-challenge";

    /// <summary>Enough for a phone, a computer and a key in the drawer, and for their successors.</summary>
    public const int MaxOfOne = 10;

    private const int LongestLabel = 64;

    /// <summary>As long as the ceremony may take; browsers give up after as much.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public RelyingParty Party => party;

    public static string ToRegister(LoggedIn loggedIn) => $"register {loggedIn.Session.Id}";

    public static string ToSignIn(string transaction) => $"sign-in {transaction}";

    public async Task<string> ChallengeAsync(string purpose, string browser, CancellationToken cancellationToken)
    {
        var challenge = ids.NewSecret();
        var record = Records.Of(ChallengeKind, Secrets.Hash(challenge), new PasskeyChallenge(purpose, Secrets.Hash(browser)), Records.Default.PasskeyChallenge, time.GetUtcNow() + Lifetime);
        await store.WriteAsync([new Change([record])], cancellationToken).ConfigureAwait(false);
        return challenge;
    }

    public async ValueTask<IReadOnlyList<(string Id, Passkey Passkey)>> OfUserAsync(UserAccount user, CancellationToken cancellationToken) =>
    [
        .. (await store.ListRecordsAsync(Kind, cancellationToken).ConfigureAwait(false)).Select(record => (record.Id, Passkey: Records.Read(record, Records.Default.Passkey)))
            .Where(one => one.Passkey.UserId == user.Id && one.Passkey.Stamp == user.Stamp).OrderBy(one => one.Passkey.Created),
    ];

    public async Task<PasskeyFault> RegisterAsync(LoggedIn loggedIn, string browser, IFormCollection fields, CancellationToken cancellationToken)
    {
        try
        {
            var client = ClientData.Read(CeremonyField.Of(fields, "client_data"));
            var fault = client.Check("webauthn.create", party);
            if (fault != PasskeyFault.None || !await TakeAsync(client.Challenge, ToRegister(loggedIn), browser, cancellationToken).ConfigureAwait(false))
            {
                return fault == PasskeyFault.None ? PasskeyFault.WrongChallenge : fault;
            }

            var (created, id, passkey) = Created(loggedIn.User, fields);
            return created == PasskeyFault.None ? await AddAsync(loggedIn.User, id, passkey!, cancellationToken).ConfigureAwait(false) : created;
        }
        catch (FormatException)
        {
            return PasskeyFault.Unreadable;
        }
    }

    /// <summary>Whose passkey it is, when everything about it is right.</summary>
    public async Task<(UserAccount? User, PasskeyFault Fault)> SignInAsync(string transaction, string browser, IFormCollection fields, CancellationToken cancellationToken)
    {
        try
        {
            var client = ClientData.Read(CeremonyField.Of(fields, "client_data"));
            var fault = client.Check("webauthn.get", party);
            if (fault != PasskeyFault.None || !await TakeAsync(client.Challenge, ToSignIn(transaction), browser, cancellationToken).ConfigureAwait(false))
            {
                return (null, fault == PasskeyFault.None ? PasskeyFault.WrongChallenge : fault);
            }

            return await UseAsync(client, fields, cancellationToken).ConfigureAwait(false);
        }
        catch (FormatException)
        {
            return (null, PasskeyFault.Unreadable);
        }
    }

    /// <returns>Whether it was theirs, and is gone.</returns>
    public async Task<bool> RemoveAsync(UserAccount user, string id, CancellationToken cancellationToken)
    {
        var remove = new Remove(user.Id, id);
        await store.WriteAsync([remove], cancellationToken).ConfigureAwait(false);
        return remove.IsDone;
    }

    private (PasskeyFault Fault, string Id, Passkey? Passkey) Created(UserAccount user, IFormCollection fields)
    {
        var attestation = CborReader.Read(CeremonyField.Of(fields, "attestation"), out _) as Dictionary<object, object?>;
        if (attestation?.GetValueOrDefault("authData") is not byte[] bytes || attestation.GetValueOrDefault("fmt") as string != "none" || attestation.GetValueOrDefault("attStmt") is not Dictionary<object, object?> { Count: 0 })
        {
            return (PasskeyFault.WrongAttestation, "", null);
        }

        var data = new AuthenticatorData(bytes);
        if (data.Check(party) is var fault and not PasskeyFault.None)
        {
            return (fault, "", null);
        }

        var (id, algorithm, key) = data.Credential();
        var label = fields["label"].ToString().Trim();
        label = label.Length is > 0 and <= LongestLabel ? label : "Passkey";
        return (PasskeyFault.None, Base64Url.EncodeToString(id), new Passkey(user.Name, user.Id, user.Stamp, label, algorithm, Convert.ToBase64String(key), data.Counter, time.GetUtcNow(), LastUsed: null));
    }

    // Unique among everybody's: one id for two people would let one be the other.
    private async Task<PasskeyFault> AddAsync(UserAccount user, string id, Passkey passkey, CancellationToken cancellationToken)
    {
        if ((await OfUserAsync(user, cancellationToken).ConfigureAwait(false)).Count >= MaxOfOne)
        {
            return PasskeyFault.Known;
        }

        var add = new Update(Kind, id, existing => existing is null ? Records.Of(Kind, id, passkey, Records.Default.Passkey) : null);
        await store.WriteAsync([add], cancellationToken).ConfigureAwait(false);
        return add.Changed ? PasskeyFault.None : PasskeyFault.Known;
    }

    private async Task<(UserAccount? User, PasskeyFault Fault)> UseAsync(ClientData client, IFormCollection fields, CancellationToken cancellationToken)
    {
        var id = Base64Url.EncodeToString(CeremonyField.Of(fields, "credential"));
        if (await store.FindRecordAsync(Kind, id, cancellationToken).ConfigureAwait(false) is not { } record)
        {
            return (null, PasskeyFault.UnknownCredential);
        }

        var passkey = Records.Read(record, Records.Default.Passkey);
        var (fault, counter) = Check(client, passkey, fields);
        if (fault != PasskeyFault.None)
        {
            return (null, fault);
        }

        if (await users.FindAsync(passkey.UserName, cancellationToken).ConfigureAwait(false) is not { Disabled: false } user || user.Id != passkey.UserId || user.Stamp != passkey.Stamp)
        {
            return (null, PasskeyFault.WrongUser);
        }

        var use = new Update(Kind, id, current => Counted(current, counter));
        await store.WriteAsync([use], cancellationToken).ConfigureAwait(false);
        return use.Changed ? (user, PasskeyFault.None) : (null, PasskeyFault.Cloned);
    }

    private (PasskeyFault Fault, uint Counter) Check(ClientData client, Passkey passkey, IFormCollection fields)
    {
        var bytes = CeremonyField.Of(fields, "authenticator_data");
        var data = new AuthenticatorData(bytes);
        if (data.Check(party) is var fault and not PasskeyFault.None)
        {
            return (fault, 0);
        }

        // An authenticator that was asked for any passkey says whose it took.
        if (Encoding.UTF8.GetString(CeremonyField.Of(fields, "user_handle")) != passkey.UserId)
        {
            return (PasskeyFault.WrongUser, 0);
        }

        return CredentialKey.Verify(passkey.Algorithm, Convert.FromBase64String(passkey.Key), [.. bytes, .. client.Hash], CeremonyField.Of(fields, "signature"))
            ? (PasskeyFault.None, data.Counter)
            : (PasskeyFault.WrongSignature, 0);
    }

    // A count that does not grow means that there are two of it (§7.2 step 21). Decided in the store, so that of two at once one is found out.
    private StoredRecord? Counted(StoredRecord? current, uint counter)
    {
        if (current is null)
        {
            return null;
        }

        var passkey = Records.Read(current, Records.Default.Passkey);
        return (passkey.Counter != 0 || counter != 0) && counter <= passkey.Counter
            ? null
            : Records.Of(Kind, current.Id, passkey with { Counter = counter, LastUsed = time.GetUtcNow() }, Records.Default.Passkey);
    }

    private async Task<bool> TakeAsync(string challenge, string purpose, string browser, CancellationToken cancellationToken)
    {
        var take = new Take(Secrets.Hash(challenge), new PasskeyChallenge(purpose, Secrets.Hash(browser)));
        await store.WriteAsync([take], cancellationToken).ConfigureAwait(false);
        return take.IsRight;
    }

    // Once, whatever comes of it.
    private sealed class Take(string id, PasskeyChallenge expected) : WriteOperation
    {
        public bool IsRight { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            IsRight = transaction.FindRecord(ChallengeKind, id) is { } record && Records.Read(record, Records.Default.PasskeyChallenge) == expected;
            transaction.DeleteRecord(ChallengeKind, id);
        }
    }

    private sealed class Remove(string userId, string id) : WriteOperation
    {
        public bool IsDone { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            IsDone = transaction.FindRecord(Kind, id) is { } record && Records.Read(record, Records.Default.Passkey).UserId == userId;
            if (IsDone)
            {
                transaction.DeleteRecord(Kind, id);
            }
        }
    }
}
