using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Account;

/// <summary><c>/account</c>: for whoever signs in there. Every form does one thing and goes back to the page.</summary>
internal sealed class AccountEndpoints(AccountParts parts, BrowserCookies cookies, Sessions sessions, UserDirectory users, PasskeyDirectory passkeys, PageWriter pages)
{
    /// <summary>Stands where the forms of a sign-in have their transaction.</summary>
    public const string Purpose = "account";

    public async Task ShowAsync(HttpContext context)
    {
        var done = context.Request.Query["done"].ToString() switch
        {
            "revoked" => "own.done-revoked",
            "shared" => "own.done-shared",
            "passkey-added" => "passkey.done-added",
            "passkey-removed" => "passkey.done-removed",
            _ => null,
        };
        await (await sessions.FindAsync(context).ConfigureAwait(false) is { } loggedIn ? PageAsync(context, loggedIn, done, failed: null) : LoginAsync(context, name: null, failed: false)).ConfigureAwait(false);
    }

    public async Task LogInAsync(HttpContext context)
    {
        if (await FieldsAsync(context).ConfigureAwait(false) is not { } fields)
        {
            return;
        }

        var name = fields["username"].ToString();
        var note = AuditNote.Of(context);
        if (await users.LogInAsync(name, fields["password"].ToString(), context.RequestAborted).ConfigureAwait(false) is not { } user)
        {
            (note.Refused, note.UserId) = ("login", (await users.FindEnabledAsync(name, context.RequestAborted).ConfigureAwait(false))?.Id);
            await LoginAsync(context, name.Length <= 64 ? name : null, failed: true).ConfigureAwait(false);
            return;
        }

        (note.UserId, note.FhirUser) = (user.Id, user.FhirUser);
        await sessions.StartAsync(context, user).ConfigureAwait(false);
        parts.GoBack(context, done: null);
    }

    public async Task LogInWithPasskeyAsync(HttpContext context)
    {
        if (await FieldsAsync(context).ConfigureAwait(false) is not { } fields)
        {
            return;
        }

        var note = AuditNote.Of(context);
        var (user, fault) = await passkeys.SignInAsync(Purpose, Browser(context), fields, context.RequestAborted).ConfigureAwait(false);
        if (user is null)
        {
            note.Refused = $"passkey {fault}";
            await LoginAsync(context, name: null, failed: true).ConfigureAwait(false);
            return;
        }

        (note.UserId, note.FhirUser) = (user.Id, user.FhirUser);
        await sessions.StartAsync(context, user).ConfigureAwait(false);
        parts.GoBack(context, done: null);
    }

    /// <summary>With the password once more: a session that somebody left open adds no key of its own.</summary>
    public async Task AddPasskeyAsync(HttpContext context)
    {
        if (await OpenAsync(context).ConfigureAwait(false) is not var (fields, loggedIn))
        {
            return;
        }

        var note = AuditNote.Of(context);
        (note.UserId, note.FhirUser) = (loggedIn.User.Id, loggedIn.User.FhirUser);
        var isTheirs = await users.LogInAsync(loggedIn.User.Name, fields["current"].ToString(), context.RequestAborted).ConfigureAwait(false) is not null;
        var fault = isTheirs ? await passkeys.RegisterAsync(loggedIn, Browser(context), fields, context.RequestAborted).ConfigureAwait(false) : PasskeyFault.WrongUser;
        if (fault != PasskeyFault.None)
        {
            note.Refused = $"passkey {fault}";
            await PageAsync(context, loggedIn, done: null, PageWriter.TextsFor(context)["passkey.refused"]).ConfigureAwait(false);
            return;
        }

        parts.GoBack(context, "passkey-added");
    }

    public async Task RemovePasskeyAsync(HttpContext context)
    {
        if (await OpenAsync(context).ConfigureAwait(false) is not var (fields, loggedIn))
        {
            return;
        }

        var note = AuditNote.Of(context);
        (note.UserId, note.FhirUser) = (loggedIn.User.Id, loggedIn.User.FhirUser);
        var isRemoved = await passkeys.RemoveAsync(loggedIn.User, fields["passkey"].ToString(), context.RequestAborted).ConfigureAwait(false);
        parts.GoBack(context, isRemoved ? "passkey-removed" : null);
    }

    /// <summary>Codes, access tokens and refresh tokens of that app end with the grant, at once.</summary>
    public async Task RevokeAsync(HttpContext context)
    {
        if (await OpenAsync(context).ConfigureAwait(false) is not var (fields, loggedIn))
        {
            return;
        }

        var note = AuditNote.Of(context);
        (note.ClientId, note.UserId, note.FhirUser, note.Patient) = (fields["client"], loggedIn.User.Id, loggedIn.User.FhirUser, PatientChoice.OwnOf(loggedIn.User));
        await parts.EndAsync(loggedIn, fields["client"].ToString(), context.RequestAborted).ConfigureAwait(false);
        parts.GoBack(context, "revoked");
    }

    public async Task ShareAsync(HttpContext context)
    {
        if (await OpenAsync(context).ConfigureAwait(false) is not var (fields, loggedIn))
        {
            return;
        }

        if (PatientChoice.OwnOf(loggedIn.User) is { } patient && await parts.IsChoiceAsync(fields["what"].ToString(), context.RequestAborted).ConfigureAwait(false)
            && await parts.Sharing.SetAsync(loggedIn.User, patient, fields["what"].ToString(), fields["action"] == "refuse", context.RequestAborted).ConfigureAwait(false))
        {
            parts.GoBack(context, "shared");
            return;
        }

        await PageAsync(context, loggedIn, done: null, PageWriter.TextsFor(context)["own.not-shared"]).ConfigureAwait(false);
    }

    /// <summary>A new password ends every session and grant, this one too: so one signs in anew.</summary>
    public async Task SetPasswordAsync(HttpContext context)
    {
        if (await OpenAsync(context).ConfigureAwait(false) is not var (fields, loggedIn))
        {
            return;
        }

        var isTheirs = await users.LogInAsync(loggedIn.User.Name, fields["current"].ToString(), context.RequestAborted).ConfigureAwait(false) is not null;
        var issue = isTheirs ? await users.SetPasswordAsync(loggedIn.User.Name, fields["new"].ToString(), context.RequestAborted).ConfigureAwait(false) : null;
        var note = AuditNote.Of(context);
        (note.UserId, note.FhirUser, note.Refused) = (loggedIn.User.Id, loggedIn.User.FhirUser, isTheirs ? issue?.Code : "password");
        if (!isTheirs || issue is not null)
        {
            await PageAsync(context, loggedIn, done: null, issue is null ? PageWriter.TextsFor(context)["own.wrong-password"] : $"{issue.Message} {issue.Fix}").ConfigureAwait(false);
            return;
        }

        parts.GoBack(context, done: null);
    }

    private async Task PageAsync(HttpContext context, LoggedIn loggedIn, string? done, string? failed)
    {
        var frame = Frame(context);
        long? before = long.TryParse(context.Request.Query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out var key) ? key : null;
        var view = await parts.Reader.ReadAsync(loggedIn, before, context.RequestAborted).ConfigureAwait(false);
        var party = passkeys.Party;
        var forms = party.IsOffered
            ? PasskeyForms.Section(frame, loggedIn.User, party, await ChallengeAsync(context, PasskeyDirectory.ToRegister(loggedIn)).ConfigureAwait(false), view.Passkeys)
            : Html.Empty;
        await pages.WriteAsync(context, frame.Texts, frame.Texts["own.title"], AccountPage.Body(frame, view, parts.Policy, forms, done, failed), hasPasskeys: party.IsOffered).ConfigureAwait(false);
    }

    private async Task LoginAsync(HttpContext context, string? name, bool failed)
    {
        var frame = Frame(context);
        var party = passkeys.Party;
        var form = party.IsOffered
            ? PasskeyForms.SignIn(frame, party, await ChallengeAsync(context, PasskeyDirectory.ToSignIn(Purpose)).ConfigureAwait(false), "/account/passkey")
            : Html.Empty;
        await pages.WriteAsync(context, frame.Texts, frame.Texts["login.title"], LoginPage.Body(frame, name, failed, form, "/account/login"), hasPasskeys: party.IsOffered).ConfigureAwait(false);
    }

    private Task<string> ChallengeAsync(HttpContext context, string purpose) => passkeys.ChallengeAsync(purpose, Browser(context), context.RequestAborted);

    private PageFrame Frame(HttpContext context)
    {
        var texts = PageWriter.TextsFor(context);
        return new PageFrame(texts, Purpose, BrowserCookies.FormKey(Browser(context), Purpose), texts["own.title"]);
    }

    // A first page makes the secret once, whatever asks for it.
    private string Browser(HttpContext context)
    {
        if (context.Items[typeof(BrowserCookies)] is not string secret)
        {
            context.Items[typeof(BrowserCookies)] = secret = cookies.EnsureBrowser(context);
        }

        return secret;
    }

    private async Task<IFormCollection?> FieldsAsync(HttpContext context)
    {
        var fields = (await FormRequest.ReadFieldsAsync(context.Request, context.RequestAborted).ConfigureAwait(false)).Fields;
        if (fields is not null && cookies.IsOurForm(context.Request, fields, Purpose))
        {
            return fields;
        }

        await pages.ErrorAsync(context, AuthorizeIssues.ForeignForm()).ConfigureAwait(false);
        return null;
    }

    private async Task<(IFormCollection Fields, LoggedIn LoggedIn)?> OpenAsync(HttpContext context)
    {
        if (await FieldsAsync(context).ConfigureAwait(false) is not { } fields)
        {
            return null;
        }

        if (await sessions.FindAsync(context).ConfigureAwait(false) is { } loggedIn)
        {
            return (fields, loggedIn);
        }

        parts.GoBack(context, done: null);
        return null;
    }
}

/// <summary>What the account page needs of its surroundings.</summary>
internal sealed class AccountParts(IStore store, AccountReader reader, Sharing sharing, ServerAddress address, IndexPolicy policy, Clients.ClientDirectory clients, TimeProvider time)
{
    public AccountReader Reader => reader;

    public Sharing Sharing => sharing;

    public IndexPolicy Policy => policy;

    public void GoBack(HttpContext context, string? done) => ClientRedirect.SeeOther(context.Response, $"{address.Root}/account{(done is null ? "" : $"?done={done}")}");

    public async Task EndAsync(LoggedIn loggedIn, string clientId, CancellationToken cancellationToken)
    {
        var view = await reader.ReadAsync(loggedIn, before: null, cancellationToken).ConfigureAwait(false);
        var grants = view.Apps.Where(app => app.ClientId == clientId).SelectMany(app => app.Grants).Select(grant => grant.Id).ToList();
        await store.WriteAsync([new EndApp(grants, loggedIn.User.Name, time.GetUtcNow())], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether it is something that the page offers to refuse.</summary>
    public async ValueTask<bool> IsChoiceAsync(string what, CancellationToken cancellationToken) =>
        what is Sharing.Everything or Sharing.MentalHealth
        || (what.StartsWith("app:", StringComparison.Ordinal) && await clients.FindAsync(what["app:".Length..], cancellationToken).ConfigureAwait(false) is not null);
}
