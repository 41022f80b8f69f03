using System.Text.RegularExpressions;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace FhirIomt.Smart.Users;

/// <param name="FhirUser">A reference such as <c>Practitioner/17</c>.</param>
public sealed record NewUser(string Name, UserRole Role, string? FhirUser, string Password);

/// <summary>What a list of users shows.</summary>
public sealed record UserEntry(string Id, string Name, UserRole Role, string? FhirUser, bool IsDisabled);

/// <summary>The people who can log in, and whether a password is theirs.</summary>
public sealed partial class UserDirectory(IStore store, IdSource ids, TimeProvider time)
{
    private const int ShortestPassword = 12;
    private const int LongestPassword = 256;

    // OWASP's number for PBKDF2 with HMAC-SHA-512; about 60 ms.
    private readonly PasswordHasher<UserAccount> _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = 210_000 }));

    // Of no password: an unknown name costs the same work.
    private readonly Lazy<string> _nobody = new(() => new PasswordHasher<UserAccount>(Options.Create(new PasswordHasherOptions { IterationCount = 210_000 })).HashPassword(null!, ids.NewSecret()));

    public async Task<Outcome<UserEntry>> AddAsync(NewUser user, CancellationToken cancellationToken)
    {
        var name = Normalise(user.Name);
        if (Check(user, name) is { Count: > 0 } issues)
        {
            return Outcome<UserEntry>.Refused(issues);
        }

        var account = new UserAccount(ids.NewId(), name, user.Role, user.FhirUser, "", ids.NewId());
        account = account with { PasswordHash = _hasher.HashPassword(account, user.Password) };
        var add = new Update(RecordKind.User, name, existing => existing is null ? account.ToRecord() : null);
        await store.WriteAsync([add], cancellationToken).ConfigureAwait(false);
        return add.Changed ? Entry(account) : SmartIssues.UserExists(name);
    }

    public async ValueTask<IReadOnlyList<UserEntry>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListRecordsAsync(RecordKind.User, cancellationToken).ConfigureAwait(false)).Select(UserAccount.FromRecord).Select(Entry)];

    /// <summary>A disabled account ends its sessions and everything it granted; enabling it again does not bring them back.</summary>
    public Task<Issue?> DisableAsync(string name, bool disabled, CancellationToken cancellationToken) =>
        UpdateAsync(name, account => account with { Disabled = disabled, Stamp = ids.NewId() }, cancellationToken);

    /// <summary>A new password ends its sessions and everything it granted.</summary>
    public async Task<Issue?> SetPasswordAsync(string name, string password, CancellationToken cancellationToken) => IsWeak(password, Normalise(name))
        ? SmartIssues.WeakPassword(ShortestPassword, LongestPassword)
        : await UpdateAsync(name, account => account with { PasswordHash = _hasher.HashPassword(account, password), Stamp = ids.NewId() }, cancellationToken).ConfigureAwait(false);

    /// <summary>Lets somebody with a token of another issuer be this user here.</summary>
    public async Task<Issue?> LinkAsync(string name, string issuer, string subject, CancellationToken cancellationToken)
    {
        if (await FindAsync(Normalise(name), cancellationToken).ConfigureAwait(false) is not { } account)
        {
            return SmartIssues.NoSuchUser(name);
        }

        await store.WriteAsync([new Change([new UserLink(account.Name).ToRecord(issuer, subject)])], cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Takes the link back; tokens of that person are then worth what the issuer's claims are.</summary>
    public async Task<Issue?> UnlinkAsync(string name, string issuer, string subject, CancellationToken cancellationToken)
    {
        var id = UserLink.IdOf(issuer, subject);
        var isTheirs = await store.FindRecordAsync(RecordKind.UserLink, id, cancellationToken).ConfigureAwait(false) is { } record && Records.Read(record, Records.Default.UserLink).User == Normalise(name);
        if (!isTheirs)
        {
            return SmartIssues.NoSuchLink(name);
        }

        await store.WriteAsync([new Change([], (RecordKind.UserLink, id))], cancellationToken).ConfigureAwait(false);
        return null;
    }

    internal static bool IsFhirUser(string reference) => FhirUser().IsMatch(reference);

    internal async ValueTask<UserAccount?> FindAsync(string name, CancellationToken cancellationToken) =>
        UserName().IsMatch(name) && await store.FindRecordAsync(RecordKind.User, name, cancellationToken).ConfigureAwait(false) is { } record ? UserAccount.FromRecord(record) : null;

    /// <summary>By name or by sub.</summary>
    internal async ValueTask<UserAccount?> FindEnabledAsync(string nameOrId, CancellationToken cancellationToken)
    {
        var account = await FindAsync(Normalise(nameOrId), cancellationToken).ConfigureAwait(false)
            ?? (await store.ListRecordsAsync(RecordKind.User, cancellationToken).ConfigureAwait(false)).Select(UserAccount.FromRecord).SingleOrDefault(one => one.Id == nameOrId);
        return account is { Disabled: false } ? account : null;
    }

    /// <summary>The user, when the password is theirs. Unknown, disabled, locked and wrong take the same work and answer the same.</summary>
    internal async Task<UserAccount?> LogInAsync(string name, string password, CancellationToken cancellationToken)
    {
        name = Normalise(name);
        var attempt = new LoginAttempts.Begin(name, time.GetUtcNow());
        await store.WriteAsync([attempt], cancellationToken).ConfigureAwait(false);
        var account = await FindAsync(name, cancellationToken).ConfigureAwait(false);
        var verdict = _hasher.VerifyHashedPassword(account!, account?.PasswordHash ?? _nobody.Value, password.Length <= LongestPassword ? password : "");
        if (!attempt.IsAllowed || account is null or { Disabled: true } || verdict == PasswordVerificationResult.Failed)
        {
            return null;
        }

        await store.WriteAsync([LoginAttempts.Forget(name)], cancellationToken).ConfigureAwait(false);
        return account;
    }

    private async Task<Issue?> UpdateAsync(string name, Func<UserAccount, UserAccount> change, CancellationToken cancellationToken)
    {
        var update = new Update(RecordKind.User, Normalise(name), record => record is null ? null : change(UserAccount.FromRecord(record)).ToRecord());
        await store.WriteAsync([update], cancellationToken).ConfigureAwait(false);
        return update.Changed ? null : SmartIssues.NoSuchUser(name);
    }

    private static List<Issue> Check(NewUser user, string name)
    {
        var issues = new List<Issue>();
        if (!UserName().IsMatch(name))
        {
            issues.Add(SmartIssues.BadUserName());
        }

        var isNeeded = user.Role is UserRole.Clinician or UserRole.Patient;
        if (user.FhirUser is null ? isNeeded : !FhirUser().IsMatch(user.FhirUser) || (user.Role == UserRole.Patient && !user.FhirUser.StartsWith("Patient/", StringComparison.Ordinal)))
        {
            issues.Add(SmartIssues.BadFhirUser(user.Role.ToString().ToLowerInvariant()));
        }

        if (IsWeak(user.Password, name))
        {
            issues.Add(SmartIssues.WeakPassword(ShortestPassword, LongestPassword));
        }

        return issues;
    }

    private static bool IsWeak(string password, string name) =>
        password.Length is < ShortestPassword or > LongestPassword || string.Equals(password, name, StringComparison.OrdinalIgnoreCase);

    private static string Normalise(string name) => name.Trim().ToLowerInvariant();

    private static UserEntry Entry(UserAccount account) => new(account.Id, account.Name, account.Role, account.FhirUser, account.Disabled);

    [GeneratedRegex(@"\A[a-z0-9._@\-]{1,64}\z")]
    private static partial Regex UserName();

    [GeneratedRegex(@"\A(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9\-.]{1,64}\z")]
    private static partial Regex FhirUser();
}
