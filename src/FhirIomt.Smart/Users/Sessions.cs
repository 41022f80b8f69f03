using FhirIomt.Core;
using FhirIomt.Smart.Pages;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Users;

/// <summary>Somebody is logged in in a browser.</summary>
/// <param name="SecretHash">Of the secret in the cookie; a new one at each login.</param>
internal sealed record Session(string Id, string SecretHash, string UserName, string UserStamp, DateTimeOffset AuthTime);

internal sealed record LoggedIn(Session Session, UserAccount User);

/// <summary>
/// Sessions: the cookie carries an id and a secret, the store knows the rest, so that logging out ends it everywhere. online_access lives as long as the
/// session's id.
/// </summary>
internal sealed class Sessions(IStore store, UserDirectory users, BrowserCookies cookies, IdSource ids, TimeProvider time)
{
    /// <summary>A working day; then a new login, whatever was done meanwhile.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(10);

    public async ValueTask<LoggedIn?> FindAsync(HttpContext context)
    {
        if (cookies.Session(context.Request)?.Split('.') is not [var id, var secret] || await store.FindRecordAsync(RecordKind.Session, id, context.RequestAborted).ConfigureAwait(false) is not { } record)
        {
            return null;
        }

        var session = Records.Read(record, Records.Default.Session);
        if (!Secrets.Same(session.SecretHash, Secrets.Hash(secret)) || await users.FindAsync(session.UserName, context.RequestAborted).ConfigureAwait(false) is not { Disabled: false } user)
        {
            return null;
        }

        return user.Stamp == session.UserStamp ? new LoggedIn(session, user) : null;
    }

    /// <summary>After a login. The secret is always new (session fixation); the id stays for the same person, so that what hangs on it does.</summary>
    public async Task StartAsync(HttpContext context, UserAccount user)
    {
        var before = await FindAsync(context).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var secret = ids.NewSecret();
        var id = before?.User.Id == user.Id ? before.Session.Id : ids.NewId();
        var session = new Session(id, Secrets.Hash(secret), user.Name, user.Stamp, now);
        if (before is not null && before.Session.Id != id)
        {
            await EndAsync(before.Session.Id, context.RequestAborted).ConfigureAwait(false);
        }

        await store.WriteAsync([new Change([Records.Of(RecordKind.Session, id, session, Records.Default.Session, now + Lifetime)])], context.RequestAborted).ConfigureAwait(false);
        cookies.SetSession(context.Response, $"{id}.{secret}");
    }

    public async Task EndAsync(HttpContext context)
    {
        if (await FindAsync(context).ConfigureAwait(false) is { } current)
        {
            await EndAsync(current.Session.Id, context.RequestAborted).ConfigureAwait(false);
        }

        cookies.ClearSession(context.Response);
    }

    private Task EndAsync(string id, CancellationToken cancellationToken) =>
        store.WriteAsync([new Change([Tokens.Revocations.Of(id, time.GetUtcNow())], (RecordKind.Session, id))], cancellationToken);
}
