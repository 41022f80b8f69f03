using FhirIomt.Smart.Authorize;

namespace FhirIomt.Smart.Pages;

/// <summary>The encounter picker: the visits of the chosen patient, the newest first, and a way on without one.</summary>
internal static class EncounterPage
{
    public static Html Body(PageFrame frame, string userName, string patient, EncounterList list, bool choseNone)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            {frame.Account(userName)}
            <h1>{texts["encounter.title"]}</h1>
            <p>{texts.Format("encounter.lead", frame.ClientName)}</p>
            <p>{texts["consent.patient"]}: <strong>{patient}</strong></p>
            {(choseNone ? Html.Of($"""<p role="alert" class="error">{texts["encounter.choose-one"]}</p>""") : Html.Empty)}
            {(list.Encounters.Count == 0 ? Html.Of($"""<p role="status">{texts["encounter.none"]}</p>""") : Choice(frame, list))}
            {More(frame, list.Next)}
            <form method="post" action="/auth/encounter">
            {frame.HiddenFields()}
            <p class="hint">{texts.Format("encounter.without-hint", frame.ClientName)}</p>
            <button class="second" type="submit" name="action" value="none">{texts["encounter.without"]}</button>
            </form>
            """);
    }

    public static string Line(Texts texts, EncounterEntry encounter) => string.Join(", ", ((string?[])
    [
        When(texts, encounter), encounter.Kind, encounter.Place, encounter.Status is null ? null : texts.Find($"encounter.{encounter.Status}") ?? encounter.Status,
    ]).OfType<string>());

    private static Html Choice(PageFrame frame, EncounterList list) => Html.Of($"""
        <form method="post" action="/auth/encounter">
        {frame.HiddenFields()}
        <fieldset>
        <legend>{frame.Texts["encounter.results"]}</legend>
        {Html.Join(list.Encounters.Select(encounter => Entry(frame.Texts, encounter)))}
        </fieldset>
        <button type="submit" name="action" value="choose">{frame.Texts["encounter.submit"]}</button>
        </form>
        """);

    private static Html Entry(Texts texts, EncounterEntry encounter) => Html.Of($"""
        <div class="choice">
        <input type="radio" id="e-{encounter.Id}" name="encounter" value="{encounter.Id}" required>
        <label for="e-{encounter.Id}">{Line(texts, encounter)}</label>
        </div>

        """);

    private static Html More(PageFrame frame, string? next) => next is null ? Html.Empty : Html.Of($"""
        <form method="post" action="/auth/encounter">
        {frame.HiddenFields()}
        <input type="hidden" name="cursor" value="{next}">
        <button class="second" type="submit" name="action" value="search">{frame.Texts["encounter.next"]}</button>
        </form>
        """);

    private static string When(Texts texts, EncounterEntry encounter) => (Minute(encounter.Start), Minute(encounter.End)) switch
    {
        (null, null) => texts["encounter.undated"],
        ({ } start, null) => start,
        (null, { } end) => texts.Format("encounter.until", end),
        var (start, end) when start == end => start!,
        var (start, end) => $"{start} – {end}",
    };

    // As it was written there, without seconds: the clock of the place where it was.
    private static string? Minute(string? time) => time is { Length: > 16 } && time[10] == 'T' ? $"{time[..10]} {time[11..16]}" : time;
}
