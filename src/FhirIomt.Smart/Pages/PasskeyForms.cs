using System.Globalization;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Users;

namespace FhirIomt.Smart.Pages;

/// <summary>The forms for passkeys. They are hidden until the script finds that the browser has them.</summary>
internal static class PasskeyForms
{
    /// <summary>Instead of name and password.</summary>
    public static Html SignIn(PageFrame frame, RelyingParty party, string challenge, string action)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            <form class="passkey" method="post" action="{action}" data-passkey="sign-in" data-challenge="{challenge}" data-party="{party.Id}" hidden>
            {frame.HiddenFields()}
            {Failed(texts)}
            <button class="second">{texts["passkey.sign-in"]}</button>
            </form>
            """);
    }

    /// <summary>On the account page: the person's passkeys, and another one.</summary>
    public static Html Section(PageFrame frame, UserAccount user, RelyingParty party, string challenge, IReadOnlyList<(string Id, Passkey Passkey)> known)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            <h2>{texts["passkey.title"]}</h2>
            <p>{texts["passkey.lead"]}</p>
            {(known.Count == 0 ? Html.Of($"<p>{texts["passkey.none"]}</p>") : Html.Join(known.Select(one => Known(frame, one.Id, one.Passkey))))}
            <form class="passkey" method="post" action="/account/passkeys" data-passkey="register" data-challenge="{challenge}" data-party="{party.Id}" data-party-name="{frame.ClientName}" data-user="{user.Id}" data-user-name="{user.Name}" data-known="{string.Join(' ', known.Select(one => one.Id))}" hidden>
            {frame.HiddenFields()}
            {Failed(texts)}
            <label for="passkey-label">{texts["passkey.label"]}</label>
            <input type="text" id="passkey-label" name="label" maxlength="64" required autocomplete="off">
            <label for="passkey-password">{texts["own.current"]}</label>
            <input type="password" id="passkey-password" name="current" maxlength="256" required autocomplete="current-password">
            <button>{texts["passkey.add"]}</button>
            </form>
            """);
    }

    private static Html Known(PageFrame frame, string id, Passkey passkey) => Html.Of($"""
        <form method="post" action="/account/passkeys/remove">
        {frame.HiddenFields()}
        <p>{frame.Texts.Format("passkey.since", passkey.Label, Day(passkey.Created), passkey.LastUsed is { } used ? Day(used) : "–")}</p>
        <button class="second" type="submit" name="passkey" value="{id}">{frame.Texts.Format("passkey.remove", passkey.Label)}</button>
        </form>
        """);

    private static Html Failed(Texts texts) => Html.Of($"""<p role="alert" class="error" data-failed hidden>{texts["passkey.failed-here"]}</p>""");

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
