namespace FhirIomt.Smart.Pages;

internal static class LoginPage
{
    /// <param name="name">What the name field holds: the client's hint, or what was typed before.</param>
    /// <param name="passkey">The form for passkeys, or nothing.</param>
    public static Html Body(PageFrame frame, string? name, bool failed, Html passkey, string action = "/auth/login")
    {
        var texts = frame.Texts;
        var alert = failed ? Html.Of($"""<p role="alert" id="failed" class="error">{texts["login.failed"]}</p>""") : Html.Empty;
        return Html.Of($"""
            <h1>{texts["login.title"]}</h1>
            <p>{texts.Format("login.lead", frame.ClientName)}</p>
            {alert}
            <form method="post" action="{action}">
            {frame.HiddenFields()}
            <label for="username">{texts["login.username"]}</label>
            <input type="text" id="username" name="username" value="{name}" maxlength="64" required autocomplete="username" autocapitalize="none" spellcheck="false">
            <label for="password">{texts["login.password"]}</label>
            <input type="password" id="password" name="password" maxlength="256" required autocomplete="current-password">
            <button type="submit">{texts["login.submit"]}</button>
            </form>
            {passkey}
            """);
    }
}

internal static class LogoutPage
{
    public static Html Ask(Texts texts, string formKey) => Html.Of($"""
        <h1>{texts["logout.title"]}</h1>
        <p>{texts["logout.lead"]}</p>
        <form method="post" action="/auth/logout">
        <input type="hidden" name="{BrowserCookies.FormField}" value="{formKey}">
        <button type="submit">{texts["logout.submit"]}</button>
        </form>
        """);

    public static Html Done(Texts texts) => Html.Of($"""<h1>{texts["logout.done"]}</h1>""");
}
