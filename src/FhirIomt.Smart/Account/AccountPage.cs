using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Deciding;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Tokens;

namespace FhirIomt.Smart.Account;

/// <summary>A person's own page: which apps have access, what is shared, who looked in an emergency, the password.</summary>
internal static class AccountPage
{
    public static Html Body(PageFrame frame, AccountView view, IndexPolicy policy, Html passkeys, string? done, string? failed)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            {frame.Account(view.User.Name)}
            <h1>{texts["own.title"]}</h1>
            {(done is null ? Html.Empty : Html.Of($"""<p role="status"><strong>{texts[done]}</strong></p>"""))}
            {(failed is null ? Html.Empty : Html.Of($"""<p role="alert" class="error">{failed}</p>"""))}
            <h2>{texts["own.apps"]}</h2>
            {(view.Apps.Count == 0 ? Html.Of($"<p>{texts["own.no-apps"]}</p>") : Html.Join(view.Apps.Select(app => App(frame, view, app, policy))))}
            {(view.PatientId is null ? Html.Empty : Patient(frame, view))}
            {passkeys}
            <h2>{texts["own.password"]}</h2>
            <form method="post" action="/account/password">
            {frame.HiddenFields()}
            <input type="text" name="username" value="{view.User.Name}" autocomplete="username" hidden>
            <label for="current">{texts["own.current"]}</label>
            <input type="password" id="current" name="current" maxlength="256" required autocomplete="current-password">
            <label for="new">{texts["own.new"]}</label>
            <input type="password" id="new" name="new" maxlength="256" required autocomplete="new-password" aria-describedby="new-hint">
            <p class="hint" id="new-hint">{texts["own.password-hint"]}</p>
            <button type="submit">{texts["own.set-password"]}</button>
            </form>
            """);
    }

    private static Html App(PageFrame frame, AccountView view, AccountApp app, IndexPolicy policy)
    {
        var texts = frame.Texts;
        var words = app.Grants.SelectMany(grant => grant.Scopes).Distinct(StringComparer.Ordinal).Where(scope => !ScopeNames.IsForPeople(scope))
            .Select(scope => Html.Of($"<li>{ScopeWords.Of(texts, SmartScope.Parse(scope, policy).Require())}</li>"));
        return Html.Of($"""
            <section aria-label="{app.Name}">
            <h3>{app.Name}</h3>
            {(app.Grants.Count == 0 ? Html.Empty : Html.Of($"<ul>{Html.Join(words)}</ul><p class=\"hint\">{Length(texts, app.Grants)}</p>"))}
            {(app.IsRefused ? Html.Of($"<p>{texts["own.refused"]}</p>") : Html.Empty)}
            {(app.Grants.Count == 0 ? Html.Empty : Button(frame, "/account/revoke", "client", app.ClientId, texts.Format("own.revoke", app.Name)))}
            {(view.PatientId is null ? Html.Empty : Choice(frame, Sharing.OfApp(app.ClientId), app.IsRefused, texts.Format(app.IsRefused ? "own.allow-app" : "own.refuse-app", app.Name)))}
            </section>
            """);
    }

    private static string Length(Texts texts, IReadOnlyList<Grant> grants) =>
        texts[grants.Any(grant => grant.IsOffline()) ? "own.offline" : "own.online"];

    private static Html Patient(PageFrame frame, AccountView view)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            <h2>{texts["own.sharing"]}</h2>
            <p>{texts[view.RefusesEverything ? "own.everything-refused" : "own.everything-shared"]}</p>
            {Choice(frame, Sharing.Everything, view.RefusesEverything, texts[view.RefusesEverything ? "own.allow-everything" : "own.refuse-everything"])}
            <p>{texts[view.RefusesMentalHealth ? "own.mental-refused" : "own.mental-shared"]}</p>
            {Choice(frame, Sharing.MentalHealth, view.RefusesMentalHealth, texts[view.RefusesMentalHealth ? "own.allow-mental" : "own.refuse-mental"])}
            <h2>{texts["own.emergencies"]}</h2>
            {(view.Emergencies.Count == 0 ? Html.Of($"<p>{texts["own.no-emergencies"]}</p>") : Html.Of($"<ul>{Html.Join(view.Emergencies.Select(opening => Emergency(texts, opening)))}</ul>"))}
            {(view.Looks is null ? Html.Empty : LooksSection.Of(texts, view.Looks))}
            """);
    }

    private static Html Emergency(Texts texts, EmergencyOpening opening) =>
        Html.Of($"<li>{texts.Format("own.emergency", opening.At.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture), opening.FhirUser ?? opening.UserId, opening.Reason)}</li>");

    private static Html Choice(PageFrame frame, string what, bool isRefused, string label) => Html.Of($"""
        <form method="post" action="/account/sharing">
        {frame.HiddenFields()}
        <input type="hidden" name="what" value="{what}">
        <button class="second" type="submit" name="action" value="{(isRefused ? "allow" : "refuse")}">{label}</button>
        </form>
        """);

    private static Html Button(PageFrame frame, string action, string name, string value, string label) => Html.Of($"""
        <form method="post" action="{action}">
        {frame.HiddenFields()}
        <button class="second" type="submit" name="{name}" value="{value}">{label}</button>
        </form>
        """);
}
