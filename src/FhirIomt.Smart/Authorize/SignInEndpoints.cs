using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Users;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Authorize;

/// <summary>
/// From a checked request to a decision: log in, choose a patient and an encounter, consent. <see cref="ContinueAsync"/> shows whatever comes next; each form does its one
/// thing and goes back there.
/// </summary>
internal sealed class SignInEndpoints(SignIns signIns, Sessions sessions, UserDirectory users, LaunchChoices choices, PasskeyDirectory passkeys, SignInPages show)
{
    public async Task ContinueAsync(HttpContext context)
    {
        if (await signIns.OpenPageAsync(context).ConfigureAwait(false) is not { } signIn)
        {
            return;
        }

        var pending = signIn.Pending;
        var loggedIn = await sessions.FindAsync(context).ConfigureAwait(false);
        if (loggedIn is null || !show.IsRecent(pending, loggedIn.Session))
        {
            await (pending.IsSilent
                ? show.SendBackAsync(context, signIn, "login_required", "Nobody is signed in, or not recently enough.")
                : show.LoginAsync(context, signIn, pending.LoginHint, failed: false)).ConfigureAwait(false);
            return;
        }

        if (!MayUse(pending, loggedIn.User))
        {
            await show.SendBackAsync(context, signIn, "access_denied", "The launch is for another user.").ConfigureAwait(false);
        }
        else if (pending.IsSilent)
        {
            await show.SendBackAsync(context, signIn, "interaction_required", "The person has to be asked.").ConfigureAwait(false);
        }
        else
        {
            await ShowAsync(context, signIn, loggedIn.User, PatientOf(pending, loggedIn.User)).ConfigureAwait(false);
        }
    }

    private async Task ShowAsync(HttpContext context, SignIn signIn, UserAccount user, string? patient)
    {
        var maySee = patient is null || await MaySeeAsync(signIn.Pending, user, patient, context.RequestAborted).ConfigureAwait(false);
        if (!maySee && signIn.Pending.Launch is not null)
        {
            // An EHR may launch for whom it likes; the name of a patient is not for everybody.
            await show.NotThisPatientAsync(context, signIn, user).ConfigureAwait(false);
        }
        else if (!maySee || (patient is null && signIn.Pending.NeedsPatient()))
        {
            await show.PatientsAsync(context, signIn, user, new PatientSearch(null, null, null, null), choseNone: false).ConfigureAwait(false);
        }
        else
        {
            var (isOpen, encounter) = await EncounterAsync(signIn.Pending, user, patient, context.RequestAborted).ConfigureAwait(false);
            await (isOpen
                ? show.EncountersAsync(context, signIn, user, patient!, cursor: null, choseNone: false)
                : show.ConsentAsync(context, signIn, user, patient, encounter)).ConfigureAwait(false);
        }
    }

    public async Task LogInAsync(HttpContext context)
    {
        if (await signIns.OpenFormAsync(context).ConfigureAwait(false) is not var (signIn, fields))
        {
            return;
        }

        var name = fields["username"].ToString();
        var note = AuditNote.Of(context);
        note.ClientId = signIn.Pending.ClientId;
        if (await users.LogInAsync(name, fields["password"].ToString(), context.RequestAborted).ConfigureAwait(false) is not { } user)
        {
            // The account that it was tried on, if there is one. What else somebody typed may be a password in the wrong field.
            (note.Refused, note.UserId) = ("login", (await users.FindEnabledAsync(name, context.RequestAborted).ConfigureAwait(false))?.Id);
            await show.LoginAsync(context, signIn, name.Length <= 64 ? name : null, failed: true).ConfigureAwait(false);
            return;
        }

        (note.UserId, note.FhirUser) = (user.Id, user.FhirUser);
        await sessions.StartAsync(context, user).ConfigureAwait(false);
        show.GoOn(context, signIn);
    }

    public async Task LogInWithPasskeyAsync(HttpContext context)
    {
        if (await signIns.OpenFormAsync(context).ConfigureAwait(false) is not var (signIn, fields))
        {
            return;
        }

        var note = AuditNote.Of(context);
        note.ClientId = signIn.Pending.ClientId;
        var (user, fault) = await passkeys.SignInAsync(signIn.Transaction, signIn.Browser, fields, context.RequestAborted).ConfigureAwait(false);
        if (user is null)
        {
            note.Refused = $"passkey {fault}";
            await show.LoginAsync(context, signIn, name: null, failed: true).ConfigureAwait(false);
            return;
        }

        (note.UserId, note.FhirUser) = (user.Id, user.FhirUser);
        await sessions.StartAsync(context, user).ConfigureAwait(false);
        show.GoOn(context, signIn);
    }

    public async Task ChoosePatientAsync(HttpContext context)
    {
        if (await OpenLoggedInAsync(context).ConfigureAwait(false) is not var (signIn, fields, loggedIn))
        {
            return;
        }

        var search = new PatientSearch(fields["name"], fields["birthdate"], fields["identifier"], fields["cursor"].Count == 0 ? null : fields["cursor"].ToString());
        var isChoice = fields["action"] != "search";
        if (isChoice && fields["patient"] is [{ Length: > 0 } id] && await choices.Patients.FindAsync(loggedIn.User, signIn.Pending.ClientId, id, context.RequestAborted).ConfigureAwait(false) is not null)
        {
            await signIns.SaveAsync(signIn.Transaction, signIn.Pending with { Context = signIn.Pending.Context with { Patient = id, Encounter = null }, WithoutEncounterOf = null }, context.RequestAborted).ConfigureAwait(false);
            show.GoOn(context, signIn);
            return;
        }

        await show.PatientsAsync(context, signIn, loggedIn.User, search, isChoice).ConfigureAwait(false);
    }

    public async Task ChooseEncounterAsync(HttpContext context)
    {
        if (await OpenLoggedInAsync(context).ConfigureAwait(false) is not var (signIn, fields, loggedIn))
        {
            return;
        }

        var (pending, user) = (signIn.Pending, loggedIn.User);
        if (!pending.NeedsEncounter() || PatientOf(pending, user) is not { } patient || !await MaySeeAsync(pending, user, patient, context.RequestAborted).ConfigureAwait(false))
        {
            show.GoOn(context, signIn);
            return;
        }

        var action = fields["action"].ToString();
        var chosen = action == "choose" && fields["encounter"] is [{ Length: > 0 } id] ? await choices.Encounters.FindAsync(user, pending.ClientId, patient, id, context.RequestAborted).ConfigureAwait(false) : null;
        if (chosen is null && action != "none")
        {
            await show.EncountersAsync(context, signIn, user, patient, fields["cursor"].Count == 0 ? null : fields["cursor"].ToString(), choseNone: action != "search").ConfigureAwait(false);
            return;
        }

        var decided = pending with { Context = pending.Context with { Encounter = chosen?.Id }, WithoutEncounterOf = chosen is null ? patient : null };
        await signIns.SaveAsync(signIn.Transaction, decided, context.RequestAborted).ConfigureAwait(false);
        show.GoOn(context, signIn);
    }

    public async Task ConsentAsync(HttpContext context)
    {
        if (await OpenLoggedInAsync(context).ConfigureAwait(false) is not var (signIn, fields, loggedIn))
        {
            return;
        }

        var patient = PatientOf(signIn.Pending, loggedIn.User);
        var maySee = patient is null ? !signIn.Pending.NeedsPatient() : await MaySeeAsync(signIn.Pending, loggedIn.User, patient, context.RequestAborted).ConfigureAwait(false);
        var (isOpen, encounter) = await EncounterAsync(signIn.Pending, loggedIn.User, patient, context.RequestAborted).ConfigureAwait(false);
        if ((!maySee || isOpen) && signIn.Pending.Launch is null)
        {
            show.GoOn(context, signIn);
            return;
        }

        var note = AuditNote.Of(context);
        (note.ClientId, note.UserId, note.FhirUser, note.Patient) = (signIn.Pending.ClientId, loggedIn.User.Id, loggedIn.User.FhirUser, patient);
        note.Refused = !maySee ? "patient" : fields["action"] == "allow" ? null : "denied";
        if (!maySee)
        {
            await show.SendBackAsync(context, signIn, "access_denied", "The person may not open this patient.").ConfigureAwait(false);
            return;
        }

        var launched = signIn.Pending.Context with { Patient = patient, Encounter = signIn.Pending.Launch is null ? encounter?.Id : signIn.Pending.Context.Encounter };
        var ticked = fields["scope"].OfType<string>().ToHashSet(StringComparer.Ordinal);
        await (fields["action"] == "allow"
            ? show.GrantAsync(context, signIn, loggedIn, launched, ticked)
            : show.SendBackAsync(context, signIn, "access_denied", "The person did not allow it.")).ConfigureAwait(false);
    }

    // Forms that only somebody who is signed in can send; whoever is not (any more) begins again with the login.
    private async Task<(SignIn SignIn, IFormCollection Fields, LoggedIn LoggedIn)?> OpenLoggedInAsync(HttpContext context)
    {
        if (await signIns.OpenFormAsync(context).ConfigureAwait(false) is not var (signIn, fields))
        {
            return null;
        }

        if (await sessions.FindAsync(context).ConfigureAwait(false) is { } loggedIn && show.IsRecent(signIn.Pending, loggedIn.Session) && MayUse(signIn.Pending, loggedIn.User))
        {
            return (signIn, fields, loggedIn);
        }

        show.GoOn(context, signIn);
        return null;
    }

    // A launch is one user's; and a patient gets at nobody else's record, whatever an EHR says.
    private static bool MayUse(PendingAuthorization pending, UserAccount user) => pending.Launch is null
        || (pending.LaunchUser == user.Name && (PatientChoice.OwnOf(user) is not { } own || pending.Context.Patient is null || pending.Context.Patient == own));

    private static string? PatientOf(PendingAuthorization pending, UserAccount user) => pending.Launch is null && pending.NeedsPatient() && PatientChoice.OwnOf(user) is { } own ? own : pending.Context.Patient;

    // The encounter as this person sees it, and whether it is still to be chosen. Asked again at the end, as the patient is; one of another patient is none.
    private async ValueTask<(bool IsOpen, EncounterEntry? Encounter)> EncounterAsync(PendingAuthorization pending, UserAccount user, string? patient, CancellationToken cancellationToken)
    {
        var encounter = patient is not null && pending.Context.Encounter is { } id ? await choices.Encounters.FindAsync(user, pending.ClientId, patient, id, cancellationToken).ConfigureAwait(false) : null;
        return (pending.NeedsEncounter() && encounter is null && (patient is null || pending.WithoutEncounterOf != patient), encounter);
    }

    // Asked again at the end: somebody else may have signed in since the choice was made.
    private async ValueTask<bool> MaySeeAsync(PendingAuthorization pending, UserAccount user, string patient, CancellationToken cancellationToken) =>
        PatientChoice.OwnOf(user) == patient || await choices.Patients.FindAsync(user, pending.ClientId, patient, cancellationToken).ConfigureAwait(false) is not null;
}
