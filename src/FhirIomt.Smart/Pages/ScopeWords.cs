using FhirIomt.Access;

namespace FhirIomt.Smart.Pages;

/// <summary>A FHIR scope in plain words.</summary>
internal static class ScopeWords
{
    private static readonly (ScopeInteractions Interaction, string Key)[] Letters =
    [
        (ScopeInteractions.Create, "letter.c"), (ScopeInteractions.Read, "letter.r"), (ScopeInteractions.Update, "letter.u"), (ScopeInteractions.Delete, "letter.d"), (ScopeInteractions.Search, "letter.s"),
    ];

    public static string Of(Texts texts, SmartScope scope)
    {
        var what = texts.Format(scope.Context == ScopeContext.Patient ? "scope.patient" : "scope.user", Action(texts, scope.Interactions), Type(texts, scope.ResourceType));
        return Narrowing(texts, scope.Text) is { } only ? texts.Format("scope.only", what, only) : what;
    }

    /// <summary>Below the wider scope: only what makes it narrower.</summary>
    public static string Part(Texts texts, SmartScope scope) => Narrowing(texts, scope.Text) ?? Capital(Type(texts, scope.ResourceType));

    private static string Action(Texts texts, ScopeInteractions interactions) => interactions switch
    {
        ScopeInteractions.All => texts["action.all"],
        ScopeInteractions.Read | ScopeInteractions.Search or ScopeInteractions.Read => texts["action.read"],
        ScopeInteractions.Search => texts["action.find"],
        ScopeInteractions.Create | ScopeInteractions.Update | ScopeInteractions.Delete => texts["action.write"],
        _ => texts.Format("action.some", Capital(string.Join(", ", Letters.Where(letter => interactions.HasFlag(letter.Interaction)).Select(letter => texts[letter.Key])))),
    };

    private static string Type(Texts texts, string? type) => type is null ? texts["type.any"] : texts.Find($"type.{type}") ?? texts.Format("type.other", type);

    // A code that has words is said in words; anything else as it is written.
    private static string? Narrowing(Texts texts, string scope)
    {
        var query = scope.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? null : string.Join(", ", scope[(query + 1)..].Split('&').Select(pair =>
        {
            var value = Uri.UnescapeDataString(pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            return texts.Find($"category.{value[(value.LastIndexOf('|') + 1)..]}") ?? Uri.UnescapeDataString(pair);
        }));
    }

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
