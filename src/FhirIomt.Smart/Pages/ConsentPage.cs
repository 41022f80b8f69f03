using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Clients;

namespace FhirIomt.Smart.Pages;

/// <param name="Patient">Whose data, in words; null when it is about no single patient.</param>
/// <param name="Encounter">Which visit, in words; null when there is none.</param>
/// <param name="FhirUser">The person's own resource; null when it is not asked for.</param>
internal sealed record ConsentQuestion(string UserName, string? Patient, string? Encounter, string? FhirUser, IReadOnlyList<string> Scopes, IReadOnlyList<ScopeChoice> Choices, string RedirectUri);

/// <summary>What the app asks for, in plain words, each with a tick that can be taken away.</summary>
internal static class ConsentPage
{
    public static Html Body(PageFrame frame, ConsentQuestion question)
    {
        var texts = frame.Texts;
        return Html.Of($"""
            {frame.Account(question.UserName)}
            <h1>{texts.Format("consent.title", frame.ClientName)}</h1>
            <p>{texts.Format("consent.lead", frame.ClientName)}</p>
            {(question.Patient is null ? Html.Empty : Html.Of($"""<p>{texts["consent.patient"]}: <strong>{question.Patient}</strong></p>"""))}
            {(question.Encounter is null ? Html.Empty : Html.Of($"""<p>{texts["consent.encounter"]}: <strong>{question.Encounter}</strong></p>"""))}
            <form method="post" action="/auth/consent">
            {frame.HiddenFields()}
            {Choices(texts, question.Choices)}
            {Identity(texts, question)}
            {Duration(texts, question.Scopes)}
            <p class="hint">{texts.Format("consent.return", RedirectUri.Place(question.RedirectUri))}</p>
            <button type="submit" name="action" value="allow">{texts["consent.allow"]}</button>
            <button class="second" type="submit" name="action" value="deny">{texts["consent.deny"]}</button>
            </form>
            """);
    }

    private static Html Choices(Texts texts, IReadOnlyList<ScopeChoice> choices) => choices.Count == 0 ? Html.Empty : Html.Of($"""
        <fieldset>
        <legend>{texts["consent.what"]}</legend>
        <p class="hint">{texts["consent.untick"]}</p>
        {Html.Join(choices.Select((choice, index) => Choice(texts, choice, index)))}
        </fieldset>
        """);

    private static Html Choice(Texts texts, ScopeChoice choice, int index)
    {
        var id = $"s{index}";
        var future = choice.Scope.ResourceType is null ? Html.Of($"""<p class="hint inner">{texts["consent.future"]}</p>""") : Html.Empty;
        var parts = choice.Parts.Count == 0 ? Html.Empty : Html.Of($"""
            <fieldset class="inner">
            <legend class="hint">{texts["consent.choose"]}</legend>
            {Html.Join(choice.Parts.Select((part, inner) => Tick($"{id}-{inner}", part.Text, ScopeWords.Part(texts, part), isTicked: false)))}
            </fieldset>
            """);
        return Html.Of($"{Tick(id, choice.Scope.Text, ScopeWords.Of(texts, choice.Scope), isTicked: true)}{future}{parts}");
    }

    private static Html Tick(string id, string scope, string words, bool isTicked) => Html.Of($"""
        <div class="choice">
        <input type="checkbox" id="{id}" name="scope" value="{scope}"{new Html(isTicked ? " checked" : "")}>
        <label for="{id}">{words}</label>
        </div>

        """);

    private static Html Identity(Texts texts, ConsentQuestion question)
    {
        var lines = new List<Html>();
        if (question.Scopes.Contains(ScopeNames.OpenId, StringComparer.Ordinal))
        {
            lines.Add(Html.Of($"<p>{texts["consent.identity"]}</p>"));
        }

        if (question.FhirUser is not null)
        {
            lines.Add(Html.Of($"<p>{texts.Format("consent.fhiruser", question.FhirUser)}</p>"));
        }

        return Html.Join(lines);
    }

    private static Html Duration(Texts texts, IReadOnlyList<string> scopes)
    {
        if (scopes.Contains(ScopeNames.OfflineAccess, StringComparer.Ordinal))
        {
            return Html.Of($"""
                {Tick("offline", ScopeNames.OfflineAccess, texts["consent.offline"], isTicked: true)}
                <p class="hint inner">{texts["consent.offline-hint"]} {texts["consent.expires"]}</p>
                """);
        }

        return scopes.Contains(ScopeNames.OnlineAccess, StringComparer.Ordinal) ? Html.Of($"<p>{texts["consent.online"]}</p>") : Html.Empty;
    }
}
