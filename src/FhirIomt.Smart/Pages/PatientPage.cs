using FhirIomt.Smart.Authorize;

namespace FhirIomt.Smart.Pages;

/// <summary>The patient picker: a search, and its results to choose from.</summary>
internal static class PatientPage
{
    public static Html Body(PageFrame frame, string userName, PatientSearch search, PatientList list, bool choseNone)
    {
        var texts = frame.Texts;
        var alert = choseNone ? Alert(texts["patient.choose-one"]) : list.IsRefused ? Alert(texts["patient.bad-search"]) : Html.Empty;
        return Html.Of($"""
            {frame.Account(userName)}
            <h1>{texts["patient.title"]}</h1>
            <p>{texts.Format("patient.lead", frame.ClientName)}</p>
            {alert}
            {SearchForm(frame, search)}
            <h2>{texts["patient.results"]}</h2>
            {(list.Patients.Count == 0 ? Html.Of($"""<p role="status">{texts["patient.none"]}</p>""") : Choice(frame, list))}
            {More(frame, search, list.Next)}
            """);
    }

    private static Html Alert(string text) => Html.Of($"""<p role="alert" class="error">{text}</p>""");

    // By POST, so that a name or a birth date is in no address, and so in no log and no history.
    private static Html SearchForm(PageFrame frame, PatientSearch search) => Html.Of($"""
        <form method="post" action="/auth/patient" role="search">
        {frame.HiddenFields()}
        <label for="name">{frame.Texts["patient.name"]}</label>
        <input type="text" id="name" name="name" value="{search.Name}" maxlength="100" autocomplete="off">
        <label for="birthdate">{frame.Texts["patient.birthdate"]}</label>
        <input type="text" id="birthdate" name="birthdate" value="{search.BirthDate}" maxlength="20" autocomplete="off" aria-describedby="birthdate-hint">
        <p class="hint" id="birthdate-hint">{frame.Texts["patient.birthdate-hint"]}</p>
        <label for="identifier">{frame.Texts["patient.identifier"]}</label>
        <input type="text" id="identifier" name="identifier" value="{search.Identifier}" maxlength="200" autocomplete="off">
        <button class="second" type="submit" name="action" value="search">{frame.Texts["patient.search"]}</button>
        </form>
        """);

    private static Html Choice(PageFrame frame, PatientList list) => Html.Of($"""
        <form method="post" action="/auth/patient">
        {frame.HiddenFields()}
        <fieldset>
        <legend>{frame.Texts["patient.results"]}</legend>
        {Html.Join(list.Patients.Select(patient => Entry(frame.Texts, patient)))}
        </fieldset>
        <button type="submit" name="action" value="choose">{frame.Texts["patient.submit"]}</button>
        </form>
        """);

    private static Html Entry(Texts texts, PatientEntry patient) => Html.Of($"""
        <div class="choice">
        <input type="radio" id="p-{patient.Id}" name="patient" value="{patient.Id}" required>
        <label for="p-{patient.Id}">{Line(texts, patient)}</label>
        </div>

        """);

    public static string Line(Texts texts, PatientEntry patient) => string.Join(", ", ((string?[])
    [
        patient.Name ?? texts["patient.unnamed"], patient.BirthDate is null ? null : texts.Format("patient.born", patient.BirthDate), patient.Identifier,
    ]).OfType<string>());

    private static Html More(PageFrame frame, PatientSearch search, string? next) => next is null ? Html.Empty : Html.Of($"""
        <form method="post" action="/auth/patient">
        {frame.HiddenFields()}
        <input type="hidden" name="name" value="{search.Name}">
        <input type="hidden" name="birthdate" value="{search.BirthDate}">
        <input type="hidden" name="identifier" value="{search.Identifier}">
        <input type="hidden" name="cursor" value="{next}">
        <button class="second" type="submit" name="action" value="search">{frame.Texts["patient.next"]}</button>
        </form>
        """);
}
