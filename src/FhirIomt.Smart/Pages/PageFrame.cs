namespace FhirIomt.Smart.Pages;

/// <summary>What all pages of one sign-in share.</summary>
/// <param name="FormKey">Antiforgery value of its forms.</param>
internal sealed record PageFrame(Texts Texts, string Transaction, string FormKey, string ClientName)
{
    /// <summary>The hidden fields of every form.</summary>
    public Html HiddenFields() => Html.Of($"""
        <input type="hidden" name="transaction" value="{Transaction}">
        <input type="hidden" name="{BrowserCookies.FormField}" value="{FormKey}">
        """);

    /// <summary>Who is signed in, and a way to be somebody else.</summary>
    public Html Account(string userName) => Html.Of($"""
        <form class="account" method="post" action="/auth/logout">
        {HiddenFields()}
        <p>{Texts.Format("account.signed-in", userName)}</p>
        <button class="second" type="submit">{Texts["account.sign-out"]}</button>
        </form>
        """);
}
