using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Authorize;

/// <summary>Where a sign-in can go: to one of its pages, back to the client, or to a grant.</summary>
internal sealed class SignInPages(PageWriter pages, LaunchChoices choices, IStore store, ServerAddress address, SignInParts parts)
{
    /// <summary>SMART App Launch 2.2 asks for a short time; RFC 6749 for ten minutes at most.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How long a second redemption is known as one.</summary>
    private static readonly TimeSpan CodeRemembered = TimeSpan.FromHours(1);

    public bool IsRecent(PendingAuthorization pending, Session session) => pending.Accepts(session, parts.Now);

    public void GoOn(HttpContext context, SignIn signIn) => ClientRedirect.SeeOther(context.Response, $"{address.Root}/auth/continue?transaction={signIn.Transaction}");

    public async Task LoginAsync(HttpContext context, SignIn signIn, string? name, bool failed)
    {
        var isOffered = parts.Passkeys.Party.IsOffered;
        var passkey = isOffered
            ? PasskeyForms.SignIn(signIn.Frame(), parts.Passkeys.Party, await parts.Passkeys.ChallengeAsync(PasskeyDirectory.ToSignIn(signIn.Transaction), signIn.Browser, context.RequestAborted).ConfigureAwait(false), "/auth/passkey")
            : Html.Empty;
        await pages.WriteAsync(context, signIn.Texts, signIn.Texts["login.title"], LoginPage.Body(signIn.Frame(), name, failed, passkey), signIn.Pending.RedirectUri, hasPasskeys: isOffered).ConfigureAwait(false);
    }

    public async Task PatientsAsync(HttpContext context, SignIn signIn, UserAccount user, PatientSearch search, bool choseNone)
    {
        var list = await choices.Patients.SearchAsync(user, signIn.Pending.ClientId, search, context.RequestAborted).ConfigureAwait(false);
        var body = PatientPage.Body(signIn.Frame(), user.Name, search, list, choseNone);
        await pages.WriteAsync(context, signIn.Texts, signIn.Texts["patient.title"], body, signIn.Pending.RedirectUri).ConfigureAwait(false);
    }

    public async Task EncountersAsync(HttpContext context, SignIn signIn, UserAccount user, string patientId, string? cursor, bool choseNone)
    {
        var list = await choices.Encounters.ListAsync(user, signIn.Pending.ClientId, patientId, cursor, context.RequestAborted).ConfigureAwait(false);
        var patient = await PatientLineAsync(signIn.Texts, patientId, context.RequestAborted).ConfigureAwait(false);
        var body = EncounterPage.Body(signIn.Frame(), user.Name, patient, list, choseNone);
        await pages.WriteAsync(context, signIn.Texts, signIn.Texts["encounter.title"], body, signIn.Pending.RedirectUri).ConfigureAwait(false);
    }

    /// <param name="encounter">Null when there is none, or it is not for this person's eyes.</param>
    public async Task ConsentAsync(HttpContext context, SignIn signIn, UserAccount user, string? patientId, EncounterEntry? encounter)
    {
        var pending = signIn.Pending;
        var question = new ConsentQuestion(
            user.Name,
            patientId is null ? null : await PatientLineAsync(signIn.Texts, patientId, context.RequestAborted).ConfigureAwait(false),
            encounter is null ? null : EncounterPage.Line(signIn.Texts, encounter),
            pending.Scopes.Contains(ScopeNames.FhirUser, StringComparer.Ordinal) ? user.FhirUser : null,
            pending.Scopes,
            ConsentChoices.Of(pending.Scopes, parts.Policy),
            pending.RedirectUri);
        var title = signIn.Texts.Format("consent.title", pending.ClientName);
        await pages.WriteAsync(context, signIn.Texts, title, ConsentPage.Body(signIn.Frame(), question), pending.RedirectUri).ConfigureAwait(false);
    }

    /// <summary>Of a launch for a patient whom the person may not see: nobody is named.</summary>
    public Task NotThisPatientAsync(HttpContext context, SignIn signIn, UserAccount user) => pages.WriteAsync(
        context, signIn.Texts, signIn.Texts["refused.title"], NotThisPatientPage.Body(signIn.Frame(), user.Name), signIn.Pending.RedirectUri);

    /// <summary>Ends the sign-in with a refusal.</summary>
    public async Task SendBackAsync(HttpContext context, SignIn signIn, string error, string description)
    {
        await store.WriteAsync([new Change([], (RecordKind.Authorization, Secrets.Hash(signIn.Transaction)))], context.RequestAborted).ConfigureAwait(false);
        ClientRedirect.Refuse(context.Response, address, signIn.Pending.RedirectUri, signIn.Pending.State, error, description);
    }

    /// <summary>Ends the sign-in with a code, unless nothing was allowed.</summary>
    public async Task GrantAsync(HttpContext context, SignIn signIn, LoggedIn loggedIn, LaunchContext launched, IReadOnlySet<string> ticked)
    {
        var pending = signIn.Pending;

        // The answer's scopes are those that were granted, and may be fewer than were asked for (RFC 6749 §3.3): without an encounter launch/encounter was not.
        var possible = launched.Encounter is null ? [.. pending.Scopes.Where(scope => scope != ScopeNames.LaunchEncounter)] : pending.Scopes;
        var scopes = ConsentChoices.Granted(possible, ticked, parts.Policy);
        if (!scopes.Any(scope => scope == ScopeNames.OpenId || !ScopeNames.IsForPeople(scope)))
        {
            await SendBackAsync(context, signIn, "access_denied", "The person allowed nothing.").ConfigureAwait(false);
            return;
        }

        var (user, session) = (loggedIn.User, loggedIn.Session);
        var grant = new Grant(parts.NewId(), pending.ClientId, user.Name, user.Stamp, session.Id, scopes, session.AuthTime)
        {
            Nonce = pending.Nonce,
            Context = launched,
        };
        var code = parts.NewSecret();
        var issued = new IssuedCode(grant.Id, pending.ClientId, pending.RedirectUri, pending.Challenge, parts.Now + CodeLifetime);
        var finish = new Finish(
            Secrets.Hash(signIn.Transaction),
            pending.Launch,
            [grant.ToRecord(parts.Now + CodeLifetime), Records.Of(RecordKind.Code, Secrets.Hash(code), issued, Records.Default.IssuedCode, parts.Now + CodeRemembered)]);
        await store.WriteAsync([finish], context.RequestAborted).ConfigureAwait(false);
        if (!finish.WasFirst)
        {
            await pages.ErrorAsync(context, AuthorizeIssues.Over()).ConfigureAwait(false);
            return;
        }

        ClientRedirect.Answer(context.Response, address, pending.RedirectUri, pending.State, code);
    }

    private async ValueTask<string> PatientLineAsync(Texts texts, string id, CancellationToken cancellationToken) =>
        await choices.Patients.NameAsync(id, cancellationToken).ConfigureAwait(false) is { } patient ? PatientPage.Line(texts, patient) : id;

    // Once: of a form sent twice, or of two sign-ins with one launch, the first wins.
    private sealed class Finish(string transaction, string? launch, IReadOnlyList<StoredRecord> records) : WriteOperation
    {
        public bool WasFirst { get; private set; }

        public override void Run(IWriteTransaction store)
        {
            var ticket = launch is null ? null : store.FindRecord(RecordKind.Launch, launch);
            var launched = ticket is null ? null : Records.Read(ticket, Records.Default.LaunchTicket);
            WasFirst = store.FindRecord(RecordKind.Authorization, transaction) is not null && (launch is null || launched is { IsUsed: false });
            if (!WasFirst)
            {
                return;
            }

            store.DeleteRecord(RecordKind.Authorization, transaction);
            if (launched is not null)
            {
                store.PutRecord(Records.Of(RecordKind.Launch, launch!, launched with { IsUsed = true }, Records.Default.LaunchTicket, ticket!.ExpiresAt));
            }

            foreach (var record in records)
            {
                store.PutRecord(record);
            }
        }
    }
}

/// <summary>What a sign-in needs of its surroundings.</summary>
internal sealed class SignInParts(IndexPolicy policy, PasskeyDirectory passkeys, IdSource ids, TimeProvider time)
{
    public PasskeyDirectory Passkeys => passkeys;

    public IndexPolicy Policy => policy;

    public DateTimeOffset Now => time.GetUtcNow();

    public string NewId() => ids.NewId();

    public string NewSecret() => ids.NewSecret();
}
