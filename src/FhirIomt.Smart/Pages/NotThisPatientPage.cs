namespace FhirIomt.Smart.Pages;

/// <summary>An EHR launched an app for a patient whom the person who is signed in may not see.</summary>
internal static class NotThisPatientPage
{
    public static Html Body(PageFrame frame, string userName)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            {frame.Account(userName)}
            <h1>{texts["refused.title"]}</h1>
            <p role="alert" class="error">{texts.Format("refused.lead", frame.ClientName)}</p>
            <p>{texts["refused.what-now"]}</p>
            <form method="post" action="/auth/consent">
            {frame.HiddenFields()}
            <button type="submit" name="action" value="deny">{texts.Format("refused.back", frame.ClientName)}</button>
            </form>
            """);
    }
}
