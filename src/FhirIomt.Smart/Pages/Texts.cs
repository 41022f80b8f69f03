using System.Collections.Frozen;

namespace FhirIomt.Smart.Pages;

/// <summary>
/// The words of the pages in one language. A language is one embedded file <c>Pages/Texts/xx.txt</c> of lines <c>key = text</c>; what a file lacks is
/// taken from English.
/// </summary>
internal sealed class Texts
{
    private const string Fallback = "en";

    private static readonly FrozenDictionary<string, Texts> Languages = Load();

    private readonly FrozenDictionary<string, string> _texts;

    private Texts(string language, FrozenDictionary<string, string> texts)
    {
        Language = language;
        _texts = texts;
    }

    public string Language { get; }

    /// <summary>A missing key is a bug.</summary>
    public string this[string key] => _texts[key];

    public string Format(string key, params ReadOnlySpan<string> values)
    {
        var text = _texts[key];
        for (var index = 0; index < values.Length; index++)
        {
            text = text.Replace($"{{{index}}}", values[index], StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>The text, or null: for words about a type or a category that nobody has written yet.</summary>
    public string? Find(string key) => _texts.GetValueOrDefault(key);

    /// <summary>The first of the wanted languages that there is (OpenID Connect ui_locales, then Accept-Language); only ever compared, never part of a path.</summary>
    public static Texts For(params IEnumerable<string?> wanted) => wanted
        .SelectMany(list => (list ?? "").Split(' ', ',', ';'))
        .Select(tag => tag.Split('-')[0].ToLowerInvariant())
        .Select(language => Languages.GetValueOrDefault(language))
        .FirstOrDefault(texts => texts is not null) ?? Languages[Fallback];

    private static FrozenDictionary<string, Texts> Load()
    {
        const string Prefix = "Texts.";
        var files = typeof(Texts).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[Prefix.Length..^".txt".Length], Read, StringComparer.Ordinal);
        var english = files[Fallback];
        return files.ToFrozenDictionary(
            file => file.Key,
            file => new Texts(file.Key, english.Concat(file.Value).GroupBy(pair => pair.Key, StringComparer.Ordinal).ToFrozenDictionary(pairs => pairs.Key, pairs => pairs.Last().Value, StringComparer.Ordinal)),
            StringComparer.Ordinal);
    }

    private static Dictionary<string, string> Read(string resource)
    {
        using var reader = new StreamReader(typeof(Texts).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd().Split('\n')
            .Where(line => line.Contains('=', StringComparison.Ordinal) && !line.StartsWith('#'))
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0].Trim(), parts => parts[1].Trim(), StringComparer.Ordinal);
    }
}
